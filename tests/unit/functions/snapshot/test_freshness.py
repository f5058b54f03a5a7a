from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from caretaker.decisions import Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.request import parse_request
from functions.snapshot.freshness import KINDS, STUCK_HOURS, Backups, judge_backups
from functions.snapshot.plan import Facts, plan_snapshots
from functions.snapshot.request import SnapshotRequest
from tests.support.builders import (
    BACKED_UP,
    NOW,
    SLOT,
    a_failed_snapshot,
    a_snapshot,
    a_volume,
    an_instance,
    facts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VOLUME = "vol-00000001"
DENIED = {"code": "UnauthorizedOperation", "message": "not allowed", "request_id": "r"}


def judge(known: Facts, *, error: Mapping[str, str] | None = None, **asked: Any) -> Backups:
    """Judge after a run in which every change was done, or failed with `error`."""
    request = parse_request(SnapshotRequest, asked)
    result = Result.FAILED if error else Result.DONE
    outcomes = [
        Outcome(
            d, result if d.is_change else Result.UNCHANGED, error=error if d.is_change else None
        )
        for d in plan_snapshots(known, request, slot=SLOT)
    ]
    return judge_backups(known, outcomes, request, now=NOW)


def check(backups: Backups, kind: str) -> Check:
    (found,) = [each for each in backups.checks if each.kind == kind]
    return found


def test_judges_every_selected_volume_and_no_other() -> None:
    ignored = a_volume("vol-00000003", tags={**BACKED_UP, tag.IGNORE: ""})
    backups = judge(facts(a_volume(), a_volume("vol-00000002", tags={}), ignored))

    judged = {each.resource for each in backups.checks if each.kind == "backup_stale"}
    assert judged == {VOLUME}
    assert backups.judged == KINDS


@pytest.mark.parametrize(("age", "healthy"), [(29, True), (30, True), (30.1, False), (500, False)])
def test_a_backup_is_stale_above_the_allowed_age(age: float, *, healthy: bool) -> None:
    backups = judge(facts(a_volume(), a_snapshot(age_hours=age)))

    assert check(backups, "backup_stale").healthy is healthy
    assert check(backups, "backup_stale").severity is Severity.CRITICAL
    assert backups.gauges == {"NewestBackupAgeHours": pytest.approx(age, abs=0.02)}


def test_the_allowed_age_is_the_event_s() -> None:
    assert (
        check(judge(facts(a_volume(), a_snapshot()), max_age_hours=23), "backup_stale").healthy
        is False
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["error", "pending", "recovering"]), st.integers(0, 90))))
def test_only_completed_snapshots_are_fresh(others: list[tuple[str, int]]) -> None:
    bad = [
        a_snapshot(f"snap-1{n:07x}", state=state, age_hours=age)
        for n, (state, age) in enumerate(others)
    ]

    backups = judge(facts(a_volume(), a_snapshot(age_hours=31), *bad))

    assert check(backups, "backup_stale").healthy is False
    assert backups.gauges["NewestBackupAgeHours"] == 31


@pytest.mark.parametrize(
    ("volume_age", "policy_age", "age"),
    [(1000, None, 1000), (1000, 2, 2), (5, 100, 5)],
    ids=["no known policy", "new policy", "new volume"],
)
def test_a_volume_without_a_backup_is_as_old_as_itself_or_the_policy(
    volume_age: float, policy_age: float | None, age: float
) -> None:
    since = None if policy_age is None else NOW - timedelta(hours=policy_age)
    backups = judge(facts(a_volume(age_hours=volume_age), policy_since=since))

    assert backups.gauges["NewestBackupAgeHours"] == age


def test_a_volume_without_a_backup_is_a_warning_once_the_policy_is_older() -> None:
    known = facts(a_volume(), policy_since=NOW - timedelta(hours=31))

    stale = check(judge(known), "backup_stale")

    assert (stale.healthy, stale.severity) == (False, Severity.WARNING)
    assert stale.what == "no backup yet"


def test_without_the_table_a_volume_without_a_backup_is_not_judged() -> None:
    known = facts(a_volume(), table_reachable=False)

    assert check(judge(known), "backup_stale").healthy is None


def test_the_metric_is_the_worst_of_the_policy() -> None:
    known = facts(
        a_volume("vol-00000001"),
        a_volume("vol-00000002"),
        a_snapshot("snap-00000001", of="vol-00000001", age_hours=7),
        a_snapshot("snap-00000002", of="vol-00000002", age_hours=9),
    )

    assert judge(known).gauges == {"NewestBackupAgeHours": 9}


