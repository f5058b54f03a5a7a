"""Whatever happens to an account, in whatever order, the promises hold after every step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.support.retention_ledger import GRACE, MARK
from tests.support.retention_life import Life
from tests.support.snapshots import ours

COPY: Final = "vol-ffffffff"
READS: Final = ("DescribeSnapshots", "DescribeImages", "DescribeSnapshotAttribute", "Query")
CHANGES: Final = ("CreateTags", "DeleteTags", "DeleteSnapshot")


class Retention(RuleBasedStateMachine):
    """Backups are taken, needed, spoofed, forgotten; and the chore runs, dies, runs again."""

    volumes: Bundle[str] = Bundle("volumes")
    snapshots: Bundle[str] = Bundle("snapshots")
    images: Bundle[str] = Bundle("images")

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    def teardown(self) -> None:
        self.life.close()

    @initialize(target=volumes)
    def first_volumes(self) -> Any:
        made = [self.life.account.volume() for _ in range(2)]
        self.life.volumes += made
        return multiple(*made)

    @rule(target=snapshots, volume=volumes, number=st.integers(1, 3))
    def take_backups(self, volume: str, number: int) -> Any:
        made = []
        for _ in range(number):
            made.append(self.life.take(volume, "completed"))
            self.life.later(hours=25)
        return multiple(*made)

    @rule(target=snapshots, volume=volumes, state=st.sampled_from(["error", "pending"]))
    def fail(self, volume: str, state: str) -> str:
        return self.life.take(volume, state)

    @rule(target=snapshots, snapshot=snapshots)
    def copy(self, snapshot: str) -> Any:
        return self._another(snapshot, COPY, faithful=True)

    @rule(target=snapshots, snapshot=snapshots)
    def spoof(self, snapshot: str) -> Any:
        there = self.life.ledger.snapshots()
        if snapshot not in there:
            return multiple()
        return self._another(snapshot, there[snapshot].volume, faithful=False)

    @rule(volume=volumes, target=volumes)
    def restore(self, volume: str) -> Any:
        good = self.life.good(volume)
        if not good:
            return multiple()
        made = self.life.account.volume(tags={"caretaker:restored-from": good[0]})
        self.life.volumes.append(made)
        self.life.restored |= {made, volume}
        return made

    @rule(snapshot=snapshots)
    def share(self, snapshot: str) -> None:
        if snapshot in self.life.left:
            self.life.account.share(snapshot)
            self.life.needs.shared.add(snapshot)
            self.life.needs.shared_once.add(snapshot)

    @rule(snapshot=snapshots)
    def unshare(self, snapshot: str) -> None:
        if snapshot in self.life.left:
            backend = self.life.account.backend
            backend.snapshots[snapshot].create_volume_permission_groups.clear()
            self.life.needs.shared.discard(snapshot)

    @rule(snapshot=snapshots, target=images, disabled=st.booleans())
    def make_image(self, snapshot: str, *, disabled: bool) -> Any:
        if snapshot not in self.life.left:
            return multiple()
        image = self.life.account.image(snapshot)
        self.life.needs.images[image] = snapshot
        if disabled:
            self.life.account.disable_image(image)
        return image

    @rule(image=images)
    def deregister(self, image: str) -> None:
        if self.life.needs.images.pop(image, None):
            self.life.account.deregister_image(image)

    @rule(snapshot=snapshots, days=st.integers(1, 9))
    def lock(self, snapshot: str, days: int) -> None:
        if snapshot in self.life.left:
            self.life.account.lock(snapshot, days=days)
            self.life.needs.locks[snapshot] = self.life.clock.now() + timedelta(days=days)

    @rule(snapshot=snapshots, asked=st.booleans())
    def tag_keep(self, snapshot: str, *, asked: bool) -> None:
        if snapshot in self.life.left:
            tags = self.life.account.backend.tags[snapshot]
            tags.pop("caretaker:keep", None)
            self.life.needs.kept.discard(snapshot)
            if asked:
                tags["caretaker:keep"] = "true"
                self.life.needs.kept.add(snapshot)

    @rule(snapshot=snapshots, hours_ago=st.integers(-24, 200))
    def spoof_mark(self, snapshot: str, hours_ago: int) -> None:
        """Somebody writes our mark: on what is due, and not before its time, it counts."""
        if snapshot in self.life.left:
            self.life.mark(snapshot, hours_ago)

    @rule(snapshot=snapshots)
    def remove_mark(self, snapshot: str) -> None:
        if snapshot in self.life.left:
            self.life.account.backend.tags[snapshot].pop(MARK, None)
            self.life.ledger.marked.pop(snapshot, None)

    @rule(snapshot=snapshots)
    def archive(self, snapshot: str) -> None:
        there = self.life.ledger.snapshots()
        if snapshot in there and there[snapshot].state == "completed":
            self.life.account.archive(snapshot)
            self.life.needs.archived.add(snapshot)

    @rule(volume=volumes)
    def delete_volume(self, volume: str) -> None:
        if len(self.life.account.backend.volumes) > 1 and volume in (
            self.life.account.backend.volumes
        ):
            self.life.account.remove_volume(volume)

    @rule(hours=st.sampled_from([1, 23, 24, 25, 47, 48, 49, 100, 500]))
    def wait(self, hours: int) -> None:
        self.life.later(hours=hours)

    @rule()
    def sweep(self) -> None:
        self.life.act()

    @rule()
    def sweep_and_sweep_when_marks_are_due(self) -> None:
        self.life.act()
        self.life.later(days=2)
        self.life.act()

    @rule()
    def deliver_an_event_twice(self) -> None:
        """The second delivery finds nothing to do."""
        event = {"scheduled_time": f"{self.life.clock.now():%Y-%m-%dT%H:%M:00Z}"}
        first = self.life.act(request="once", **event)
        again = self.life.act(request="once", **event)
        if first["status"] == "ok":
            assert set.union(*self.life.ledger.done.values()) == set()
            assert again["progress"] == 0

    @rule()
    def report(self) -> None:
        before = self.life.photograph()
        self.life.act(mode="report")
        assert self.life.photograph() == before

    @precondition(lambda self: self.life.plans)
    @rule()
    def approve(self) -> None:
        """Only the last plan: nothing else may have been let through by it."""
        plan = self.life.plans.pop()
        answer = self.life.act(approve=plan)
        assert answer["status"] == "ok" or answer["reason"] in {"plan_unknown", "no_volumes_seen"}

    @rule(nth=st.integers(1, 45), effective=st.booleans())
    def die(self, nth: int, *, effective: bool) -> None:
        self.life.killed(nth, effective=effective)

    @rule(
        kind=st.sampled_from(["throttled", "answer_lost", "denied"]),
        operation=st.sampled_from([*READS, *CHANGES]),
    )
    def sweep_with_trouble(self, kind: str, operation: str) -> None:
        self.life.cloud.faults.add(kind, operation=operation, times=2)
        self.life.ledger.needed = self.life.needs.at(self.life.clock.now())
        self.life.run()
        self.life.cloud.faults.clear()

    @invariant()
    def promises_hold(self) -> None:
        self.life.check_promises()

    def _another(self, snapshot: str, volume: str, *, faithful: bool) -> Any:
        """Make one beside it that has its tags; only a faithful one has its description."""
        life = self.life
        if snapshot not in life.left:
            return multiple()
        source = life.account.backend.snapshots[snapshot]
        tags = {**life.account.tags_of(snapshot), MARK: f"{life.clock.now() + GRACE:%FT%TZ}"}
        told = source.description if faithful else "by hand"
        return life.account.snapshot(volume, age_hours=72, tags=ours() | tags, description=told)


@pytest.mark.usefixtures("one_at_a_time")
def test_promises_hold_after_every_step_of_any_life() -> None:
    Retention.TestCase.settings = PROFILE
    Retention.TestCase("runTest").runTest()


PROFILE: Final = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
