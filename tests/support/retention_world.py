"""An account with backups of all ages, and words for what the retention chore makes of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest.mock import patch

from moto.dynamodb.models import dynamodb_backends

from caretaker.ec2 import description_of
from caretaker.slots import slot_of
from functions.retention import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.crashes import FIRST, World
from tests.support.retention_ledger import GRACE, MARK, Ledger
from tests.support.snapshots import ours
from tests.support.stack import SLOT, TABLE, Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.cloud import StrictCloud

LAST_ONE: Final = {"last": 1}
KEPT: Final = ("keep", "unchanged")
HOUR: Final = 3_600
DAY: Final = 24 * HOUR
_POOL: Final = "caretaker.apply.ThreadPoolExecutor"
"""With one worker in each, calls keep their order."""


@dataclass
class RetentionWorld(World):
    """Backups are seeded as the snapshot chore makes them; keywords say what is odd about one."""

    ledger: Ledger = field(init=False)

    chore = app.CHORE
    event: ClassVar[Mapping[str, Any]] = {"keep": LAST_ONE, "scheduled_time": SLOT}
    settled: ClassVar[Mapping[str, Any]] = {}

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.cloud, self.account)

    def backup(
        self,
        volume_id: str,
        days: float,
        *,
        policy: str = "daily",
        slot: str = "",
        marked_hours_ago: float | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        **seeded: Any,
    ) -> str:
        """Add one that was started `days` ago, in the slot of that minute; return its id."""
        now = self.clock.now()
        slot = slot or slot_of(now - timedelta(days=days))
        told = description_of(policy, slot) if description is None else description
        own = {**ours(slot=slot, policy=policy), **(tags or {})}
        made = self.account.snapshot(
            volume_id, age_hours=24 * days, tags=own, description=told, **seeded
        )
        self.ledger.made.add(made)
        if marked_hours_ago is not None:
            self.mark(made, marked_hours_ago)
        return made

    def backups(self, volume_id: str, ages: Iterable[float], **odd: Any) -> list[str]:
        """Add one of each age, in days."""
        return [self.backup(volume_id, days, **odd) for days in ages]

    def volume(self, *ages: float, **odd: Any) -> tuple[str, list[str]]:
        """Add a volume with backups of these ages in days; return their ids in this order."""
        volume_id = self.account.volume()
        return volume_id, self.backups(volume_id, ages, **odd)

    def expired(self, **odd: Any) -> str:
        """Add a volume with a backup that stays and an old one that goes; return the old one."""
        volume_id, _ = self.volume(2)
        return self.backup(volume_id, **{"days": 40, **odd})

    def mark(self, snapshot_id: str, hours_ago: float) -> None:
        """Let a run of ours have marked it."""
        since = self.clock.now() - timedelta(hours=hours_ago)
        self.account.tag(snapshot_id, {MARK: f"{since + GRACE:%Y-%m-%dT%H:%M:%SZ}"})
        self.ledger.marked[snapshot_id] = since

    def run(self, request: str = FIRST) -> dict[str, Any] | None:
        """Run once, on a new page of the ledger."""
        self.ledger.forget_done()
        return super().run(request)

    def sweep(self, *, seconds: float = 900, request: str = "", **event: Any) -> dict[str, Any]:
        """Run once, keeping the last one unless told otherwise."""
        self.ledger.forget_done()
        asked = {"keep": LAST_ONE, **event}
        answer = self.stack.run(self.chore, asked, seconds=seconds, request=request)
        self.hold_to_truth(answer)
        return answer

    def later(self, *, days: float = 0, hours: float = 0) -> None:
        """Let time pass."""
        self.clock.advance(days * DAY + hours * HOUR)

    @property
    def marks(self) -> dict[str, str]:
        """The mark of each snapshot that has one."""
        found = {each: s.tags.get(MARK, "") for each, s in self.ledger.snapshots().items()}
        return {each: mark for each, mark in found.items() if mark}

    @property
    def left(self) -> set[str]:
        """The snapshots that there are."""
        return set(self.ledger.snapshots())

    def photograph(self) -> Any:
        """Return all snapshots and their tags."""
        return self.ledger.snapshots()

    def check_answer(self, answer: dict[str, Any]) -> None:
        """What it calls done was done or is so; what happened it does not call unchanged (G9)."""
        there, effects = self.ledger.snapshots(), self.ledger.done
        for item in answer["outcomes"]:
            target, action = item["target"], item["action"]
            if item["result"] == "done":
                assert (target in there) is (action != "delete"), item
                marked = target in there and MARK in there[target].tags
                assert marked is (action == "mark"), item
            if item["result"] in {"unchanged", "refused", "planned"}:
                assert not any(target in changed for changed in effects.values()), item
        assert not self.ledger.problems, self.ledger.problems


def verdicts(answer: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return, by snapshot, what happened to it and why."""
    return {item["target"]: (item["action"], item["reason"]) for item in answer["outcomes"]}


