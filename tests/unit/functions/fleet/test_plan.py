"""In which accounts and regions a chore runs."""

from __future__ import annotations

from typing import Any

import pytest

from functions.fleet.facts import Action, Cell, Member, Reason, Room
from functions.fleet.manifest import Unreached
from functions.fleet.plan import needs_no_word, selection_of
from tests.support.plans import (
    DENIED,
    EAST,
    FAR,
    HOME,
    HUB,
    MEMBERS,
    ONE,
    OPEN,
    ORGANIZATION,
    OWN,
    SHUT,
    SOUTH,
    THREE,
    TWO,
    ask,
    crowd,
    enabled,
    errors,
    facts,
    names,
    plan,
    reasons,
    refused,
)


def test_without_a_word_a_chore_runs_in_the_stack_s_own_place() -> None:
    made = plan(facts({}, members=[Member(HUB)]))
    assert names(made) == [f"{HUB}/{HOME}"]
    assert made.refusal is None
    (decision,) = made.decisions
    assert (decision.action, decision.reason) == (Action.RUN, Reason.SELECTED)


def test_every_decision_calls_the_account_by_its_name() -> None:
    members = [Member(ONE, "one"), Member(TWO, "two"), Member(THREE, "three", state="CLOSED")]
    accounts = {"organization": True, "left_out": {"ids": ["999999999999"]}}
    regions = {"names": [EAST], "enabled": True}
    made = plan(facts(members=members), accounts=accounts, regions=regions)
    assert [(each.target, each.action, each.reason, each.detail) for each in made.decisions] == [
        (f"{ONE}/{EAST}", Action.RUN, Reason.SELECTED, {"name": "one"}),
        (TWO, Action.SKIP, Reason.NO_REGION, {"name": "two"}),
        (THREE, Action.SKIP, Reason.NOT_ACTIVE, {"name": "three", "state": "CLOSED"}),
        ("999999999999", Action.SKIP, Reason.NOT_A_MEMBER, {}),
    ]


def test_of_every_account_that_is_meant_the_own_region_is_a_cell() -> None:
    made = plan(facts(), **ORGANIZATION)
    assert names(made) == [f"{ONE}/{HOME}", f"{HUB}/{HOME}", f"{TWO}/{HOME}"]
    assert reasons(made)[THREE] == Reason.NOT_ACTIVE
    assert made.left == [THREE]
    assert made.names == {HUB: "hub", ONE: "one", TWO: "two"}


def test_all_enabled_regions_can_be_asked_for() -> None:
    made = plan(facts(), **ORGANIZATION, regions={"enabled": True})
    assert names(made) == [
        f"{ONE}/{HOME}",
        f"{ONE}/{EAST}",
        f"{HUB}/{HOME}",
        f"{HUB}/{EAST}",
        f"{TWO}/{HOME}",
    ]
    assert list(made.cells) == sorted(made.cells)


def test_a_named_region_that_is_not_enabled_is_told_and_stops_no_other() -> None:
    made = plan(facts(), **ORGANIZATION, regions={"names": [HOME, EAST]})
    assert f"{TWO}/{EAST}" not in names(made)
    assert len(made.cells) == 5
    assert made.refusal is None
    error = {
        "code": "RegionDisabled",
        "message": f"{EAST} is not enabled in the account",
        "request_id": "",
    }
    assert made.unreached == [Unreached(TWO, EAST, Reason.REGION_DISABLED, error)]
    (told,) = [each for each in made.decisions if each.target == f"{TWO}/{EAST}"]
    assert (told.action, told.detail) == (Action.SKIP, {"name": "two", "error": error})


def test_the_own_region_that_is_not_enabled_in_a_member_is_told() -> None:
    made = plan(facts({**OPEN, ONE: enabled(EAST)}), **ORGANIZATION)
    assert reasons(made)[f"{ONE}/{HOME}"] == Reason.REGION_DISABLED
    assert len(made.cells) == 2


