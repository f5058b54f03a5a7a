"""Keeps its own books on what happens to snapshots, to hold a chore's promises against.

It believes no tag: what was made by us, and since when a mark stands, it has seen for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

MARK: Final = "caretaker:delete-after"
GRACE: Final = timedelta(hours=48)
ON_THE_WAY: Final = timedelta(seconds=30)
"""What other workers may move the clock by between what one of them decides and its call."""
LOOK_HOLDS: Final = timedelta(seconds=60)
_CHANGING: Final = frozenset({"CreateTags", "DeleteTags", "DeleteSnapshot"})
_CHANGES: Final = frozenset(
    {*_CHANGING, "CreateSnapshot", "CreateSnapshots", "ModifySnapshotAttribute"}
    | {"ModifySnapshotTier", "DeregisterImage", "LockSnapshot", "UnlockSnapshot"}
)

type Snapshots = dict[str, Snapshot]


@dataclass(frozen=True)
class Snapshot:
    """One snapshot as it is in the account."""

    volume: str
    state: str
    started: datetime
    tags: dict[str, str]


@dataclass
class Ledger:
    """What was made by us, what is marked since when, what is needed, and what was done.

    `needed` says of a snapshot why it must neither be marked nor deleted. `problems` are broken
    promises.
    """

    cloud: StrictCloud
    account: Account
    made: set[str] = field(default_factory=set)
    needed: dict[str, str] = field(default_factory=dict)
    marked: dict[str, datetime] = field(default_factory=dict)
    done: dict[str, set[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _looked: dict[str, datetime] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        """Stand beside every call from now on."""
        self.forget_done()
        self._serve = self.cloud.serve
        self.cloud.serve = self._served  # type: ignore[method-assign]

    def forget_done(self) -> None:
        """Begin a new page: what was marked, unmarked, deleted."""
        self.done = {"mark": set(), "unmark": set(), "delete": set()}

    def snapshots(self) -> Snapshots:
        """Return all snapshots that the account owns."""
        return {
            s.id: Snapshot(s.volume_id, s.status, s.start_time, self.account.tags_of(s.id))
            for s in self.account.own_snapshots()
        }

    def _served(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        if call.service != "ec2" or call.operation not in {*_CHANGES, "DescribeSnapshots"}:
            return self._serve(call, perform)
        with self._lock:
            before = self.snapshots() if call.operation in _CHANGES else {}
            try:
                return self._serve(call, perform)
            finally:
                if call.operation in _CHANGES:
                    self._compare(call, before, self.snapshots())
                else:
                    self._looks(call)

    def _looks(self, call: Call) -> None:
        for each in call.params.get("Filters") or ():
            if each["Name"] == "snapshot-id" and call.outcome == "ok":
                self._looked |= dict.fromkeys(each["Values"], call.at)

    def _compare(self, call: Call, before: Snapshots, after: Snapshots) -> None:
        if call.operation not in _CHANGING:
            self._blame(call, "a call that retention never makes")
        for each in before.keys() - after.keys():
            self._deleted(call, each, before[each], after)
        for each in before.keys() & after.keys():
            if before[each].tags != after[each].tags:
                self._retagged(call, each, before[each], after[each])

    def _deleted(self, call: Call, each: str, gone: Snapshot, left: Snapshots) -> None:
        self.done["delete"].add(each)
        newer = [s.started for s in self._good(left, gone.volume) if s.started >= gone.started]
        looked = self._looked.get(each)
        since = self.marked.pop(each, None)
        if each not in self.made:
            self._blame(call, f"{each} was not made by us")
        if each in self.needed:
            self._blame(call, f"{each} is needed: {self.needed[each]}")
        if not newer:
            self._blame(call, f"{each} was the last good one of {gone.volume}")
        if looked is None or call.at - looked > LOOK_HOLDS:
            self._blame(call, f"{each} was last looked at {looked}")
        if gone.state != "error" and (since is None or call.at - since < GRACE - ON_THE_WAY):
            self._blame(call, f"{each} was marked {since}")
        if gone.state not in {"error", "completed"}:
            self._blame(call, f"{each} was {gone.state}")

    def _good(self, among: Snapshots, volume: str) -> list[Snapshot]:
        return [
            snapshot
            for each, snapshot in among.items()
            if each in self.made and snapshot.volume == volume and snapshot.state == "completed"
        ]

    def _retagged(self, call: Call, each: str, before: Snapshot, after: Snapshot) -> None:
        changed = dict(before.tags.items() ^ after.tags.items())
        if set(changed) != {MARK} or each not in self.made:
            self._blame(call, f"{each} got other tags: {changed}")
        elif MARK not in after.tags:
            self.done["unmark"].add(each)
            self.marked.pop(each, None)
        else:
            self.done["mark"].add(each)
            self.marked[each] = call.at
            until = datetime.fromisoformat(after.tags[MARK])
            if until < call.at + GRACE - ON_THE_WAY or each in self.needed:
                self._blame(call, f"{each} was marked until {until}: {self.needed.get(each)}")

    def _blame(self, call: Call, why: str) -> None:
        self.problems.append(f"{call.at:%m-%d %H:%M:%S} {call.operation}: {why}")
