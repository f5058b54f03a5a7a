"""What people must know of a run, and what is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.fleet.ends import unanswered
from functions.fleet.facts import Reason
from functions.fleet.manifest import Unreached
from tests.support.fleets import NINE, RUN, answered, ends_of, judged, refused

if TYPE_CHECKING:
    from caretaker.incidents import Check
    from caretaker.report import Findings

A, B, _ = (cell.account for cell in NINE[::3])
HERE: Final = NINE[0]
CELL_KINDS: Final = {
    *("cell_unanswered", "cell_failed", "cell_refused", "cell_unfinished", "region_unreachable")
}
SHUT: Final = {"code": "AccessDenied", "message": "role not taken on", "request_id": ""}
OFF: Final = {"code": "RegionDisabled", "message": "not enabled", "request_id": ""}


def bad(findings: Findings) -> list[str]:
    """Return what is told, as `kind/resource`."""
    return sorted(check.key for check in findings.checks if check.healthy is False)


def verdict_on(findings: Findings, kind: str, resource: str) -> bool | None:
    """Return whether a resource is known to be healthy; None where nobody says so."""
    found = [c for c in findings.checks if (c.kind, c.resource) == (kind, resource)]
    assert len(found) <= 1, "each is judged once"
    return found[0].healthy if found else None


def the_check(findings: Findings, kind: str) -> Check:
    (found,) = [each for each in findings.checks if each.kind == kind and each.healthy is False]
    return found


def everywhere(account: str, status: str) -> list[dict[str, Any]]:
    return [answered(cell, status) for cell in NINE if cell.account == account]


def regions(account: str) -> list[str]:
    return [cell.name for cell in NINE if cell.account == account]


# What is told.


def test_a_run_in_which_all_went_well_has_nothing_to_tell() -> None:
    assert bad(judged({})) == []


@pytest.mark.parametrize(
    ("answer", "kind", "severity"),
    [
        (answered(HERE, "failed"), "cell_failed", Severity.WARNING),
        (refused(HERE), "cell_refused", Severity.WARNING),
        (answered(HERE, "partial", complete=False), "cell_unfinished", Severity.WARNING),
        (answered(HERE, "unreachable"), "region_unreachable", Severity.WARNING),
    ],
)
def test_a_cell_that_ended_otherwise_is_told_by_its_name(
    answer: dict[str, Any], kind: str, severity: Severity
) -> None:
    findings = judged(ends_of(answer))

    assert bad(findings) == [f"{kind}/{HERE.name}"]
    assert the_check(findings, kind).severity is severity


def test_a_cell_of_which_nobody_knows_wakes_people() -> None:
    findings = judged({HERE: unanswered(HERE)})

    assert bad(findings) == [f"cell_unanswered/{HERE.name}"]
    assert the_check(findings, "cell_unanswered").severity is Severity.CRITICAL


def test_items_that_failed_in_a_cell_are_told_by_that_cell_s_own_incidents() -> None:
    assert bad(judged(ends_of(answered(HERE, "partial")))) == []


def test_what_is_told_says_which_run_of_what_and_why() -> None:
    named = judged(ends_of(answered(HERE, "failed")), names={A: "shop"})
    check = the_check(named, "cell_failed")

    assert (check.name, check.what) == ("shop", "snapshot: its run could decide nothing")
    assert check.evidence["run"] == RUN
    assert check.evidence["listing_failed"].startswith("DescribeVolumes: AccessDenied")
    assert check.cause == "listing_failed", "what has one cause is told as one"


def test_an_account_that_lets_nobody_in_is_one_thing_to_tell_and_not_one_for_each_region() -> None:
    findings = judged(ends_of(*everywhere(A, "unreachable")))

    assert bad(findings) == [f"account_unreachable/{A}"]
    assert the_check(findings, "account_unreachable").evidence["error"].startswith("listing_failed")


def test_one_region_that_lets_nobody_in_says_nothing_of_its_account() -> None:
    findings = judged(ends_of(answered(HERE, "unreachable")))

    assert verdict_on(findings, "account_unreachable", A) is True
    assert verdict_on(findings, "region_unreachable", NINE[1].name) is True


def test_an_account_that_could_not_be_asked_when_the_run_was_planned_is_told() -> None:
    away = Unreached("999999999999", "", Reason.UNREACHABLE, SHUT)
    findings = judged({}, unreached=[away], names={"999999999999": "gone away"})

    assert bad(findings) == ["account_unreachable/999999999999"]
    check = the_check(findings, "account_unreachable")
    assert (check.name, check.cause) == ("gone away", "AccessDenied")
    assert check.severity is Severity.CRITICAL
    assert check.evidence["error"] == "AccessDenied: role not taken on"


def test_a_region_that_is_not_enabled_is_told_beside_the_account_s_others() -> None:
    off = Unreached(A, "eu-south-1", Reason.REGION_DISABLED, OFF)
    findings = judged({}, unreached=[off])

    assert bad(findings) == [f"region_unreachable/{A}/eu-south-1"]
    assert verdict_on(findings, "account_unreachable", A) is True


def test_incidents_that_cells_could_not_hand_on_are_told_as_a_number() -> None:
    findings = judged(ends_of(answered(HERE, untold=2), answered(NINE[4], untold=1)))

    assert bad(findings) == ["cells_untold/snapshot-daily"]
    assert "3 incident(s)" in the_check(findings, "cells_untold").what


@pytest.mark.parametrize(
    ("mode", "severity"), [(Mode.ACT, Severity.CRITICAL), (Mode.REPORT, Severity.WARNING)]
)
def test_a_run_that_was_stopped_is_told_with_what_stopped_it(
    mode: Mode, severity: Severity
) -> None:
    findings = judged(ends_of(answered(HERE, "failed")), stopped="2 canaries", mode=mode)
    check = the_check(findings, "fleet_stopped")

    assert (check.resource, check.severity) == ("snapshot-daily", severity)
    assert check.what == "snapshot stopped after 1 of 9 cells"
    assert check.evidence == {"why": "2 canaries", "run": RUN}
    assert findings.reason == "stopped"


# What is over.


@pytest.mark.parametrize("status", ["ok", "partial"])
def test_a_cell_that_ended_well_closes_all_that_was_open_of_it(status: str) -> None:
    findings = judged(ends_of(answered(HERE, status)))

    assert {kind for kind in CELL_KINDS if verdict_on(findings, kind, HERE.name)} == CELL_KINDS


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (answered(HERE, "failed"), "cell_failed"),
        (refused(HERE, "blast_radius"), "cell_refused"),
        (answered(HERE, "partial", complete=False), "cell_unfinished"),
    ],
)
def test_a_cell_whose_run_was_there_closes_all_but_what_is_wrong(
    answer: dict[str, Any], wrong: str
) -> None:
    findings = judged(ends_of(answer))

    closed = {kind for kind in CELL_KINDS if verdict_on(findings, kind, HERE.name)}
    assert closed == CELL_KINDS - {wrong}


@pytest.mark.parametrize("answer", [answered(HERE, "unreachable"), refused(HERE)])
def test_a_run_that_never_was_in_its_place_closes_only_that_it_gave_no_answer(
    answer: dict[str, Any],
) -> None:
    findings = judged(ends_of(answer))

    closed = {kind for kind in CELL_KINDS if verdict_on(findings, kind, HERE.name)}
    assert closed == {"cell_unanswered"}


def test_a_cell_of_which_nobody_knows_changes_nothing() -> None:
    findings = judged({HERE: unanswered(HERE)})

    known = {kind: verdict_on(findings, kind, HERE.name) for kind in CELL_KINDS}
    assert known == dict.fromkeys(CELL_KINDS) | {"cell_unanswered": False}


def test_a_cell_that_never_began_changes_nothing() -> None:
    findings = judged(ends_of(answered(HERE)), stopped="why")

    assert {verdict_on(findings, kind, NINE[1].name) for kind in CELL_KINDS} == {None}


def test_an_account_of_which_nobody_knows_changes_nothing() -> None:
    lost = {cell: unanswered(cell) for cell in NINE if cell.account == A}

    assert verdict_on(judged(lost), "account_unreachable", A) is None
    assert verdict_on(judged({}, stopped="why"), "account_unreachable", B) is None


def test_accounts_whose_cells_took_the_event_for_wrong_may_still_let_nobody_in() -> None:
    wrong = ends_of(*(refused(cell) for cell in NINE if cell.account == A))

    assert verdict_on(judged(wrong), "account_unreachable", A) is None


def test_an_account_that_was_shut_and_lets_one_run_in_is_open_again() -> None:
    two_shut = ends_of(*everywhere(A, "unreachable")[1:])
    findings = judged(two_shut)

    assert verdict_on(findings, "account_unreachable", A) is True
    assert bad(findings) == sorted(f"region_unreachable/{name}" for name in regions(A)[1:])


def test_regions_of_an_account_that_lets_nobody_in_stay_as_they_are() -> None:
    findings = judged(ends_of(*everywhere(A, "unreachable")))

    said = {verdict_on(findings, "region_unreachable", name) for name in regions(A)}
    assert said == {None}


def test_an_account_that_is_left_out_is_looked_after_no_more() -> None:
    findings = judged({}, left=["999999999999"])
    (check,) = [each for each in findings.checks if each.resource == "999999999999"]

    assert (check.kind, check.healthy, check.lapsed) == ("account_unreachable", True, True)
    assert not any(each.lapsed for each in findings.checks if each.resource != "999999999999")


@pytest.mark.parametrize("kind", ["fleet_stopped", "cells_untold"])
def test_a_run_that_went_to_its_end_closes_what_another_was_stopped_by(kind: str) -> None:
    assert verdict_on(judged({}), kind, "snapshot-daily") is True


# What is gone, and what is empty.


def test_a_usual_run_to_its_end_knows_of_cells_and_accounts_that_are_gone() -> None:
    assert judged({}, is_usual=True).judged == CELL_KINDS | {"account_unreachable"}


def test_a_run_over_another_choice_than_the_usual_one_knows_nothing_of_the_rest() -> None:
    assert judged({}, is_usual=False).judged == frozenset()


def test_a_run_that_was_stopped_or_met_a_shut_account_does_not_know_every_cell() -> None:
    stopped = judged(ends_of(answered(HERE)), stopped="why", is_usual=True)
    shut = judged(ends_of(*everywhere(A, "unreachable")), is_usual=True)

    assert stopped.judged == shut.judged == {"account_unreachable"}


NOTHING: Final[dict[str, Any]] = {"counts": {"skip": {"unchanged": 7}}}


def test_a_run_that_found_nothing_in_any_cell_is_told() -> None:
    findings = judged(ends_of(*(answered(cell, **NOTHING) for cell in NINE)))

    assert bad(findings) == ["fleet_empty/snapshot-daily"]


def test_one_cell_in_which_there_is_something_is_enough() -> None:
    empty = ends_of(*(answered(cell, **NOTHING) for cell in NINE[1:]))

    assert verdict_on(judged(empty), "fleet_empty", "snapshot-daily") is True


@pytest.mark.parametrize(
    "unknown",
    [
        {HERE: unanswered(HERE)},
        ends_of(answered(HERE, "failed")),
        ends_of(answered(HERE, "unreachable")),
        ends_of(refused(HERE)),
    ],
    ids=["unanswered", "failed", "unreachable", "refused"],
)
def test_where_a_cell_was_not_looked_into_nobody_knows_that_there_is_nothing(
    unknown: Any,
) -> None:
    empty = ends_of(*(answered(cell, **NOTHING) for cell in NINE[1:]))

    assert verdict_on(judged(empty | unknown), "fleet_empty", "snapshot-daily") is None
