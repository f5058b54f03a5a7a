"""An account whose tags are judged, and words for what the tagging chore makes of them."""

from __future__ import annotations

import csv
import gzip
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3

from functions.tagging import app
from functions.tagging.rules import EC2_TYPES
from tests.cloud import REGION
from tests.support.stack import SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

HOUR: Final = 3_600
DAY: Final = 24 * HOUR
SETS: Final = frozenset({"CreateTags", "TagResources"})
CHANGES: Final = SETS | {
    *("DeleteTags", "UntagResources", "StopInstances", "StartInstances", "TerminateInstances")
}
OWNED: Final = {"Owner": "ann"}
SET: Final = ("set", "missing", "done")
TOP: Final = {"default": "ops"}
"""A rule that gives its tag to whatever lacks it."""


@dataclass
class TagsWorld:
    """Runs the chore; rules are named by their key."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account

    def run(
        self,
        rules: Mapping[str, Any],
        *,
        seconds: float = 900,
        request: str = "",
        **event: Any,
    ) -> dict[str, Any]:
        """Run once, in the slot of the first day unless told otherwise."""
        asked = {"scheduled_time": SLOT, "rules": rules, **event}
        return self.stack.run(app.CHORE, asked, seconds=seconds, request=request)

    def daily(self, rules: Mapping[str, Any], **event: Any) -> dict[str, Any]:
        """Run in the slot of this very minute, and let the day pass."""
        slot = self.clock.now().strftime("%Y-%m-%dT%H:%M:00Z")
        answer = self.run(rules, **{"scheduled_time": slot, **event})
        self.clock.advance(DAY)
        return answer

    def tags(self, resource_id: str) -> dict[str, str]:
        """Return the tags of a resource but for the name that every seeded instance has."""
        found = self.account.tags_of(resource_id)
        return {key: value for key, value in found.items() if key != "Name"}

    def photograph(self) -> Any:
        """Return the tags of everything in EC2, and what every instance is doing."""
        backend = self.account.backend
        tags = {each: dict(tags) for each, tags in backend.tags.items() if tags}
        states = {each.id: each.state for each in backend.all_instances()}
        others = {arn: dict(each.tags) for arn, each in self._others().items()}
        return tags, states, others

    def _others(self) -> dict[str, Any]:
        return dict(self.cloud.extras.tagged.get(self.account.where, {}))

    def changes(self) -> list[Call]:
        """Return the calls that were to change something in the account."""
        return self.cloud.calls.of(*CHANGES)

    @property
    def open_kinds(self) -> list[str]:
        """The kinds of incident that are open."""
        keys = [i["sk"] for i in self.stack.items() if str(i["pk"]).startswith("incidents#")]
        return sorted(str(key).partition("/")[0] for key in keys if not str(key).startswith("#"))

    def csv(self, answer: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return the rows of the list of a run."""
        bucket, _, key = str(answer["summary"]["list"]).removeprefix("s3://").partition("/")
        body = boto3.client("s3", REGION).get_object(Bucket=bucket, Key=key)["Body"].read()
        return list(csv.DictReader(io.StringIO(gzip.decompress(body).decode())))


def told(answer: Mapping[str, Any], target: str) -> list[tuple[str, str, str]]:
    """Return what happened to a resource, why, and how it ended: one decision or two."""
    return [
        (item["action"], item["reason"], item["result"])
        for item in answer["outcomes"]
        if item["target"] == target
    ]


def item(answer: Mapping[str, Any], target: str, action: str = "") -> dict[str, Any]:
    """Return the one item about a resource, or the one with this action."""
    (found,) = [
        each
        for each in answer["outcomes"]
        if each["target"] == target and action in {"", each["action"]}
    ]
    assert isinstance(found, dict)
    return found


def only(*types: str, **rule: Any) -> dict[str, Any]:
    """Return a rule for these types alone."""
    return {"applies_to": list(types or EC2_TYPES), **rule}


@contextmanager
def before_each(cloud: StrictCloud, operation: str, act: Callable[[Call], None]) -> Iterator[None]:
    """Let something happen right before every call of an operation."""
    serve = cloud.serve

    def served(call: Call, perform: Callable[[], Answer]) -> Answer:
        if call.operation == operation:
            act(call)
        return serve(call, perform)

    cloud.serve = served  # type: ignore[method-assign]
    try:
        yield
    finally:
        cloud.serve = serve  # type: ignore[method-assign]
