"""One instance under restore, and what must hold however it goes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.cloud import Account, ManualClock, StrictCloud, strict_moto
from tests.support.restore_world import BAD, CHANGES, GOOD, MACHINE, RestoreWorld, items
from tests.support.stack import Stack
from tests.support.tagging_world import state_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.cloud import SeededInstance
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

CHECK_MINUTES: Final = 2


@dataclass
class RestoreCrash(RestoreWorld):
    """A swap that was started; `unwritten` are changes that came before their journal stood."""

    web: SeededInstance = field(init=False)
    plan_id: str = ""
    unwritten: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Let it come to the first step of the machine, in an account without anything else."""
        backend = self.account.backend
        for each in (backend.volumes, backend.snapshots, backend.reservations):
            each.clear()
        state_table().items.clear()
        self.cloud.faults.clear()
        self.killed = 0
        self.web = self.server()
        self.cloud.serve = self._watched  # type: ignore[method-assign]
        started = self.start(self.web.id, how="swap", check_minutes=CHECK_MINUTES)
        self.plan_id = str(started["plan_id"])
        self.cloud.calls.clear()

    def _watched(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        if call.operation in CHANGES:
            self._hold_against_table(call)
        return StrictCloud.serve(self.cloud, call, perform)

    def play_out(self, ending: str) -> None:
        """Play it to its end, and a second time."""
        self.play(self.plan_id)
        self.assert_good(ending)

    def fails_its_checks(self) -> None:
        """Let it find no peace with its new volumes, and so go back."""
        self.account.impair(self.web.id, until_repaired_by="nothing")

    def assert_good(self, ending: str) -> None:
        """It runs, with the right volumes; the originals are there and nothing else is.

        The journal says how it ended, and the same again changes nothing.
        """
        journal, web = self.journal(self.web.id), self.web
        assert journal["ending"] == ending, journal
        assert (self.open_restores(), self.unwritten) == ([], [])
        assert self.state(web.id) == "running"
        originals, made = set(web.volume_ids), set(self.made())
        assert set(self.account.backend.volumes) == originals | made
        seats = self.seats(web.id)
        assert {seat[1] for seat in seats.values()} == {"attached"}
        goes = {device: seat[2] for device, seat in seats.items()}
        odd = {device for device, dies in goes.items() if dies is not (device == "/dev/sda1")}
        assert odd <= set(journal["unlike"])
        sitting = {seat[0] for seat in seats.values()}
        if ending == "restored":
            assert (sitting, self.contents(web.id)) == (made, [GOOD, GOOD])
        else:
            assert (sitting, self.contents(web.id)) == (originals, [BAD, BAD])
            assert not made, "orphans"
        before, changes = self._photograph(), self.changes()
        self.play(self.plan_id)
        assert (self._photograph(), self.changes()) == (before, changes)

    def _photograph(self) -> Any:
        """Return what a redrive must not change."""
        kept = ("journals#", "restores#")
        found = [each for each in items() if str(each["pk"]).startswith(kept)]
        return sorted(str(each["document"]) for each in found), self.seats(self.web.id)

    def _hold_against_table(self, call: Call) -> None:
        """What is asked of EC2 must stand in the journal as about to be."""
        journal = self.journal(self.web.id)
        if call.operation == "CreateVolume":
            snapshot = call.params["SnapshotId"]
            is_written = any(p["is_sent"] for p in journal["parts"] if p["snapshot"] == snapshot)
        else:
            is_written = journal["is_touched"] or journal["goal"] == "back"
        if not is_written:
            self.unwritten.append(json.dumps([call.operation, journal["history"]]))


@contextmanager
def crash_scene(env: pytest.MonkeyPatch) -> Iterator[RestoreCrash]:
    """Open a cloud of its own in which a swap has been started."""
    clock = ManualClock()
    env.setenv("CARETAKER_RESTORE_MACHINE", MACHINE)
    with strict_moto(clock) as cloud:
        scene = RestoreCrash(cloud, clock, Stack(clock), Account(cloud), env)
        scene.open()
        yield scene