@pytest.mark.parametrize(("age", "healthy"), [(STUCK_HOURS, True), (STUCK_HOURS + 1, False)])
def test_a_snapshot_pending_for_more_than_a_day_is_stuck(age: int, *, healthy: bool) -> None:
    stuck = check(
        judge(facts(a_volume(), a_snapshot(state="pending", age_hours=age))), "snapshot_stuck"
    )

    assert stuck.healthy is healthy
    assert stuck.evidence == {"snapshots": "" if healthy else "snap-00000001"}


def test_a_failure_is_an_incident_with_its_error() -> None:
    failed = check(judge(facts(a_volume()), error=DENIED), "backup_failed")

    assert failed.healthy is False
    assert failed.severity is Severity.WARNING
    assert failed.what == "snapshot failed: UnauthorizedOperation"
    assert failed.evidence["error"] == "UnauthorizedOperation: not allowed"
    assert failed.evidence["newest good snapshot"] == "none"
    assert failed.done == "attempt 1 of this slot"


def test_a_third_failed_slot_in_a_row_is_critical() -> None:
    row = dict.fromkeys(["2026-11-18T03:00Z", "2026-11-19T03:00Z", "2026-11-20T03:00Z"], 1)

    failed = check(
        judge(facts(a_volume(), failed_attempts={VOLUME: row}), error=DENIED), "backup_failed"
    )

    assert failed.severity is Severity.CRITICAL
    assert "no more retakes" in failed.next
    assert failed.evidence["failed slots in a row"].count(",") == 2


def test_a_failure_is_over_once_a_good_snapshot_is_newer() -> None:
    known = facts(
        a_volume(),
        a_snapshot(age_hours=24),
        failed_attempts={VOLUME: {"2026-11-19T03:00Z": 1}},
    )

    over = check(judge(known), "backup_failed")

    assert over.healthy is True
    assert over.evidence["newest good snapshot"] == "snap-00000001 of 2026-11-20 03:00 UTC"


def test_a_failure_is_over_once_its_own_slot_has_a_good_snapshot() -> None:
    good = a_snapshot(age_hours=24)
    known = facts(a_volume(), good, failed_attempts={VOLUME: {good.slot: 2}})

    assert check(judge(known), "backup_failed").healthy is True


@pytest.mark.parametrize(
    "known",
    [
        facts(a_volume()),
        facts(a_volume(), a_failed_snapshot()),
        facts(a_volume(), a_snapshot(), failed_attempts={VOLUME: {SLOT: 1}}),
    ],
    ids=["no backup yet", "being retaken", "failed since the good one"],
)
def test_a_snapshot_that_is_only_accepted_ends_no_failure(known: Facts) -> None:
    assert check(judge(known), "backup_failed").healthy is None


def test_judges_without_the_table() -> None:
    backups = judge(facts(a_volume(), a_snapshot(), table_reachable=False))

    assert check(backups, "backup_failed").healthy is True


def test_names_a_volume_by_its_own_name_or_its_instance_s() -> None:
    web = an_instance(tags={"Name": "web-1"})
    mine = a_volume("vol-00000001", at=web.id, tags={**BACKED_UP, "Name": "data"})
    plain = a_volume("vol-00000002", at=[web.id, "i-00000009"])
    nobody = a_volume("vol-00000003")

    backups = judge(facts(mine, plain, nobody, web))

    names = {each.resource: each.name for each in backups.checks if each.kind == "backup_stale"}
    assert names == {"vol-00000001": "data", "vol-00000002": "web-1", "vol-00000003": ""}


@pytest.mark.parametrize(("tags", "healthy"), [(BACKED_UP, True), ({}, False)])
def test_a_policy_that_selects_nothing_is_an_incident(
    tags: dict[str, str], *, healthy: bool
) -> None:
    backups = judge(facts(a_volume(tags=tags)))

    assert check(backups, "nothing_selected").healthy is healthy
    assert "NewestBackupAgeHours" in backups.gauges


def test_a_retake_judges_only_what_it_retook_and_measures_nothing() -> None:
    known = facts(a_volume(), a_volume("vol-00000002"), a_failed_snapshot())

    backups = judge(known, scheduled_time=SLOT, retake=[VOLUME])

    assert {each.resource for each in backups.checks} == {VOLUME}
    assert backups.judged == frozenset()
    assert backups.gauges == {}


@pytest.mark.parametrize("age", [20, 170])
def test_a_retake_does_not_judge_staleness_as_it_does_not_know_the_policy_s_limit(age: int) -> None:
    known = facts(a_volume(), a_snapshot(age_hours=age), a_failed_snapshot())

    backups = judge(known, scheduled_time=SLOT, retake=[VOLUME])

    assert {each.healthy for each in backups.checks if each.kind == "backup_stale"} <= {None}
