"""Whose snapshots these are: only what the snapshot chore of this installation made is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.cloud import REGION
from tests.support.retention_ledger import MARK
from tests.support.retention_world import RetentionWorld, a_world, verdict
from tests.support.snapshots import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

STRANGER: Final = "210987654321"
SLOT: Final = "2026-10-01T03:00Z"
PAST: Final = {MARK: "2026-11-01T00:00:00Z"}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    return a_world(cloud, clock, stack)


def seed(world: RetentionWorld, tags: Mapping[str, str], description: str, **odd: Any) -> str:
    """Add an old snapshot of a volume that has a new one of ours."""
    volume, _ = world.volume(2)
    return world.account.snapshot(
        volume, age_hours=24 * 51, tags=tags, description=description, **odd
    )


SAID: Final = f"caretaker daily {SLOT}"
STRANGE: Final[dict[str, tuple[Callable[[RetentionWorld], str], str]]] = {
    "untagged": (lambda w: seed(w, PAST, ""), "not_managed"),
    "of another installation": (
        lambda w: seed(w, {**ours(SLOT), "caretaker:managed-by": "other", **PAST}, SAID),
        "not_managed",
    ),
    "with tags of ours copied onto it": (
        lambda w: seed(w, {**ours(SLOT), **PAST}, "before the upgrade"),
        "not_made_here",
    ),
    "whose slot was changed": (
        lambda w: seed(w, {**ours("2026-10-02T03:00Z"), **PAST}, SAID),
        "not_made_here",
    ),
    "whose policy was changed": (
        lambda w: seed(w, {**ours(SLOT, policy="daily"), **PAST}, f"caretaker weekly {SLOT}"),
        "not_made_here",
    ),
    "of AWS Backup": (
        lambda w: seed(w, {**ours(SLOT), "aws:backup:source-resource": "vol-1", **PAST}, SAID),
        "aws_managed",
    ),
    "of another policy": (
        lambda w: seed(w, {**ours(SLOT, policy="weekly"), **PAST}, f"caretaker weekly {SLOT}"),
        "other_policy",
    ),
    "with a slot that is none": (
        lambda w: seed(w, {**ours("soon"), **PAST}, "caretaker daily soon"),
        "slot_unreadable",
    ),
    "with a slot long after its start": (
        lambda w: seed(
            w, {**ours("2026-10-03T03:01Z"), **PAST}, "caretaker daily 2026-10-03T03:01Z"
        ),
        "slot_in_future",
    ),
}


def test_snapshots_that_are_not_ours_are_left_alone_mark_and_all(world: RetentionWorld) -> None:
    strange = {kind: make(world) for kind, (make, _) in STRANGE.items()}
    own, before = world.expired(marked_hours_ago=49), world.photograph()

    answer = world.sweep()

    told = {kind: verdict(answer, each) for kind, each in strange.items()}
    assert told == {kind: ("skip", reason, "unchanged") for kind, (_, reason) in STRANGE.items()}
    del before[own]
    assert world.photograph() == before


def test_snapshots_of_other_accounts_are_not_even_looked_at(world: RetentionWorld) -> None:
    volume, _ = world.volume(2)
    public = world.account.snapshot(
        volume, age_hours=1224, tags={**ours(SLOT), **PAST}, description=SAID, owner=STRANGER,
        public=True,
    )  # fmt: skip

    answer = world.sweep()

    assert public not in {item["target"] for item in answer["outcomes"]}
    assert public in world.account.backend.snapshots


@pytest.mark.parametrize("faithful", [False, True], ids=["as the console does", "description too"])
def test_copies_of_backups_are_left_alone_and_count_for_nothing(
    world: RetentionWorld, *, faithful: bool
) -> None:
    ec2 = boto3.client("ec2", REGION)
    originals = [world.volume(3)[1][0] for _ in range(3)]
    copies = [copied(ec2, each, faithful=faithful) for each in originals]
    world.later(days=3)
    for each in copies:
        world.account.tag(each, PAST)

    answer = world.sweep()

    assert {verdict(answer, each) for each in copies} == {("skip", "not_made_here", "unchanged")}
    assert {verdict(answer, each)[1] for each in originals} == {"kept_by_rule"}
    assert set(copies) <= world.left


def copied(ec2: Any, snapshot_id: str, *, faithful: bool) -> str:
    (source,) = ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    told = {"Description": source["Description"]} if faithful else {}
    specification = [{"ResourceType": "snapshot", "Tags": source["Tags"]}]
    made = ec2.copy_snapshot(
        SourceSnapshotId=snapshot_id, SourceRegion=REGION, TagSpecifications=specification, **told
    )
    return str(made["SnapshotId"])


MARKS: Final = {
    "unparsable": "next week",
    "without a zone": "2026-11-01T00:00:00",
    "a day alone": "2026-11-01",
    "before two days after the start": "2026-10-14T02:59:59Z",
    "empty": "",
}


def test_a_mark_that_cannot_be_ours_counts_for_nothing_and_is_replaced(
    world: RetentionWorld,
) -> None:
    old = {kind: world.expired() for kind in MARKS}
    for kind, each in old.items():
        assert world.photograph()[each].started == world.clock.now() - timedelta(days=40)
        world.account.tag(each, {MARK: MARKS[kind]})

    answer = world.sweep()

    told = {kind: verdict(answer, each) for kind, each in old.items()}
    assert told == dict.fromkeys(MARKS, ("mark", "expired", "done"))
    assert set(world.marks.values()) == {"2026-11-23T03:00:00Z"}


def test_a_mark_that_cannot_be_ours_is_removed_from_what_stays(world: RetentionWorld) -> None:
    _, (new,) = world.volume(2)
    world.account.tag(new, {MARK: "next week"})

    assert verdict(world.sweep(), new) == ("unmark", "kept_by_rule", "done")
    assert world.marks == {}


@pytest.mark.parametrize("years", [1, 1000])
def test_a_mark_that_somebody_put_off_holds_until_then(world: RetentionWorld, years: int) -> None:
    old = world.expired()
    world.account.tag(old, {MARK: f"{2026 + years}-11-21T03:00:00Z"})

    assert verdict(world.sweep(), old) == ("keep", "marked", "unchanged")


def test_two_installations_and_policies_share_an_account_without_touching_each_other(
    world: RetentionWorld,
) -> None:
    volume, (_, old) = world.volume(2, 40, marked_hours_ago=49)
    weekly = world.backups(volume, (3, 50), policy="weekly", marked_hours_ago=49)
    before = world.photograph()

    world.sweep()

    assert old not in world.left
    now = world.photograph()
    assert {each: now[each] for each in weekly} == {each: before[each] for each in weekly}
    world.sweep(policy="weekly")
    assert world.left.isdisjoint({weekly[1]})
    assert weekly[0] in world.left