def verdict(answer: Mapping[str, Any], snapshot_id: str) -> tuple[str, str, str]:
    """Return what happened to a snapshot, why, and how it ended."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == snapshot_id]
    return item["action"], item["reason"], item["result"]


@contextmanager
def retention_cloud(page_size: int | None = None) -> Iterator[RetentionWorld]:
    """Open an empty account in a cloud of its own."""
    clock = ManualClock()
    with strict_moto(clock, page_size=page_size) as cloud:
        yield a_world(cloud, clock, Stack(clock))


def a_world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """Return the words for an account that exists."""
    return RetentionWorld(cloud, clock, stack, Account(cloud))


@dataclass
class CrashWorld(RetentionWorld):
    """One of everything: what is to be marked, unmarked, deleted, and what is to stay."""

    due: tuple[str, ...] = ()
    kept_again: str = ""
    gone: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)

    settled: ClassVar[Mapping[str, Any]] = {
        "keep": {"unchanged": 8},
        "skip": {"unchanged": 1},
    }

    def build(self) -> None:
        """Build the scenario in the empty account, with an incident that a good run will end."""
        self._empty()
        self.later(hours=1)
        lone, _ = self.volume(2)
        self.due = tuple(self.backups(lone, (10, 11)))
        asked = {"caretaker:keep": "true"}
        self.kept_again = self.backup(lone, 30, marked_hours_ago=49, tags=asked)
        lost, _ = self.volume(40)
        self.gone = (
            self.backup(lone, 20, marked_hours_ago=49),
            self.backup(lone, 15, state="error"),
            self.backup(lost, 50, marked_hours_ago=60),
        )
        self.account.remove_volume(lost)
        self.backup(lone, 0.01, state="pending")
        self.account.image(self.expired())
        self.account.snapshot(lone, age_hours=999, tags={"Name": "by hand"})
        self.stack.run(self.chore, {"polcy": "daily"})
        self.stack.alerts()
        self.before = self.ledger.snapshots()
        self.cloud.calls.clear()

    def _empty(self) -> None:
        backend = self.account.backend
        for each in (backend.snapshots, backend.volumes, backend.amis):
            each.clear()
        self.cloud.faults.clear()
        dynamodb_backends[ACCOUNT][REGION].tables[TABLE].items.clear()
        self.ledger.made.clear()
        self.ledger.marked.clear()

    def check_truth(self) -> None:
        """All marked, unmarked and deleted that was to be; all else as it was."""
        now = self.ledger.snapshots()
        assert not self.ledger.problems, self.ledger.problems
        assert set(self.before) - set(now) == set(self.gone)
        assert set(self.marks) == set(self.due)
        for each in now:
            ours_now = {k: v for k, v in now[each].tags.items() if k != MARK}
            assert ours_now == {k: v for k, v in self.before[each].tags.items() if k != MARK}


@contextmanager
def crash_world() -> Iterator[CrashWorld]:
    """Open a cloud in which the scenario can be built again and again."""
    clock = ManualClock()
    with strict_moto(clock, page_size=6) as cloud, patch(_POOL, lambda _: ThreadPoolExecutor(1)):
        yield CrashWorld(cloud, clock, Stack(clock), Account(cloud))
