from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from functions.retention.case import Case, open_case, reason_not_ours
from functions.retention.facts import Action, Facts, Reason
from functions.retention.gates import closed_gate, why_it_goes
from tests.support.builders import NOW
from tests.support.retention import (
    NEW,
    OLD,
    VOLUME,
    a_backup,
    a_disk,
    ask,
    backups,
    evidence,
    planned,
    verdicts,
)

OTHER = "vol-00000002"
DAYS = tuple(f"2026-11-{day}T03:00Z" for day in (20, 19, 18, 17, 16))


def case_of(known: Facts, **asked: object) -> Case:
    return open_case(known, ask(**asked), NOW)  # type: ignore[arg-type]


def going(case: Case) -> dict[str, str]:
    """Return what no gate keeps, and why it goes."""
    free = (s for s in case.facts.snapshots if closed_gate(s, case) is None)
    return {snapshot.id: why_it_goes(snapshot, case) for snapshot in free}


def test_the_rules_count_each_volume_by_itself() -> None:
    mine, others = backups(*DAYS[:3]), backups(*DAYS[2:], of=OTHER, first=4)

    case = case_of(evidence(*mine, *others), keep={"last": 2})

    assert case.kept == {
        mine[0].id: ("last 1",),
        mine[1].id: ("last 2",),
        others[0].id: ("last 1",),
        others[1].id: ("last 2",),
    }
    assert case.good == 6


def test_the_rules_count_each_policy_by_itself() -> None:
    daily, weekly = backups(*DAYS[2:]), backups(*DAYS[:2], policy="weekly", first=4)

    case = case_of(evidence(*daily, *weekly))

    assert case.kept == {daily[0].id: ("last 1",)}
    assert case.good == 3


@pytest.mark.parametrize("state", ["pending", "error", "recoverable"])
def test_the_rules_count_only_good_ones(state: str) -> None:
    bad, good = a_backup(NEW, days=2, state=state), a_backup(days=40)

    case = case_of(evidence(bad, good))

    assert case.kept == {good.id: ("last 1",)}
    assert case.newest == {VOLUME: good}
    assert case.good == 1


def test_what_was_not_made_here_counts_for_nothing() -> None:
    foreign, good = a_backup(NEW, days=2, description="x"), a_backup(days=40)

    case = case_of(evidence(foreign, good))

    assert case.kept == {good.id: ("last 1",)}
    assert case.newest == {VOLUME: good}
    assert case.good == 1


def test_a_slot_from_the_future_pushes_out_no_real_one() -> None:
    future, good = a_backup(NEW, days=2, slot="2099-01-01T00:00Z"), a_backup(days=40)

    assert case_of(evidence(future, good)).kept == {good.id: ("last 1",)}


def test_an_archived_snapshot_counts_and_stays() -> None:
    archived, old = a_backup(NEW, days=2, tier="archive"), a_backup()

    case = case_of(evidence(archived, old))

    assert going(case) == {old.id: Reason.EXPIRED}


def test_a_second_snapshot_of_a_slot_is_a_spare() -> None:
    first, second = a_backup(days=2), a_backup(NEW, days=1.9, slot="2026-11-19T03:00Z")

    case = case_of(evidence(first, second), keep={"last": 5})

    assert case.kept == {second.id: ("last 1",)}
    assert going(case) == {first.id: Reason.SPARE}


def test_spares_never_push_out_another_slot() -> None:
    double = [a_backup(f"snap-0000000{n}", days=2) for n in range(3, 7)]
    known = evidence(a_backup(days=3), *double)

    assert set(case_of(known, keep={"last": 2}).kept) == {OLD, "snap-00000006"}


def test_of_snapshots_started_at_once_the_one_with_the_highest_id_stays() -> None:
    for order in permutations([a_backup(f"snap-0000000{n}", days=2) for n in (1, 2, 3)]):
        case = case_of(evidence(*order))

        assert set(case.kept) == {"snap-00000003"}
        assert case.spares == {"snap-00000001", "snap-00000002"}
        assert case.newest[VOLUME].id == "snap-00000003"


def test_the_same_slot_of_two_volumes_is_no_spare() -> None:
    case = case_of(evidence(a_backup(days=2), a_backup(NEW, days=2, of=OTHER)))

    assert set(case.kept) == {OLD, NEW}
    assert case.spares == frozenset()


def test_a_spare_of_an_expired_slot_goes_as_a_spare() -> None:
    old, spare = a_backup(days=40), a_backup("snap-00000003", days=40.1, slot="2026-10-12T03:00Z")
    case = case_of(evidence(old, spare, a_backup(NEW, days=2)))

    assert going(case) == {old.id: Reason.EXPIRED, spare.id: Reason.SPARE}


def test_a_failed_snapshot_goes_because_it_failed() -> None:
    known = evidence(a_backup(state="error"), a_backup(NEW, days=2))

    assert going(case_of(known)) == {OLD: Reason.FAILED}


def test_the_last_good_snapshot_may_be_of_another_policy() -> None:
    daily, weekly = a_backup(days=3), a_backup(NEW, days=2, policy="weekly")
    known = evidence(daily, weekly, disks=[a_disk(OTHER)])

    case = case_of(known, orphans_keep_days=1)
    of_weekly = case_of(known, policy="weekly", orphans_keep_days=1)

    assert going(case) == {daily.id: Reason.ORPHAN_EXPIRED}
    assert going(of_weekly) == {}, "one of the two has to stay"


