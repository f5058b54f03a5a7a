"""Incomplete or implausible evidence: nothing is marked, unmarked or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import KilledError, killed_at
from tests.support.retention_needs import STRANGER
from tests.support.retention_world import RetentionWorld, a_world
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

WIDE: Final[dict[str, Any]] = {"blast_radius": {"count": 100, "percent": 50}}
LISTINGS: Final = (
    "DescribeSnapshots",
    "DescribeVolumes",
    "DescribeImages",
    "DescribeLaunchTemplateVersions",
    "DescribeAutoScalingGroups",
    "DescribeFastSnapshotRestores",
    "DescribeLockedSnapshots",
)


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account, in pages of two."""
    return a_world(cloud, clock, stack)


def busy(world: RetentionWorld) -> None:
    """Fill three pages of every listing, and let there be something to mark, unmark, delete."""
    account = world.account
    for _ in range(5):
        need = world.expired()
        account.image(need)
        account.scaling_group(account.launch_template([need]))
        account.fast_restore(need)
        account.lock(need)
    world.expired()
    world.expired(marked_hours_ago=49)
    world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})


def assert_untouched(world: RetentionWorld, before: Any, answer: dict[str, Any] | None) -> None:
    assert world.photograph() == before
    assert answer is None or answer["progress"] == 0


@pytest.mark.parametrize("operation", LISTINGS)
def test_a_listing_that_is_denied_on_any_page_fails_the_run_and_changes_nothing(
    world: RetentionWorld, cloud: StrictCloud, operation: str
) -> None:
    busy(world)
    before = world.photograph()
    for page in (1, 2, 3):
        fault = cloud.faults.add("denied", operation=operation, nth=page, times=None)
        answer = world.sweep()
        assert fault.fired
        assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
        assert_untouched(world, before, answer)
        cloud.faults.clear()
    assert kinds(world.stack.alerts()) == ["run_failed"]
    assert world.sweep()["counts"].keys() == {"mark", "unmark", "delete", "keep"}
    assert kinds(world.stack.alerts(), "OK") == ["run_failed"]


FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "unavailable", "times": None},
    {"kind": "never_arrived", "times": None},
    {"kind": "error", "code": "InvalidThing.NotFound"},
    {"kind": "error", "code": "InvalidNextToken"},
)


@pytest.mark.parametrize("operation", LISTINGS)
def test_a_listing_that_breaks_off_half_way_changes_nothing(
    world: RetentionWorld, cloud: StrictCloud, operation: str
) -> None:
    busy(world)
    before = world.photograph()
    for fault in FAULTS:
        cloud.faults.add(operation=operation, nth=2, **fault)
        answer = world.run()
        assert answer is None or answer["status"] == "failed"
        assert_untouched(world, before, answer)
        cloud.faults.clear()


def test_versions_of_a_group_that_cannot_be_read_change_nothing(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    old = world.expired(marked_hours_ago=49)
    template = world.account.launch_template([], [old], [])
    world.account.scaling_group(template, "2")
    cloud.faults.add("denied", operation="DescribeLaunchTemplateVersions", match="2", times=None)

    assert world.sweep()["status"] == "failed"
    assert old in world.left


@pytest.mark.parametrize("operation", ["Query", "PutItem"])
@pytest.mark.parametrize("kind", ["denied", "unavailable"])
def test_without_the_state_table_nothing_is_changed(
    world: RetentionWorld, cloud: StrictCloud, operation: str, kind: str
) -> None:
    busy(world)
    before = world.photograph()
    cloud.faults.add(kind, service="dynamodb", operation=operation, times=None)

    assert_untouched(world, before, world.run())


def test_items_that_a_listing_shows_twice_or_on_empty_pages_are_counted_once(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    busy(world)
    cloud.pages.repeat_last, cloud.pages.empty = True, frozenset({2})

    assert world.sweep()["summary"]["good_snapshots"] == 16


def test_no_volumes_where_there_were_some_refuse_the_run(world: RetentionWorld) -> None:
    volume, _ = world.volume(400, 401, 402)
    asked: dict[str, Any] = {"keep": {"last": 3}, "orphans_keep_days": 365}
    world.sweep(**asked)
    world.account.remove_volume(volume)

    answer = world.sweep(**asked)

    assert (answer["status"], answer["reason"]) == ("refused", "no_volumes_seen")
    assert world.marks == {}
    assert kinds(world.stack.alerts()) == ["retention_refused"]
    approved = world.sweep(approve=answer["plan_id"], **asked)
    assert approved["counts"]["mark"] == {"done": 2}
    assert world.sweep(**asked)["status"] == "ok"


def test_half_of_the_population_gone_refuses_the_run_until_a_person_says_so(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    cloud.pages.size = None
    _, (*old,) = world.volume(*range(2, 14))
    world.sweep(keep={"last": 10})
    for each in old[:7]:
        del world.account.backend.snapshots[each]

    answer = world.sweep(keep={"last": 2})

    assert (answer["status"], answer["reason"]) == ("refused", "population_halved")
    assert world.sweep(keep={"last": 2})["reason"] == "population_halved"
    assert set(world.marks) == set(old[10:])
    world.sweep(keep={"last": 2}, approve=answer["plan_id"])
    assert world.sweep(keep={"last": 2})["status"] == "ok"


def test_exactly_half_of_the_population_is_believed(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    cloud.pages.size = None
    _, old = world.volume(*range(2, 14))
    world.sweep(keep={"last": 12})
    for each in old[:6]:
        del world.account.backend.snapshots[each]

    assert world.sweep(keep={"last": 12})["status"] == "ok"


def test_what_a_plan_was_refused_for_is_all_that_its_approval_answers(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    cloud.pages.size = None
    volume, _ = world.volume(*range(2, 22))
    world.sweep(keep={"last": 20})
    first = world.sweep(keep={"last": 2})
    assert first["reason"] == "blast_radius"
    world.account.remove_volume(volume)

    answer = world.sweep(keep={"last": 2}, approve=first["plan_id"])

    assert (answer["status"], answer["reason"]) == ("refused", "no_volumes_seen")
    assert world.marks == {}


@pytest.mark.parametrize("killed", [None, 1, 4])
def test_own_deletions_are_no_halved_population(
    world: RetentionWorld, cloud: StrictCloud, killed: int | None
) -> None:
    cloud.pages.size = None
    _, due = world.volume(*range(2, 12))
    for each in due[3:]:
        world.mark(each, 49)
    if killed is None:
        world.sweep(**WIDE)
    else:
        with (
            killed_at(cloud, "DeleteSnapshot", killed, effective=True),
            pytest.raises(KilledError),
        ):
            world.sweep(**WIDE)
        world.later(hours=1)

    assert world.sweep(**WIDE)["status"] == "ok"
    assert world.ledger.problems == []


def test_a_report_by_hand_is_no_run_to_compare_with(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    cloud.pages.size = None
    _, due = world.volume(*range(2, 12))
    for each in due[3:]:
        world.mark(each, 49)
    world.sweep(keep={"last": 3}, **WIDE)
    world.volume(*range(2, 5))
    world.sweep(keep={"last": 3}, mode="report")

    assert world.sweep(keep={"last": 3})["status"] == "ok"


def test_one_share_that_cannot_be_asked_for_keeps_just_that_snapshot(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    hidden, free = (world.expired(marked_hours_ago=49) for _ in range(2))
    world.account.share(hidden, STRANGER)
    cloud.faults.add("denied", operation="DescribeSnapshotAttribute", match=hidden, times=None)

    world.sweep()

    assert hidden in world.left
    assert free not in world.left