def test_named_regions_that_should_be_enabled_are_not_told_where_they_are_not() -> None:
    made = plan(facts(), **ORGANIZATION, regions={"names": [EAST, FAR], "enabled": True})
    assert names(made) == [f"{ONE}/{EAST}", f"{HUB}/{EAST}"]
    assert made.unreached == []
    assert reasons(made)[TWO] == Reason.NO_REGION
    assert made.left == [TWO, THREE]


def test_regions_can_be_left_out() -> None:
    regions = {"enabled": True, "left_out": [HOME]}
    made = plan(facts(), **ORGANIZATION, regions=regions)
    assert names(made) == [f"{ONE}/{EAST}", f"{HUB}/{EAST}"]
    regions = {"names": [HOME, EAST], "left_out": [EAST]}
    made = plan(facts(), **ORGANIZATION, regions=regions)
    assert {cell.region for cell in made.cells} == {HOME}
    assert made.unreached == []


def test_an_account_that_lets_nobody_in_is_told_and_stops_no_other() -> None:
    made = plan(facts({**OPEN, ONE: SHUT}), **ORGANIZATION)
    assert names(made) == [f"{HUB}/{HOME}", f"{TWO}/{HOME}"]
    assert made.unreached == [Unreached(ONE, "", Reason.UNREACHABLE, DENIED)]
    (told,) = [each for each in made.decisions if each.target == ONE]
    assert told.reason == Reason.UNREACHABLE
    assert told.detail == {"name": "one", "error": DENIED}
    assert made.refusal is None


def test_an_account_that_is_left_out_says_in_which_state_it_is() -> None:
    made = plan(facts(members=[*MEMBERS, Member("444444444444", "x", is_management=True)]))
    detail = {each.target: each.detail for each in made.decisions}
    assert detail[THREE] == {"state": "SUSPENDED"}
    assert detail["444444444444"] == {"name": "x"}


def test_an_account_to_leave_out_that_is_gone_is_told_and_stops_nothing() -> None:
    accounts = {"organization": True, "left_out": {"ids": [ONE, "999999999999"]}}
    made = plan(facts(), accounts=accounts)
    assert reasons(made)["999999999999"] == Reason.NOT_A_MEMBER
    assert reasons(made)[ONE] == Reason.EXCLUDED
    assert made.refusal is None


@pytest.mark.parametrize(
    ("runs", "concurrency"), [(1000, 100), (200, 100), (199, 99), (10, 5), (1, 1)]
)
def test_half_of_what_lambda_has_is_used_and_at_most_a_hundred(runs: int, concurrency: int) -> None:
    assert plan(facts(room=Room(runs)), **ORGANIZATION).concurrency == concurrency
    assert plan(facts(room=Room(runs)), **ORGANIZATION, concurrency=1).concurrency == 1


def test_a_canary_is_one_of_the_cells() -> None:
    canary = {"account": ONE, "region": HOME}
    assert plan(facts(), **ORGANIZATION, canary=canary).canary == Cell(ONE, HOME)
    assert plan(facts(), **ORGANIZATION).canary is None


@pytest.mark.parametrize(
    ("account", "region", "why"),
    [(ONE, EAST, ""), (THREE, HOME, ": not_active"), ("999999999999", HOME, "")],
)
def test_a_canary_that_is_none_of_the_cells_is_refused(account: str, region: str, why: str) -> None:
    made = plan(facts(), **ORGANIZATION, canary={"account": account, "region": region})
    assert refused(made).reason == "event_invalid"
    said = f"{account}/{region} is none of the 3 cells{why}"
    assert errors(made) == [("canary", said, f"one of them, as {ONE}/{HOME}, or no canary")]


def test_a_canary_that_cannot_be_reached_today_stops_no_others() -> None:
    canary = {"account": ONE, "region": EAST}
    for reach in (SHUT, enabled(HOME)):
        known = facts({**OPEN, ONE: reach})
        made = plan(known, **ORGANIZATION, regions={"names": [HOME, EAST]}, canary=canary)
        assert made.refusal is None
        assert made.canary is None


def test_what_is_meant_counts_those_too_that_let_nobody_in_today() -> None:
    made = plan(crowd(2, shut=1), **ORGANIZATION)
    assert (len(made.cells), made.meant) == (2, 3)