def test_volume_gone_the_rules_go_on() -> None:
    case = case_of(evidence(*backups(*DAYS), disks=[a_disk(OTHER)]), keep={"last": 3})

    assert len(case.kept) == 3
    assert len(going(case)) == 2
    assert case.orphans == frozenset()


@pytest.mark.parametrize(
    ("days", "later", "over"),
    [
        (0, timedelta(days=36_500), False),
        (1, timedelta(seconds=-1), False),
        (1, timedelta(0), True),
        (3, timedelta(days=2, seconds=-1), False),
        (3, timedelta(days=2), True),
    ],
    ids=str,
)
def test_volume_gone_the_rules_end_so_many_days_after_the_newest_slot(
    days: int, later: timedelta, *, over: bool
) -> None:
    made = backups(*DAYS[:3])  # the newest a day before NOW
    known = evidence(*made, disks=[a_disk(OTHER)])

    case = open_case(known, ask({"last": 3}, orphans_keep_days=days), NOW + later)

    everything = {snapshot.id for snapshot in made}
    assert set(case.kept) == (set() if over else everything)
    assert case.orphans == (everything if over else set())


def test_volume_gone_for_long_the_last_good_one_still_stays() -> None:
    made = backups(*DAYS)

    case = case_of(evidence(*made, disks=[a_disk(OTHER)]), orphans_keep_days=1)

    assert case.kept == {}
    assert going(case) == {s.id: Reason.ORPHAN_EXPIRED for s in made[1:]}


def test_a_spare_of_a_volume_that_is_gone_goes_as_a_spare() -> None:
    first, second = a_backup(days=3), a_backup(NEW, days=2.9, slot="2026-11-18T03:00Z")

    case = case_of(evidence(first, second, disks=[a_disk(OTHER)]), orphans_keep_days=1)

    assert case.orphans == {second.id}
    assert going(case) == {first.id: Reason.SPARE}


def test_a_volume_that_exists_is_no_orphan_however_old_its_backups() -> None:
    known = evidence(*backups("2020-01-02T03:00Z", "2020-01-01T03:00Z"))

    case = case_of(known, keep={"last": 2}, orphans_keep_days=1)

    assert len(case.kept) == 2
    assert case.orphans == frozenset()


def test_a_restored_volume_continues_the_lineage() -> None:
    before, after = backups(*DAYS[2:]), backups(*DAYS[:2], of=OTHER, first=4)
    disks = [a_disk(OTHER, restored_from=before[0].id)]

    case = case_of(evidence(*before, *after, disks=disks), keep={"last": 3}, orphans_keep_days=1)

    assert set(case.kept) == {*(s.id for s in after), before[0].id}
    assert set(going(case)) == {s.id for s in before[1:]}


def test_a_lineage_lives_on_in_a_volume_that_has_no_snapshot_yet() -> None:
    before = backups(*DAYS)
    disks = [a_disk(OTHER, restored_from=before[0].id)]

    case = case_of(evidence(*before, disks=disks), keep={"last": 3}, orphans_keep_days=1)

    assert case.orphans == frozenset()
    assert len(case.kept) == 3


def test_the_same_slot_stays_for_both_volumes_of_a_lineage() -> None:
    before, after = backups(*DAYS[:2]), backups(*DAYS[:2], of=OTHER, first=4)
    disks = [a_disk(), a_disk(OTHER, restored_from=before[1].id)]

    case = case_of(evidence(*before, *after, disks=disks))

    assert set(case.kept) == {before[0].id, after[0].id}


def test_each_volume_of_a_lineage_has_a_last_good_one_of_its_own() -> None:
    before, after = backups(*DAYS[2:]), backups(*DAYS[:2], of=OTHER, first=4)
    disks = [a_disk(OTHER, restored_from=before[0].id)]

    plan = planned(evidence(*before, *after, disks=disks))

    assert verdicts(plan)[before[0].id] == (Action.KEEP, Reason.LAST_GOOD)


@pytest.mark.parametrize("slot", ["2026-11-8T3:0Z", "0001-11-08T03:00Z", "2026-11-08T3:00Z"])
def test_a_slot_that_we_would_have_written_otherwise_is_not_ours(slot: str) -> None:
    odd = a_backup(days=10, slot=slot)

    assert reason_not_ours(odd, evidence(odd)) == Reason.SLOT_UNREADABLE


@pytest.mark.parametrize(
    ("slot", "reason"),
    [("2000-01-01T00:00Z", None), ("1999-12-31T23:59Z", Reason.SLOT_UNREADABLE)],
)
def test_no_slot_is_of_another_century(slot: str, reason: Reason | None) -> None:
    old = a_backup(days=10, slot=slot)

    assert reason_not_ours(old, evidence(old)) == reason


def test_the_case_keeps_what_it_was_opened_with() -> None:
    known, request = evidence(a_backup()), ask()

    case = open_case(known, request, NOW)

    assert (case.facts, case.request, case.now) == (known, request, NOW)
    assert case.shared == frozenset()
