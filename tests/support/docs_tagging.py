"""The story that docs/chores/tagging.md tells: a fleet gets its cost tags, one machine never does.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from caretaker.aws import session
from caretaker.run import Run
from functions.tagging import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.stack import TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import StrictCloud

EVENTS: Final = Path(__file__).parents[2] / "events" / "tagging"
ANN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:team-ann"
_DAY: Final = 86_400
_BRIEF: Final = ("status", "counts", "summary")
_REFUSED: Final = ("status", "reason", "errors")
_SHOP: Final = {"Environment": "prod", "Owner": "shop"}


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
        story = _Story(cloud, Stack(clock))
        examples = {**story.look(), **story.act(), **story.birth(), **story.others()}
        examples |= {**story.escalation(), **story.too_many(), **story.refusals()}
    session.forget()
    return examples


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


class _Story:
    """A fleet, and the runs that go over it."""

    def __init__(self, cloud: StrictCloud, stack: Stack) -> None:
        self.account = Account(cloud)
        self._stack = stack
        self._answer: dict[str, Any] = {}
        boto3.client("ec2", REGION).describe_vpcs()
        boto3.client("sns", REGION).create_topic(Name="team-ann")
        mock_random.seed(20261121)
        web = self.account.instance(
            {}, name="web-1", tags={"CostCenter": "4711", "Environment": "Prod", "Owner": "ann"}
        )
        db = self.account.instance(
            {}, name="db-1", tags={"costcenter": "4712", "Environment": "prod", "Owner": "data"}
        )
        self._unpaid = self.account.instance(
            {}, name="report-3", tags={"Environment": "prod", "Owner": "ann"}
        )
        self.account.instance({}, name="lab", tags={"caretaker:ignore": "true"})
        self.account.snapshot(db.volume_ids[0], age_hours=500)
        self.account.elastic_ip(instance_id=web.id)
        self.account.volume(tags={"CostCenter": "47", **_SHOP})
        self._shop()
        stack.clock.advance(3 * 3600)

    def _shop(self) -> None:
        """Make an Auto Scaling group whose tags lack one."""
        template = self.account.launch_template([])
        self.account.scaling_group(template, "1", name="shop", tags=_SHOP)
        for _ in range(2):
            self.account.instance({}, group="shop", template=template, version="1", tags=_SHOP)

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._answer = self._stack.run(app.CHORE, asked)
        return self._answer

    def look(self) -> dict[str, Any]:
        """Look, without changing anything."""
        answer = self.run(event("dry-run"))
        return {"first-look": _some(answer, *_BRIEF), "list": self._list()}

    def act(self) -> dict[str, Any]:
        """Set what can be set, and tell once of the rest."""
        answer = self.run(event("cost-allocation"))
        summary = {k: answer["summary"][k] for k in ("violations", "compliance", "by_key")}
        found: dict[str, Any] = {"act": {**_some(answer, "status", "counts"), "summary": summary}}
        found |= {"items": self._items(), "alert": self._mail(TOPIC)}
        self._stack.alerts()
        self._stack.clock.advance(_DAY)
        summary = self.run(event("cost-allocation"))["summary"]
        again = {k: summary[k] for k in ("violations", "new_violations", "compliance")}
        return {**found, "next-day": {"summary": again, "messages": len(self._stack.alerts())}}

    def birth(self) -> dict[str, Any]:
        """Let ann start an instance, and CloudTrail tell of it."""
        born = self.account.instance({}, age_hours=0)
        asked = json.dumps(event("birth-run-instances")).replace("i-0123456789abcdef0", born.id)
        found = {"born": self.run(json.loads(asked))["outcomes"]}
        self.account.tag(born.id, {"CostCenter": "4711", "Environment": "dev"})
        self.run(event("cost-allocation"))
        self._stack.alerts()
        return found

    def others(self) -> dict[str, Any]:
        """Tag what is not of EC2, with the account's own tag."""
        self.account.organization(role="management", tags={"CostCenter": "4700"})
        self.account.resource("rds:db", "orders", tags={"Name": "orders"})
        queue = self.account.resource("ecs:cluster", "jobs", tags={"Name": "jobs"})
        self.account.refuse_tagging(
            queue, message="User is not authorized to perform: ecs:TagResource"
        )
        found = self.run(event("other-services"))["outcomes"]
        self._stack.alerts()
        return {"others": found}

    def escalation(self) -> dict[str, Any]:
        """Stop what nobody pays for, and start it again once somebody does."""
        asked, told, letter = event("owner-required"), "", ""
        steps: dict[tuple[str, str], dict[str, Any]] = {}
        for day in range(12):
            if day == 10:
                self.account.tag(self._unpaid.id, {"CostCenter": "4713"})
            mine = [o for o in self.run(asked)["outcomes"] if o["target"] == self._unpaid.id]
            for item in mine:
                steps.setdefault((item["action"], item["reason"]), item)
            letter = letter or self._mail(ANN)
            told += self._told()
            self._stack.clock.advance(_DAY)
        return {"letter": letter, "steps": list(steps.values()), "steps-told": told}

    def too_many(self) -> dict[str, Any]:
        """Find three at once where two are the most, and let a person decide."""
        for number in range(3):
            self.account.instance(name=f"old-{number}", tags={"CostCenter": "4713"})
        self.run(event("careful"))
        self._stack.alerts()
        self._stack.clock.advance(_DAY)
        refused = self.run(event("careful"))
        found = {"too-many": _some(refused, *_REFUSED, "plan_id"), "too-many-told": self._told()}
        answer = self.run({**event("approve"), "approve": refused["plan_id"]})
        return {**found, "approved": _some(answer, "status", "counts")}

    def refusals(self) -> dict[str, Any]:
        """Send what is wrong."""
        return {
            f"refused-{name}": _some(self.run(event(name)), *_REFUSED)
            for name in ("empty", "reserved-key", "wrong-rules")
        }

    def _items(self) -> list[dict[str, Any]]:
        """Return the first item of each kind and reason."""
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for item in self._stack.report(self._answer)[1:]:
            found.setdefault((item["action"], item["reason"], item["detail"]["type"]), item)
        return list(found.values())

    def _list(self) -> str:
        """Return the list's columns and the first line of each finding, action and reason."""
        bucket, _, key = self._answer["summary"]["list"].removeprefix("s3://").partition("/")
        body = boto3.client("s3", REGION).get_object(Bucket=bucket, Key=key)["Body"].read()
        head, *lines = gzip.decompress(body).decode().splitlines()
        rows = zip(lines, csv.DictReader([head, *lines]), strict=True)
        shown: dict[tuple[str, ...], str] = {}
        for line, row in rows:
            shown.setdefault((row["finding"], row["action"], row["reason"]), line)
        return "".join(f"{line}\n" for line in [head, *shown.values()])

    def _mail(self, topic: str) -> str:
        """Return the newest message to people at a topic, below its subject; empty if none."""
        sent = sns_backends[ACCOUNT][REGION].topics[topic].sent_notifications
        if not sent:
            return ""
        _, body, subject, *_ = sent[-1]
        return f"{subject}\n\n{json.loads(body)['email'] if body.startswith('{') else body}"

    def _told(self) -> str:
        now = self._stack.clock.now()
        return "".join(f"{now:%d %b %H:%M}  {each['Subject']}\n" for each in self._stack.alerts())
