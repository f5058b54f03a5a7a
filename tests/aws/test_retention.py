"""What happens to backups as time passes: judged, marked, and two days later deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.slots import slot_of
from tests.support.retention_world import RetentionWorld, a_world, verdict, verdicts
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    return a_world(cloud, clock, stack)


def by_age(world: RetentionWorld, snapshots: set[str]) -> list[int]:
    """Return the ages in days."""
    known, now = world.ledger.snapshots(), world.clock.now()
    return sorted((now - known[each].started).days for each in snapshots)


def test_three_months_of_daily_backups_are_judged_marked_and_two_days_later_deleted(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    cloud.pages.size = None
    world.volume(*range(91))
    keep = {"daily": 70, "weekly": 12, "monthly": 4}

    first = world.sweep(keep=keep)

    # 2026-11-21 is a Saturday. Sundays are the newest of their week; the last days of August and
    # September are 82 and 52 days ago, and 70 days are kept one by one.
    stays = {*range(70), 76, 82}
    going = set(range(91)) - stays
    assert first["counts"] == {"mark": {"done": len(going)}, "keep": {"unchanged": len(stays)}}
    assert by_age(world, set(world.marks)) == sorted(going)
    assert set(world.marks.values()) == {"2026-11-23T03:00:00Z"}

    world.later(hours=47.9)
    assert world.sweep(keep=keep)["counts"] == {"keep": {"unchanged": 91}}
    world.later(hours=0.1)
    last = world.sweep(keep=keep)

    assert last["counts"]["delete"] == {"done": len(going)}
    assert by_age(world, world.left) == sorted(each + 2 for each in stays)
    assert world.marks == {}
    assert world.stack.alerts() == []


def test_the_report_says_why_each_stays_or_goes_and_what_that_saves(world: RetentionWorld) -> None:
    volume = world.account.volume(size=100)
    old, due, new = world.backups(volume, (30, 20, 1))
    world.mark(due, 10)
    world.account.bin_rule(14, tags={"caretaker:managed-by": "caretaker"})

    answer = world.sweep()

    assert verdicts(answer) == {
        old: ("mark", "expired"),
        due: ("keep", "marked"),
        new: ("keep", "kept_by_rule"),
    }
    assert answer["summary"] == {
        "good_snapshots": 3,
        "marks": 1,
        "deletions": 0,
        "waiting": 1,
        "gib_at_most": 200,
        "saving_per_month_at_most": 10.0,
        "recycle_bin_days": 14,
    }
    head, *items = world.stack.report(answer)
    assert head["summary"] == answer["summary"]
    details = {item["target"]: item["detail"] for item in items}
    assert details[old]["saving_per_month"] == 5.0
    assert details[old]["delete_after"] == "2026-11-23T03:00:00Z"
    assert details[due]["because"] == "expired"
    assert details[new] == {
        "volume": volume,
        "started": "2026-11-20T03:00:00Z",
        "gib": 100,
        "rules": ["last 1"],
    }


@pytest.mark.parametrize("days", [0, 2], ids=["marks", "deletions"])
def test_report_mode_decides_the_same_and_changes_nothing(world: RetentionWorld, days: int) -> None:
    old = world.expired(marked_hours_ago=49 if days else None)
    kept = world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})
    shared = world.expired()
    world.account.share(shared)
    before = world.photograph()

    told = world.sweep(mode="report")

    assert world.photograph() == before
    assert told["counts"]["unmark"] == {"planned": 1}
    done = world.sweep()
    assert verdicts(told) == verdicts(done)
    assert told["plan_id"] == done["plan_id"]
    assert {old, kept} == set.union(*world.ledger.done.values())
    assert verdict(done, shared) == ("keep", "shared", "unchanged")


def test_the_same_run_twice_changes_nothing_the_second_time(world: RetentionWorld) -> None:
    world.expired()
    world.expired(marked_hours_ago=49)
    world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})
    world.sweep()
    before = world.photograph()

    again = world.sweep()

    assert set(again["counts"]) == {"keep"}
    assert world.photograph() == before


def test_a_failed_backup_goes_at_once_when_a_good_one_followed_and_else_stays(
    world: RetentionWorld,
) -> None:
    volume, _ = world.volume(2)
    old = world.backup(volume, 5, state="error", slot="2026-11-16T03:00Z")
    young = world.backup(volume, 0.9, state="error")
    alone = world.backup(world.account.volume(), 9, state="error")
    pending = world.backup(volume, 6, state="pending")

    answer = world.sweep()

    assert world.ledger.done == {"mark": set(), "unmark": set(), "delete": {old}}
    assert verdict(answer, young) == ("keep", "newest_failed", "unchanged")
    assert verdict(answer, alone) == ("keep", "newest_failed", "unchanged")
    assert verdict(answer, pending) == ("keep", "pending", "unchanged")


def test_a_failed_backup_of_today_waits_for_its_first_day_though_a_good_one_followed(
    world: RetentionWorld,
) -> None:
    volume, _ = world.volume(0.1)
    failed = world.backup(volume, 0.9, state="error")

    assert verdict(world.sweep(), failed) == ("keep", "too_young", "unchanged")


def test_a_second_backup_of_a_slot_is_a_spare_and_the_newest_of_it_stays(
    world: RetentionWorld,
) -> None:
    volume, slot = world.account.volume(), slot_of(world.clock.now() - timedelta(days=2))
    first, second, third = (world.backup(volume, d, slot=slot) for d in (2, 1.9, 1.8))

    answer = world.sweep(keep={"last": 3})

    assert verdicts(answer) == {
        first: ("mark", "spare"),
        second: ("mark", "spare"),
        third: ("keep", "kept_by_rule"),
    }


def test_rules_count_slots_of_each_volume_and_of_their_own_policy_alone(
    world: RetentionWorld,
) -> None:
    _, (a1, a2, a3) = world.volume(2, 3, 4)
    _, (b1, b2) = world.volume(5, 9)
    volume, (c1,) = world.volume(2)
    hourly = world.backups(volume, (3, 4), policy="hourly")

    answer = world.sweep(keep={"last": 2})

    assert {each for each, (action, _) in verdicts(answer).items() if action == "mark"} == {a3}
    assert {verdict(answer, each)[1] for each in (a1, a2, b1, b2, c1)} == {"kept_by_rule"}
    assert {verdict(answer, each) for each in hourly} == {("skip", "other_policy", "unchanged")}


def test_the_last_good_one_of_a_volume_stays_over_all_policies(world: RetentionWorld) -> None:
    lone, (last,) = world.volume(100)
    rich, (old,) = world.volume(100)
    world.backup(rich, 50, policy="weekly")
    for volume in (lone, rich):
        world.account.remove_volume(volume)

    answer = world.sweep(orphans_keep_days=30)

    assert verdict(answer, last) == ("keep", "last_good", "unchanged")
    assert verdict(answer, old) == ("mark", "orphan_expired", "done")


def test_rules_hold_for_a_volume_that_is_gone_until_its_newest_is_old_enough(
    world: RetentionWorld,
) -> None:
    volume, (new, second, old) = world.volume(28, 29, 30)
    world.account.remove_volume(volume)
    asked: dict[str, Any] = {"keep": {"last": 2}, "orphans_keep_days": 30}

    assert verdicts(world.sweep(**asked)) == {
        new: ("keep", "kept_by_rule"),
        second: ("keep", "kept_by_rule"),
        old: ("mark", "expired"),
    }
    world.later(days=2)
    assert verdicts(world.sweep(**asked)) == {
        new: ("keep", "last_good"),
        second: ("mark", "orphan_expired"),
        old: ("delete", "orphan_expired"),
    }
    world.later(days=2)
    world.sweep(**asked)
    assert world.left == {new}


def test_without_a_limit_the_rules_hold_for_ever_though_the_volume_is_gone(
    world: RetentionWorld,
) -> None:
    volume, (new, second, old) = world.volume(1000, 1001, 1002)
    world.account.remove_volume(volume)

    world.sweep(keep={"last": 2})

    assert set(world.marks) == {old}
    assert {new, second} <= world.left


def test_a_restored_volume_goes_on_with_the_lineage_of_its_origin(world: RetentionWorld) -> None:
    origin, (source, older) = world.volume(4, 5)
    world.account.remove_volume(origin)
    restored = world.account.volume(tags={"caretaker:restored-from": source})
    first = world.backup(restored, 2)

    answer = world.sweep(keep={"last": 2}, orphans_keep_days=1)

    assert verdict(answer, first)[:2] == ("keep", "kept_by_rule")
    assert verdict(answer, source)[:2] == ("keep", "kept_by_rule")
    assert verdict(answer, older) == ("mark", "expired", "done")


def test_a_lineage_is_not_over_as_long_as_a_restored_volume_lives(world: RetentionWorld) -> None:
    origin, (source, older) = world.volume(400, 401)
    world.account.remove_volume(origin)
    world.account.volume(tags={"caretaker:restored-from": source})

    answer = world.sweep(keep={"last": 2}, orphans_keep_days=365)

    assert {verdict(answer, each)[1] for each in (source, older)} == {"kept_by_rule"}


def test_a_backup_that_nobody_may_change_is_told_of_and_the_others_go_on(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    stuck, free = world.expired(), world.expired()
    cloud.faults.add("denied", operation="DescribeSnapshotAttribute", match=stuck, times=None)

    answer = world.sweep()

    assert answer["status"] == "partial"
    assert verdict(answer, stuck) == ("mark", "expired", "failed")
    assert set(world.marks) == {free}
    assert kinds(world.stack.alerts()) == ["snapshot_unchangeable"]
    cloud.faults.clear()
    world.sweep(mode="report")
    assert world.stack.alerts() == []
    world.sweep()
    assert kinds(world.stack.alerts(), "OK") == ["snapshot_unchangeable"]
    assert set(world.marks) == {stuck, free}
