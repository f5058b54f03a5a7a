"""What people hear of drills."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from caretaker import tags as tag
from caretaker.decisions import Result
from caretaker.incidents import MAX_TEXT, Check, Severity
from caretaker.settings import Mode
from tests.support.builders import a_volume, an_instance
from tests.support.drills import (
    DEFERRED,
    DONE,
    PLANNED,
    a_backup,
    a_drill_volume,
    a_proof,
    check,
    days_ago,
    ended,
    facts,
    failed,
    volume_id,
)

if TYPE_CHECKING:
    from caretaker.ec2 import Volume
    from caretaker.report import Findings


ONE, TWO = volume_id(1), volume_id(2)


def of(found: Findings, resource: str) -> list[Check]:
    return [each for each in found.checks if each.resource == resource]


def states(found: Findings, resource: str) -> set[bool | None]:
    """Return what a run says of a volume, all kinds of check together."""
    return {each.healthy for each in of(found, resource)}


def test_a_backup_that_is_not_what_it_has_to_be_is_critical() -> None:
    known = facts(a_volume(at="i-00000001"), a_backup(), an_instance(tags={"Name": "web-1"}))
    told = check(ended(known, failed()), "drill_failed")
    assert (told.healthy, told.severity, told.name) == (False, Severity.CRITICAL, "web-1")
    assert told.what == "backup not proven: a block's checksum is wrong"
    assert told.evidence["snapshot"] == "snap-00000001"
    assert told.evidence["message"] == "block 7"


@pytest.mark.parametrize(
    ("how", "healthy"), [(DONE, True), (DEFERRED, None), (failed("KMSDisabled"), False)]
)
def test_what_nobody_knows_is_neither_failed_nor_proven(
    how: dict[str, Any], *, healthy: bool | None
) -> None:
    assert check(ended(facts(a_volume(), a_backup()), how), "drill_failed").healthy is healthy


def test_what_the_role_may_not_do_is_told_once_and_says_nothing_of_the_backups() -> None:
    known = facts(*(a_volume(volume_id(n)) for n in (1, 2)), *(a_backup(n) for n in (1, 2)))
    found = ended(known, failed("AccessDeniedException"))
    assert {each.healthy for each in found.checks if each.kind == "drill_failed"} == {None}
    told = check(found, "drill_denied")
    assert (told.healthy, told.severity) == (False, Severity.WARNING)
    assert told.what == "2 backups not proven: AccessDeniedException"
    assert told.evidence["volumes"] == f"{ONE}, {volume_id(2)}"
    assert check(ended(known), "drill_denied").healthy is True
    assert check(ended(known, select={"volumes": [ONE]}), "drill_denied").healthy is None
    assert check(ended(known, DEFERRED), "drill_denied").healthy is None


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("checksum_wrong", "back up the volume anew"),
        ("partition_table_damaged", "restore from before 2026-11-20T03:00Z"),
        ("signature_damaged", "caretaker:keep=true"),
        ("signature_lost", "events/drill/accept-found.json"),
        ("first_partition_table_damaged", "gdisk"),
        ("volume_vanished", "KMS key"),
        ("KMSDisabledException", "KMS key"),
        ("judge_failed", "the judge's message"),
    ],
)
def test_what_is_to_be_done_depends_on_what_is_wrong(code: str, named: str) -> None:
    told = check(ended(facts(a_volume(), a_backup()), failed(code)), "drill_failed")
    assert named in told.next
    assert len(told.next) <= MAX_TEXT
    wants_anew = "back up the volume anew" in told.next
    assert wants_anew is (code == "checksum_wrong")


def test_what_linux_alone_does_not_read_is_a_warning() -> None:
    found = ended(facts(a_volume(), a_backup()), failed("first_partition_table_damaged"))
    told = check(found, "drill_failed")
    assert (told.healthy, told.severity) == (False, Severity.WARNING)


def test_the_slot_to_go_back_to_is_named() -> None:
    proof = a_proof(
        tried=0.1, proven=0.2, proven_slot="2026-11-20T21:37Z", proven_snapshot="snap-9"
    )
    told = check(ended(facts(a_volume(), a_backup(), proof), failed()), "drill_failed")
    assert told.evidence["last proven"] == (
        "slot 2026-11-20T21:37Z (snap-9), on 2026-11-20 22:12 UTC"
    )


def test_a_failure_stands_until_the_next_drill() -> None:
    bad = a_proof(tried=1, problem="checksum_wrong")
    other = a_volume(volume_id(2))
    found = ended(facts(a_volume(), a_backup(), bad, other, a_backup(2)), sample={"count": 1})
    judged = {each.resource: each.healthy for each in found.checks if each.kind == "drill_failed"}
    assert judged == {ONE: True, volume_id(2): True}
    known = facts(a_volume(), a_backup(), replace(bad, run_slot="2026-11-21T03:00Z"))
    assert check(ended(known), "drill_failed").healthy is None


@pytest.mark.parametrize(
    ("proven", "healthy", "oldest"), [(89, True, 89), (90, True, 90), (91, False, 91)]
)
def test_a_proof_grows_too_old(proven: int, *, healthy: bool, oldest: int) -> None:
    found = ended(facts(a_volume(), a_backup(), a_proof(tried=proven)), DEFERRED)
    assert check(found, "proof_too_old").healthy is healthy
    assert found.gauges == {"OldestProofAgeDays": oldest}


def test_what_was_proven_just_now_is_not_old() -> None:
    found = ended(facts(a_volume(), a_backup(), a_proof(tried=400)))
    assert (check(found, "proof_too_old").healthy, found.gauges) == (
        True,
        {"OldestProofAgeDays": 0},
    )


def test_where_drills_are_off_no_proof_grows_too_old() -> None:
    known = facts(a_volume(), a_backup(), a_proof(tried=400))
    assert check(ended(known, PLANNED, mode=Mode.REPORT), "proof_too_old").healthy is None


@pytest.mark.parametrize(
    ("since", "volume_days", "healthy"), [(200, 300, False), (10, 300, True), (200, 10, True)]
)
def test_what_was_never_proven_is_as_old_as_the_drills_or_itself(
    since: int, volume_days: int, *, healthy: bool
) -> None:
    volume = a_volume(age_hours=24 * volume_days)
    found = ended(facts(volume, a_backup(), since=days_ago(since)), DEFERRED)
    told = check(found, "proof_too_old")
    assert told.healthy is healthy
    assert told.what.startswith("never proven")


def test_without_the_table_nobody_knows_how_old_a_proof_is() -> None:
    found = ended(facts(a_volume(), a_backup(), table_reachable=False), DEFERRED)
    assert check(found, "proof_too_old").healthy is None
    assert (found.gauges, found.may_continue) == ({}, False)


@pytest.mark.parametrize(
    ("detail", "healthy"),
    [
        ({"seconds": 600}, True),
        ({"seconds": 601}, False),
        ({}, None),
        ({"deferred_by": "volume_creating", "waited_seconds": 300}, None),
        ({"deferred_by": "volume_creating", "waited_seconds": 700}, False),
    ],
)
def test_a_restore_is_held_against_its_objective(
    detail: dict[str, Any], *, healthy: bool | None
) -> None:
    result = Result.DEFERRED if "deferred_by" in detail else Result.DONE
    found = ended(
        facts(a_volume(), a_backup()),
        {"result": result, "detail": detail},
        how="volume",
        rto_minutes=10,
    )
    assert check(found, "rto_missed").healthy is healthy


@pytest.mark.parametrize(
    ("like", "what", "done"),
    [
        (
            {"result": Result.DONE, "detail": {"seconds": 120}},
            "available after 2.0 min, 1 are allowed",
            "it was deleted again",
        ),
        (
            {"result": Result.DONE, "detail": {"seconds": 120, "not_deleted": "VolumeInUse"}},
            "available after 2.0 min, 1 are allowed",
            "nothing: VolumeInUse kept it from being deleted",
        ),
        (
            {
                "result": Result.DEFERRED,
                "detail": {"deferred_by": "volume_creating", "waited_seconds": 300},
            },
            "not available after 5.0 min, 1 are allowed",
            "nothing: it is still being made, and the next run judges it",
        ),
    ],
)
def test_a_missed_objective_tells_what_became_of_the_volume(
    like: dict[str, Any], what: str, done: str
) -> None:
    found = ended(facts(a_volume(), a_backup()), like, how="volume", rto_minutes=1)
    told = check(found, "rto_missed")
    assert (told.what, told.done) == (what, done)


def test_blocks_say_nothing_of_the_objective() -> None:
    assert check(ended(facts(a_volume(), a_backup())), "rto_missed").healthy is None


@pytest.mark.parametrize(("how", "healthy"), [(DONE, True), (failed("VolumeInUse"), False)])
def test_what_cannot_be_swept_is_told(how: dict[str, Any], *, healthy: bool) -> None:
    found = ended(facts(a_drill_volume(expires_in_hours=-1)), how)
    assert check(found, "drill_leftover").healthy is healthy


@pytest.mark.parametrize(
    ("volume", "like", "named"),
    [
        (a_drill_volume(expires_in_hours=-1, at="i-00000001"), DONE, "detach it"),
        (a_drill_volume(tags={tag.EXPIRES_AT: "soon"}), DONE, "write a time"),
        (a_drill_volume(expires_in_hours=-1), failed("UnauthorizedOperation"), "its role"),
        (a_drill_volume(expires_in_hours=-30), PLANNED, "DrillMode"),
    ],
)
def test_what_is_to_be_done_of_what_is_left_depends_on_why_it_is(
    volume: Volume, like: dict[str, Any], named: str
) -> None:
    told = check(ended(facts(volume), like), "drill_leftover")
    assert told.healthy is False
    assert named in told.next


def test_what_somebody_attached_is_told_once_it_should_be_gone() -> None:
    found = ended(facts(a_drill_volume(expires_in_hours=-1, at="i-00000001")))
    told = check(found, "drill_leftover")
    assert (told.healthy, told.resource) == (False, volume_id(99))
    assert told.what == "a drill's volume is still there: in use"
    assert told.evidence["attached_to"] == "i-00000001 /dev/sdf"
    assert check(ended(facts(a_drill_volume(at="i-00000001"))), "drill_leftover").healthy is None


@pytest.mark.parametrize(("hours", "healthy"), [(1, None), (30, False)])
def test_what_nobody_sweeps_in_report_mode_is_told_a_day_later(
    hours: int, *, healthy: bool | None
) -> None:
    found = ended(facts(a_drill_volume(expires_in_hours=-hours)), PLANNED, mode=Mode.REPORT)
    assert check(found, "drill_leftover").healthy is healthy


@pytest.mark.parametrize(("days", "healthy"), [(0.5, None), (2, False), (None, None)])
def test_a_policy_without_any_backup_is_told_after_its_first_day(
    days: float | None, *, healthy: bool | None
) -> None:
    known = facts(a_volume(), since=None if days is None else days_ago(days))
    told = check(ended(known), "nothing_to_drill")
    assert (told.healthy, told.resource) == (healthy, "daily")
    assert ended(known).reason == "no_backups_of_policy"
    assert ended(facts(a_volume(), a_backup())).reason is None
    assert check(ended(facts(a_volume(), a_backup())), "nothing_to_drill").healthy is True


def test_the_summary_counts() -> None:
    known = facts(a_volume(), a_backup(), a_volume(volume_id(2)), a_backup(2), a_proof(2))
    found = ended(known, failed())
    assert found.summary == {
        "with_backup": 2,
        "planned": 0,
        "drilled": 2,
        "proven": 0,
        "failed": 2,
        "never_proven": 1,
        "OldestProofAgeDays": round(1000 / 24, 2),
    }


def test_what_was_only_planned_is_not_drilled() -> None:
    summary = ended(facts(a_volume(), a_backup()), PLANNED, mode=Mode.REPORT).summary
    assert (summary["planned"], summary["drilled"]) == (1, 0)


def test_every_failure_has_words() -> None:
    for code in ("volume_vanished", "judged_not_proven", "partition_table_damaged"):
        told = check(ended(facts(a_volume(), a_backup()), failed(code)), "drill_failed")
        assert "_" not in told.what
