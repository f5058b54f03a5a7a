"""The snapshot chore's scenario for crashes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from functions.snapshot import app
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.crashes import World
from tests.support.snapshots import BACKUP, DAILY, good_in_slot, in_slot, ours, the_account
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class SnapshotWorld(World):
    """What is selected, what is not, and what belongs to somebody else."""

    selected: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    foreign: dict[str, Any] = field(default_factory=dict)

    chore = app.CHORE
    event: ClassVar[Mapping[str, Any]] = DAILY
    settled: ClassVar[Mapping[str, Any]] = {"keep": {"unchanged": 5}, "skip": {"unchanged": 1}}

    def check_answer(self, answer: dict[str, Any]) -> None:
        """What it calls done is there."""
        for item in answer["outcomes"]:
            if item["result"] == "done":
                good = good_in_slot(self.account, item["target"])
                assert item["detail"]["snapshot_id"] in good, item

    def check_truth(self) -> None:
        """One good snapshot for each volume and slot (G1), none for others, others' untouched."""
        found = {each: len(good_in_slot(self.account, each)) for each in self.selected}
        assert found == dict.fromkeys(self.selected, 1)
        assert not any(in_slot(self.account, each) for each in self.others)
        left = {i: s for i, s in the_account(self.account).items() if i in self.foreign}
        assert left == self.foreign

    def photograph(self) -> Any:
        """Return all there is of snapshots."""
        return the_account(self.account)


@contextmanager
def snapshot_world() -> Iterator[SnapshotWorld]:
    """Build the scenario in a cloud of its own: a set of two, two single ones, one to retake.

    One of the selected volumes has a snapshot that is stuck, so that each run has something to
    tell people of.
    """
    clock = ManualClock()
    with strict_moto(clock, page_size=2) as cloud:
        stack, account = Stack(clock), Account(cloud)
        together = account.instance({}, {}, tags=BACKUP)
        root, single = account.instance({}, BACKUP).volume_ids
        lone, retaken = account.volume(tags=BACKUP), account.volume(tags=BACKUP)
        account.snapshot(retaken, tags=ours(), state="error", message="key not accessible")
        account.snapshot(lone, tags=ours("2026-11-19T20:00Z"), state="pending", age_hours=31)
        foreign = [
            account.snapshot(lone, tags={**ours(), "caretaker:managed-by": "another-stack"}),
            account.snapshot(single, tags={"Name": "by hand"}, state="error"),
        ]
        made = SnapshotWorld(cloud, clock, stack, account)
        made.selected = (*together.volume_ids, single, lone, retaken)
        made.others = (root,)
        made.foreign = {i: s for i, s in the_account(account).items() if i in foreign}
        cloud.calls.clear()
        yield made