def test_an_account_that_lets_nobody_in_counts_as_many_cells_as_any_other_has() -> None:
    """How many regions it has enabled, nobody knows today."""
    made = plan(facts({**OPEN, ONE: SHUT}), **ORGANIZATION, regions={"enabled": True})
    assert names(made) == [f"{HUB}/{HOME}", f"{HUB}/{EAST}", f"{TWO}/{HOME}"]
    assert made.meant == 3 + 2


def test_a_named_region_that_is_not_enabled_counts_as_meant() -> None:
    made = plan(facts(), **ORGANIZATION, regions={"names": [HOME, EAST]})
    assert (len(made.cells), made.meant) == (5, 6)


def test_an_account_that_lets_nobody_in_counts_named_regions_that_are_not_enabled_too() -> None:
    regions = {"names": [HOME, EAST, SOUTH, FAR]}
    made = plan(crowd(1, shut=1), **ORGANIZATION, regions=regions)
    assert (len(made.cells), made.meant) == (1, 8)


def test_what_the_choice_leaves_out_is_not_meant() -> None:
    regions = {"names": [HOME, EAST], "enabled": True}
    made = plan(facts(), accounts={"organization": True, "ids": [ONE, TWO]}, regions=regions)
    assert made.meant == len(made.cells) == 3
    regions = {"names": [HOME, EAST], "left_out": [EAST]}
    assert plan(facts(), **ORGANIZATION, regions=regions).meant == 3


def test_where_nobody_lets_us_in_each_account_is_at_least_one_cell() -> None:
    assert plan(crowd(0, shut=4), **ORGANIZATION).meant == 4


def test_an_event_is_the_same_in_any_order_of_its_fields() -> None:
    one = plan(facts(), **ORGANIZATION, event={"policy": "daily", "pace": 0.2})
    assert one.id == plan(facts(), **ORGANIZATION, event={"pace": 0.2, "policy": "daily"}).id
    assert one.id != plan(facts(), **ORGANIZATION, event={"pace": 0.3, "policy": "daily"}).id


def test_the_same_choice_has_one_name_however_it_is_written() -> None:
    one = ask(accounts={"ids": [ONE, TWO]}, regions={"names": [HOME, EAST]})
    same = ask(
        accounts={"ids": [TWO, ONE, ONE]},
        regions={"names": [EAST, HOME]},
        event={"policy": "x"},
        concurrency=3,
    )
    assert selection_of(one) == selection_of(same)
    assert len(selection_of(one)) == 16
    assert plan(facts(), **ORGANIZATION).selection == selection_of(ask(**ORGANIZATION))


@pytest.mark.parametrize(
    "event",
    [
        {"accounts": {"ids": [ONE]}},
        {"accounts": {"ids": [ONE], "organization": True}},
        {"accounts": {"ids": [ONE], "left_out": {"ids": [ONE]}}},
        {"regions": {"enabled": True}},
        {"regions": {"names": [HOME]}},
        {"regions": {"names": [HOME], "left_out": [EAST]}},
    ],
)
def test_another_choice_has_another_name(event: dict[str, Any]) -> None:
    assert selection_of(ask(**event)) != selection_of(ask())


@pytest.mark.parametrize("regions", [{}, {"names": [HOME]}])
def test_of_the_own_place_alone_nobody_has_to_be_asked(regions: dict[str, Any]) -> None:
    assert needs_no_word([Member(HUB)], ask(regions=regions).regions, OWN)


@pytest.mark.parametrize(
    ("ids", "regions"),
    [
        ([HUB], {"names": [HOME, EAST]}),
        ([HUB], {"names": [EAST]}),
        ([HUB], {"enabled": True}),
        ([HUB], {"left_out": [EAST]}),
        ([ONE], {}),
        ([HUB, ONE], {}),
        ([], {}),
    ],
)
def test_of_anything_else_the_accounts_are_asked(ids: list[str], regions: dict[str, Any]) -> None:
    members = [Member(each) for each in ids]
    assert not needs_no_word(members, ask(regions=regions).regions, OWN)
