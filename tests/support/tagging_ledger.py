"""Keeps its own books on what happens to tags and instances, to hold the chore's promises against.

It believes neither tag nor state table: who was told, what was marked by us and who stopped an
instance, it has seen for itself.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cloud import Account, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

MARK: Final = "caretaker:stop-after"
ON_THE_WAY: Final = timedelta(seconds=30)
"""What other workers may move the clock by between what one of them decides and its call."""
LOOK_HOLDS: Final = timedelta(seconds=60)
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHANGING: Final = frozenset(
    {"CreateTags", "DeleteTags", "StopInstances", "StartInstances", "TagResources"}
)
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{17}")

type Tags = dict[str, str]


class Machine(NamedTuple):
    """One instance as it is in the account."""

    state: str
    tags: Tags


class Told(NamedTuple):
    """When somebody was told of an instance, and by the run of which slot."""

    at: datetime
    slot: str


@dataclass
class Ledger:
    """Who was told when, what was marked until when, what we stopped, and what was done.

    `exempt` says of an instance why it must not be stopped now. `problems` are broken promises.
    """

    cloud: StrictCloud
    account: Account
    exempt: Callable[[str, Tags], str] = field(default=lambda _, tags: _by_owner(tags))
    told: dict[str, Told] = field(default_factory=dict)
    marked: dict[str, datetime] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    done: dict[str, set[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    slot: str = ""
    days: int = 7
    is_running: bool = False
    _kept: tuple[dict[str, Told], dict[str, datetime], set[str]] = field(
        default_factory=lambda: ({}, {}, set())
    )
    _looked: dict[str, datetime] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        """Stand beside every call from now on."""
        self._open({})
        self._serve = self.cloud.serve
        self.cloud.serve = self._served  # type: ignore[method-assign]

    @contextmanager
    def page(self, event: Mapping[str, Any]) -> Iterator[None]:
        """Begin a new page for the run of an event; what people do stands on none."""
        self._open(event)
        self.is_running = True
        try:
            yield
        finally:
            self.is_running = False

    def _open(self, event: Mapping[str, Any]) -> None:
        self.done = {each: set() for each in ("set", "mark", "unmark", "stop", "start")}
        self.slot = str(event.get("scheduled_time", ""))
        self.days = int(event.get("stop_after_days", self.days))

    def keep(self) -> None:
        """Remember the books as they are."""
        self._kept = dict(self.told), dict(self.marked), set(self.stopped)

    def reopen(self) -> None:
        """Turn back to the books as they were kept."""
        told, marked, stopped = self._kept
        self.told, self.marked, self.stopped = dict(told), dict(marked), set(stopped)

    def machines(self) -> dict[str, Machine]:
        """Return all instances."""
        found = self.account.backend.all_instances()
        return {each.id: Machine(each.state, self.account.tags_of(each.id)) for each in found}

    def tags(self) -> dict[str, Tags]:
        """Return the tags of everything that has any."""
        backend = self.account.backend
        others = self.cloud.extras.tagged.get(self.account.where, {})
        known = {each: dict(tags) for each, tags in backend.tags.items() if tags}
        return known | {arn: dict(each.tags) for arn, each in others.items()}

    def _served(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        with self._lock:
            if call.service == "sns" and call.operation == "Publish":
                return self._heard(call, perform)
            if call.operation == "DescribeInstances":
                return self._looks(call, perform)
            if not self.is_running:
                return self._by_hand(call, perform)
            if call.operation not in _CHANGING:
                return self._serve(call, perform)
            before, machines = self.tags(), self.machines()
            try:
                return self._serve(call, perform)
            finally:
                self._compare(call, before, machines)

    def _heard(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        try:
            return self._serve(call, perform)
        finally:
            if call.outcome == "ok":
                named = _named(str(call.params.get("Message", "")))
                self.told |= dict.fromkeys(named, Told(call.at, self.slot))

    def _looks(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        answer = self._serve(call, perform)
        for each in call.params.get("Filters") or ():
            if each["Name"] == "instance-id" and call.outcome == "ok":
                self._looked |= dict.fromkeys(each["Values"], call.at)
        return answer

    def _by_hand(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        if call.operation == "StartInstances":
            self.stopped -= set(call.params["InstanceIds"])
        return self._serve(call, perform)

    def _compare(self, call: Call, before: dict[str, Tags], machines: dict[str, Machine]) -> None:
        after = self.tags()
        for each in before.keys() | after.keys():
            if before.get(each, {}) != after.get(each, {}):
                self._retagged(call, each, before.get(each, {}), after.get(each, {}))
        for each, now in self.machines().items():
            was = machines[each].state
            if call.operation == "StopInstances" and was == "running" != now.state:
                self._stopped(call, each, now)
            if call.operation == "StartInstances" and was == "stopped" != now.state:
                self._started(call, each, now)

    def _retagged(self, call: Call, each: str, before: Tags, after: Tags) -> None:
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            if key == MARK:
                self._remarked(call, each, old, new)
            elif key.startswith(("caretaker:", "aws:")):
                self._blame(call, f"{each}: {key} is not ours to write")
            elif new is None or (old is not None and old.lower() != new.lower()):
                self._blame(call, f"{each}: {key} was {old} and is {new}")
            else:
                self.done["set"].add(each)

    def _remarked(self, call: Call, each: str, old: str | None, new: str | None) -> None:
        machine = self.machines().get(each)
        if machine is None:
            self._blame(call, f"{each} is no instance and was marked")
        elif new is None:
            self.done["unmark"].add(each)
            self.marked.pop(each, None)
            if not self.exempt(each, machine.tags):
                self._blame(call, f"{each} is still wrong and was unmarked")
        else:
            self.done["mark"].add(each)
            until = datetime.fromisoformat(new)
            self._check_mark(call, each, until, old)
            self.marked[each] = until

    def _check_mark(self, call: Call, each: str, until: datetime, old: str | None) -> None:
        told = self.told.get(each)
        if told is None or told.slot >= self.slot:
            self._blame(call, f"{each} was marked in {self.slot} and told {told}")
        if until < call.at + timedelta(days=self.days) - ON_THE_WAY:
            self._blame(call, f"{each} was marked until {until}")
        if old is not None and until < (moment(old) or BEGINNING):
            self._blame(call, f"{each} had time until {old} and got {until}")
        why = self.exempt(each, self.machines()[each].tags)
        if why:
            self._blame(call, f"{each} was marked: {why}")

    def _stopped(self, call: Call, each: str, machine: Machine) -> None:
        self.done["stop"].add(each)
        self.stopped.add(each)
        looked, until = self._looked.get(each), self.marked.get(each)
        standing = moment(machine.tags.get(MARK, ""))
        why = self.exempt(each, machine.tags)
        if each not in self.told:
            self._blame(call, f"{each} was stopped and nobody told")
        if until is None or until > call.at + ON_THE_WAY:
            self._blame(call, f"{each} was stopped and marked until {until}")
        if standing is None or standing > call.at + ON_THE_WAY:
            self._blame(call, f"{each} was stopped and its mark said {machine.tags.get(MARK)}")
        if looked is None or call.at - looked > LOOK_HOLDS:
            self._blame(call, f"{each} was last looked at {looked}")
        if why:
            self._blame(call, f"{each} was stopped: {why}")

    def _started(self, call: Call, each: str, machine: Machine) -> None:
        self.done["start"].add(each)
        if each not in self.stopped:
            self._blame(call, f"{each} was started and not stopped by us")
        if not self.exempt(each, machine.tags):
            self._blame(call, f"{each} is still wrong and was started")
        self.stopped.discard(each)

    def _blame(self, call: Call, why: str) -> None:
        self.problems.append(f"{call.at:%m-%d %H:%M:%S} {call.operation}: {why}")


def _named(message: str) -> set[str]:
    """Return the instances that a letter, or an alert about such a step, is about."""
    if not message.startswith("{"):
        return set(_INSTANCE.findall(message))
    alert = json.loads(json.loads(message)["default"])
    if alert["state"] != "ALARM":
        return set()
    return {i["resource"] for i in alert["incidents"] if i["kind"] == "instance_escalated"}


def moment(text: str) -> datetime | None:
    """Return the time that a mark tells, None where it tells none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _by_owner(tags: Tags) -> str:
    """Return why an instance must not be stopped, by the rule that it has an owner."""
    if tags.get("Owner", "").strip():
        return "it has an owner"
    if "aws:autoscaling:groupName" in tags:
        return "its group would replace it"
    return "it is ignored" if "caretaker:ignore" in tags else ""
