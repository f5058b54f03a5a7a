"""Independent books on the repairs of an account: what was promised, held against what is done."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.cloud.status_views import status_view
from tests.support.tagging_world import state_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.cloud.calls import Call
    from tests.support.health_crash import RepairWorld

ALLOWED_BY: Final = {
    "RebootInstances": {"reboot", "stop-start"},
    "StopInstances": {"stop-start"},
    "SetInstanceHealth": {"reboot", "stop-start"},
}
MOST_A_DAY: Final = 2
BREAKER_COUNT: Final = 3
BREAKER_PERCENT: Final = 20
GROUP_PERCENT: Final = 10
CHECKS: Final = ("SystemStatus", "InstanceStatus", "AttachedEbsStatus")


@dataclass
class Books:
    """What is true of the account when a repair is asked for; `problems` are broken promises.

    `is_disturbed` tells that a run died or that calls failed: then people may hear twice.
    """

    world: RepairWorld
    problems: list[str] = field(default_factory=list)
    ladders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    owners: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    is_disturbed: bool = False
    broken: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Note which zones are too ill to be repaired, as a poll begins; "" is the fleet."""
        ill: dict[str, int] = defaultdict(int)
        sizes: dict[str, int] = defaultdict(int)
        for each in self._running():
            for place in (_zone(each), ""):
                sizes[place] += 1
                ill[place] += self._is_impaired(each)
        self.broken = {
            place
            for place, number in ill.items()
            if number >= BREAKER_COUNT and number * 100 > BREAKER_PERCENT * sizes[place]
        }

    def before(self, call: Call) -> None:
        """Hold a call that is about to be served against the promises."""
        if call.operation == "StartInstances":
            self._started(call)
        if call.operation not in ALLOWED_BY:
            return
        for each in self._named(call):
            self._is_allowed(call.operation, each)
            self._is_within_budget(each)
            if call.operation == "StopInstances":
                self.owners[each] = "us"

    def put_down_by_people(self, instance_id: str) -> None:
        """Note that it is people who stopped a running instance."""
        self.owners[instance_id] = "people"

    def hear(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Note what was told of each incident; the same message may arrive twice."""
        for message in messages:
            text = json.dumps({**message, "Subject": ""}, sort_keys=True)
            if text in self.heard:
                continue
            self.heard.add(text)
            for incident in message["incidents"]:
                self.messages[incident["key"]].append((incident["opened"], message["state"]))

    def nothing_is_left_stopped(self) -> None:
        """After quiet polls every instance that we stopped runs."""
        for each, owner in self.owners.items():
            found = self._all.get(each)
            if owner == "us" and found and found.state in {"stopped", "stopping"}:
                self.problems.append(f"{each} was stopped by us and is {found.state}")

    def everything_was_closed(self) -> None:
        """In an account in which all is well no incident is open, and every opening had its end."""
        known = [key for key in self.world.open_incidents if not key.startswith("instance_event")]
        if known:
            self.problems.append(f"still open: {known}")
        for key, said in self.messages.items():
            if said[-1][1] != "OK":
                self.problems.append(f"nobody heard that {key} is over: {said}")
            if not self.is_disturbed and not _are_told_once(said):
                self.problems.append(f"{key} did not open and close once: {said}")
        history = [i["sk"] for i in _items() if str(i["pk"]).startswith("resolved#")]
        if len(history) != len(set(history)):
            self.problems.append(f"closed twice: {history}")

    def _started(self, call: Call) -> None:
        for each in self._named(call):
            if self.owners.get(each) != "us":
                self.problems.append(f"{each} is started and was never stopped by us")

    def _is_allowed(self, operation: str, instance_id: str) -> None:
        tags = self.world.account.tags_of(instance_id)
        if tags.get("caretaker:remediate") not in ALLOWED_BY[operation]:
            self.problems.append(f"{operation} of {instance_id}, which allows none: {tags}")
        if tags.get("caretaker:ignore", "no") != "no":
            self.problems.append(f"{operation} of {instance_id}, which is ignored")
        if self._zone_of(instance_id) in self.broken or "" in self.broken:
            self.problems.append(f"{operation} of {instance_id} while too many are impaired")

    def _is_within_budget(self, instance_id: str) -> None:
        documents = {i["sk"]: json.loads(i["document"]) for i in _items() if _is_ladder(i)}
        self.ladders[instance_id].add(documents.get(instance_id, {}).get("began", ""))
        now = self.world.clock.now()
        today = [
            began
            for began in self.ladders[instance_id]
            if began and now - datetime.fromisoformat(began) < timedelta(days=1)
        ]
        if len(today) > MOST_A_DAY:
            self.problems.append(f"{instance_id} has had {len(today)} ladders within a day")
        zone = self._zone_of(instance_id)
        at_work = [
            each
            for each, document in documents.items()
            if document["stand"] != "ended" and self._zone_of(each) == zone
        ]
        size = sum(_zone(each) == zone for each in self._running()) + len(at_work)
        if len(at_work) > max(1, size * GROUP_PERCENT // 100):
            self.problems.append(f"under repair at once in {zone}: {at_work}")

    def _running(self) -> list[Any]:
        return [each for each in self._all.values() if each.state == "running"]

    def _is_impaired(self, instance: Any) -> bool:
        cloud = self.world.cloud
        view = status_view(instance, cloud.extras, cloud.clock.now(), ())
        return any(view.get(check, {}).get("Status") == "impaired" for check in CHECKS)

    def _zone_of(self, instance_id: str) -> str:
        instance = self._all.get(instance_id)
        return _zone(instance) if instance else ""

    @property
    def _all(self) -> dict[str, Any]:
        return {each.id: each for each in self.world.account.backend.all_instances()}

    @staticmethod
    def _named(call: Call) -> list[str]:
        params = call.params
        return list(params.get("InstanceIds", [])) or [str(params["InstanceId"])]


def _items() -> list[dict[str, Any]]:
    held = (each for bucket in state_table().items.values() for each in bucket.values())
    return [{k: v.value for k, v in each.attrs.items()} for each in held]


def _is_ladder(item: Mapping[str, Any]) -> bool:
    return str(item["pk"]).startswith("ladders#")


def _zone(instance: Any) -> str:
    return str(instance.placement.zone)


def _are_told_once(said: Iterable[tuple[str, str]]) -> bool:
    """Tell whether each opening was told, then its end, then nothing more of it."""
    by_opening: dict[str, list[str]] = defaultdict(list)
    for opened, state in said:
        by_opening[opened].append(state)
    return all(states[-1] == "OK" and "OK" not in states[:-1] for states in by_opening.values())
