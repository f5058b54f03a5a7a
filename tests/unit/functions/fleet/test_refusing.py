"""Why nothing of a run may begin, told by the field that is wrong, and who hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Refusal
from caretaker.errors import FieldError
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.fleet.facts import Member, Room
from functions.fleet.refusing import check_refused
from tests.support.plans import (
    EAST,
    FAR,
    HOME,
    HUB,
    ONE,
    OPEN,
    ORGANIZATION,
    SHUT,
    SOUTH,
    THREE,
    TWO,
    crowd,
    enabled,
    errors,
    facts,
    plan,
    refused,
)

THREE_NAMED = {"names": [HOME, EAST, FAR]}
REFUSED = Refusal("no_cells", (FieldError("regions", "3 region_disabled", "one that is on"),))


def test_ids_that_are_not_in_the_organization_are_refused_by_name() -> None:
    strange = ["888888888888", "999999999999"]
    made = plan(facts(), accounts={"organization": True, "ids": [ONE, *strange]})
    assert refused(made).reason == "event_invalid"
    assert errors(made) == [
        (
            "accounts.ids",
            "888888888888, 999999999999 are not in the organization",
            "accounts of the organization, or the event without it",
        )
    ]


def test_without_the_organization_nobody_knows_which_ids_there_are() -> None:
    made = plan(facts({ONE: SHUT, HUB: OPEN[HUB]}), accounts={"ids": [ONE, HUB]})
    assert made.refusal is None


def test_units_that_do_not_exist_are_refused_by_name() -> None:
    there, strange = "ou-ab12-c3d4e5f6", "ou-ab12-99999999"
    known = facts(units=frozenset({there}), members=[Member(ONE, units=frozenset({there}))])
    left_out = {"units": [strange]}
    for accounts, path in (
        ({"units": [there, strange]}, "accounts.units"),
        ({"left_out": left_out}, "accounts.left_out.units"),
    ):
        made = plan(known, accounts={"organization": True, **accounts})
        assert refused(made).reason == "event_invalid"
        expected = "the id of a root or of a unit, as ou-a1b2-c3d4e5f6"
        assert errors(made) == [(path, f"{strange} is not in the organization", expected)]


def test_a_unit_without_accounts_is_no_fault() -> None:
    empty = "ou-ab12-c3d4e5f6"
    accounts = {"organization": True, "left_out": {"units": [empty]}}
    assert plan(facts(units=frozenset({empty})), accounts=accounts).refusal is None


@pytest.mark.parametrize("field", ["names", "left_out"])
def test_a_region_that_does_not_exist_is_refused_with_those_that_are_like_it(field: str) -> None:
    regions = {"enabled": True, field: ["eu-west-9", EAST]}
    made = plan(facts(), **ORGANIZATION, regions=regions)
    assert refused(made).reason == "event_invalid"
    said = "eu-west-9 is not in AWS"
    assert errors(made) == [(f"regions.{field}", said, f"regions that exist, as {HOME}")]


def test_a_region_like_no_other_is_refused_with_some_that_exist() -> None:
    made = plan(facts(), **ORGANIZATION, regions={"names": ["zz-qqq-9"]})
    (error,) = errors(made)
    assert error[2] == f"regions that exist, as {FAR}, {SOUTH}, {HOME}"


def test_which_regions_there_are_is_not_known_where_nobody_could_be_asked() -> None:
    made = plan(facts({HUB: SHUT}, members=[Member(HUB)]), regions={"names": ["eu-west-9"]})
    assert refused(made).reason == "no_account_reachable"


@pytest.mark.parametrize(
    ("room", "words", "more"),
    [
        (Room(50), "left in the account", "a greater quota of concurrent executions"),
        (Room(50, is_reserved=True), "reserved for the function", "a greater reserve"),
    ],
)
def test_more_cells_at_a_time_than_lambda_runs_are_refused(
    room: Room, words: str, more: str
) -> None:
    made = plan(facts(room=room), **ORGANIZATION, concurrency=51)
    assert refused(made).reason == "event_invalid"
    said = f"51 runs at the same time; Lambda has 50 {words}"
    assert errors(made) == [("concurrency", said, f"at most 50, or {more}")]
    assert plan(facts(room=room), **ORGANIZATION, concurrency=50).refusal is None


@pytest.mark.parametrize("event", [{}, {"concurrency": 5}])
def test_a_function_that_lambda_does_not_run_begins_nothing(event: dict[str, int]) -> None:
    made = plan(facts(room=Room(0, is_reserved=True)), **ORGANIZATION, **event)
    assert refused(made).reason == "no_room"
    assert errors(made) == [
        (
            "concurrency",
            "Lambda has no concurrency for the chore's function, so that no cell could run",
            "a reserved concurrency of 1 or more, or none; in an account that has some left",
        )
    ]


def test_all_faults_of_an_event_are_told_at_once() -> None:
    made = plan(
        facts(),
        accounts={"organization": True, "ids": ["999999999999"], "units": ["r-ab12"]},
        regions={"names": ["eu-west-9"], "left_out": ["eu-west-8"]},
        concurrency=2000,
    )
    paths = ["accounts.ids", "accounts.units", "regions.names", "regions.left_out", "concurrency"]
    assert [error[0] for error in errors(made)] == paths


def test_nothing_that_is_left_is_refused_with_what_became_of_all() -> None:
    members = [Member(THREE, state="CLOSED"), Member(TWO, is_management=True)]
    made = plan(facts({}, members=members), **ORGANIZATION)
    assert refused(made).reason == "no_cells"
    assert errors(made) == [
        (
            "accounts",
            "1 management, 1 not_active",
            "a choice that holds at least one account and region",
        )
    ]


def test_an_organization_without_accounts_is_refused() -> None:
    made = plan(facts({}, members=[]), **ORGANIZATION)
    assert refused(made).reason == "no_cells"
    assert errors(made)[0][1] == "no account"


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ({"names": [FAR]}, "1 not_active, 3 region_disabled"),
        ({"names": [FAR], "enabled": True}, "3 no_region, 1 not_active"),
    ],
)
def test_no_region_that_is_left_is_refused_by_the_regions(
    regions: dict[str, Any], said: str
) -> None:
    made = plan(facts(), **ORGANIZATION, regions=regions)
    assert refused(made).reason == "no_cells"
    assert [error[:2] for error in errors(made)] == [("regions", said)]


def test_a_run_in_which_no_account_lets_anybody_in_is_refused_with_what_they_said() -> None:
    made = plan(facts(dict.fromkeys(OPEN, SHUT)), **ORGANIZATION)
    assert refused(made).reason == "no_account_reachable"
    (error,) = errors(made)
    assert error == (
        "accounts",
        f"{ONE}, {HUB}, {TWO}: AccessDenied: not authorized to assume it",
        "member-role.yaml in each account, with the external id of this stack",
    )
    assert len(made.unreached) == 3


def test_accounts_of_which_none_is_reached_and_one_has_no_region_leave_no_cells() -> None:
    made = plan(facts({ONE: SHUT, TWO: enabled(EAST), HUB: SHUT}), **ORGANIZATION)
    assert refused(made).reason == "no_cells"


@pytest.mark.parametrize(("shut", "named"), [(20, 20), (21, 20), (30, 20), (3, 3)])
def test_of_many_that_let_nobody_in_some_are_named(shut: int, named: int) -> None:
    known = crowd(0, shut=shut)
    made = plan(known, **ORGANIZATION)
    (error,) = errors(made)
    assert sum(each.id in error[1] for each in known.members) == named
    assert (f" and {shut - named} more: " in error[1]) == (shut > named)


@pytest.mark.parametrize(
    ("cells", "before"), [(80, 100), (79, 100), (4, 5), (3, 4), (2, 3), (1, 2), (1, 1000)]
)
def test_a_run_of_a_fifth_fewer_cells_than_the_last_or_less_is_refused(
    cells: int, before: int
) -> None:
    assert refused(plan(crowd(cells, before), **ORGANIZATION)).reason == "fewer_cells"


@pytest.mark.parametrize(
    ("cells", "before"), [(81, 100), (5, 6), (1, 1), (100, 100), (9, 3), (1, 0), (9, None)]
)
def test_a_run_of_a_few_cells_less_or_of_more_goes_on(cells: int, before: int | None) -> None:
    assert plan(crowd(cells, before), **ORGANIZATION).refusal is None


@pytest.mark.parametrize(("reached", "shut"), [(2, 1), (1, 1), (1, 2), (3, 1), (79, 21), (1, 99)])
def test_accounts_that_let_nobody_in_refuse_no_others_however_few_these_are(
    reached: int, shut: int
) -> None:
    """They are told one by one; a choice that shrank is what the gate is for."""
    made = plan(crowd(reached, reached + shut, shut=shut), **ORGANIZATION)
    assert made.refusal is None
    assert len(made.cells) == reached
    assert len(made.unreached) == shut


@pytest.mark.parametrize("accounts", [1, 3, 500])
def test_a_region_that_is_switched_off_everywhere_refuses_no_others(accounts: int) -> None:
    before = plan(crowd(accounts, regions=(HOME, EAST, FAR)), **ORGANIZATION, regions=THREE_NAMED)
    known = crowd(accounts, before.meant, regions=(HOME, EAST))
    made = plan(known, **ORGANIZATION, regions=THREE_NAMED)
    assert made.refusal is None
    assert len(made.cells) == 2 * accounts


def test_a_choice_that_shrank_is_refused_also_where_others_let_nobody_in() -> None:
    made = plan(crowd(6, 10, shut=2), **ORGANIZATION)
    assert refused(made).reason == "fewer_cells"
    assert errors(made)[0][1] == "8 cells, 10 in the last run of the same choice"


def test_a_plan_of_fewer_cells_says_how_it_is_let_through() -> None:
    made = plan(crowd(5, 10), **ORGANIZATION)
    assert refused(made).reason == "fewer_cells"
    assert errors(made) == [
        (
            "accounts",
            "5 cells, 10 in the last run of the same choice",
            "all of them, as the report says why each is missing",
        ),
        ("approve", "not given", f"{made.id}, to carry out just this plan"),
    ]
    assert plan(crowd(5, 10), **ORGANIZATION, approve=made.id).refusal is None


def test_an_approval_lets_just_its_own_plan_through() -> None:
    other = plan(crowd(6, 10), **ORGANIZATION).id
    made = plan(crowd(5, 10), **ORGANIZATION, approve=other)
    assert errors(made)[1][1] == f"{other} is another plan"
    sharper = {"policy": "daily", "keep": {"last": 1}}
    assert plan(crowd(5, 10), **ORGANIZATION, approve=made.id, event=sharper).refusal
    assert plan(crowd(5, 10), **ORGANIZATION, approve=made.id, chore="retention").refusal


@pytest.mark.parametrize(
    ("mode", "severity"), [(Mode.ACT, Severity.CRITICAL), (Mode.REPORT, Severity.WARNING)]
)
@pytest.mark.parametrize("is_regular", [True, False])
def test_a_refusal_is_critical_only_where_cells_would_have_acted(
    mode: Mode, severity: Severity, *, is_regular: bool
) -> None:
    check = check_refused("daily", REFUSED, mode, is_regular=is_regular)
    assert (check.kind, check.resource) == ("fleet_refused", "daily")
    assert (check.healthy, check.severity) == (False, severity)


def test_a_refusal_says_what_is_wrong_by_its_field() -> None:
    check = check_refused("daily", REFUSED, Mode.ACT, is_regular=True)
    assert (check.what, check.cause) == ("no_cells: regions", "no_cells")
    assert check.evidence == {"regions": "3 region_disabled; one that is on"}


@pytest.mark.parametrize("mode", list(Mode))
def test_only_a_run_of_the_schedule_ends_a_refusal(mode: Mode) -> None:
    """That a report by hand could be planned says nothing of what the schedule asks."""
    assert check_refused("daily", None, mode, is_regular=True).healthy is True
    by_hand = check_refused("daily", None, mode, is_regular=False)
    assert by_hand.healthy is None
    assert (by_hand.what, by_hand.cause, by_hand.evidence) == ("", "", {})
