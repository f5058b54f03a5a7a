"""The fleet's facts: accounts of the organization, their regions, Lambda's room, the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.fleet.facts import Member, Room
from functions.fleet.members import choose
from functions.fleet.request import Accounts
from tests.cloud import ACCOUNT, REGION
from tests.cloud.organization_tree import ROOT
from tests.cloud.regions import ALL, ALWAYS_ENABLED
from tests.support.gathering import (
    ENVIRONMENT,
    FUNCTION,
    MEMBERS,
    ONE,
    PAYER,
    ROLE,
    THREE,
    TWO,
    Look,
    grow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.fleet.facts import Facts
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ORGANIZATION = {"organization": True}


@pytest.fixture
def look(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Look:
    """A stack that names a role for other accounts."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Look(stack)


@pytest.fixture
def grown(cloud: StrictCloud) -> StrictCloud:
    """An organization of three members."""
    grow(cloud)
    return cloud


def members(facts: Facts) -> dict[str, Member]:
    return {member.id: member for member in facts.members}


def chosen(facts: Facts) -> list[str]:
    return [each.id for each in choose(facts.members, Accounts(organization=True)).chosen]


def error(facts: Facts, account: str) -> Mapping[str, str]:
    """Return what an account said that lets nobody in."""
    told = facts.reaches[account].error
    assert told is not None
    return told


def test_all_accounts_of_the_organization_are_listed_with_their_names(
    look: Look, grown: StrictCloud
) -> None:
    facts = look.facts(accounts=ORGANIZATION)

    found = members(facts)
    assert found.keys() == {PAYER, ACCOUNT, *MEMBERS}
    assert found[ONE] == Member(ONE, "team-1")
    assert [each.id for each in found.values() if each.is_management] == [PAYER]
    assert chosen(facts) == [ONE, ACCOUNT, TWO, THREE]


def test_pages_without_an_account_are_not_the_last(look: Look, grown: StrictCloud) -> None:
    grown.pages.empty = frozenset({1, 2, 4})
    assert members(look.facts(accounts=ORGANIZATION)).keys() == {PAYER, ACCOUNT, *MEMBERS}


def test_an_account_that_is_listed_twice_is_one(look: Look, grown: StrictCloud) -> None:
    grown.pages.repeat_last = True
    assert len(look.facts(accounts=ORGANIZATION).members) == 5


def test_an_account_s_state_counts_whatever_its_status_says(look: Look, grown: StrictCloud) -> None:
    grown.organization.set_state(ONE, "PENDING_CLOSURE")
    grown.organization.set_state(TWO, "CLOSED")
    grown.organization.stale |= {ONE, TWO}

    facts = look.facts(accounts=ORGANIZATION)

    assert (members(facts)[ONE].state, members(facts)[TWO].state) == ("PENDING_CLOSURE", "CLOSED")
    assert facts.reaches.keys() == {ACCOUNT, THREE}


def test_an_organization_that_tells_no_status_any_more_is_read(
    look: Look, grown: StrictCloud
) -> None:
    grown.organization.shows_status = False
    assert chosen(look.facts(accounts=ORGANIZATION)) == [ONE, ACCOUNT, TWO, THREE]


@pytest.mark.parametrize(
    ("told", "state"),
    [({"Status": "SUSPENDED"}, "SUSPENDED"), ({"Status": "ACTIVE"}, "ACTIVE"), ({}, "UNTOLD")],
)
def test_a_status_counts_where_no_state_is_told_and_an_account_without_either_is_not_active(
    look: Look,
    grown: StrictCloud,
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, str],
    state: str,
) -> None:
    view = grown.organization.account_view

    def old(account: str) -> dict[str, Any]:
        shown = {key: value for key, value in view(account).items() if key != "State"}
        return shown | told if account == ONE else view(account)

    monkeypatch.setattr(grown.organization, "account_view", old)
    if not told:
        grown.organization.shows_status = False

    assert members(look.facts(accounts=ORGANIZATION))[ONE].state == state


def test_an_account_is_below_its_unit_and_all_that_are_above_it(
    look: Look, grown: StrictCloud
) -> None:
    prod = grown.organization.unit("Prod")
    team = grown.organization.unit("Team", prod)
    empty = grown.organization.unit("Empty")
    grown.organization.join(ONE, team)
    grown.organization.join(TWO, prod)

    facts = look.facts(accounts={**ORGANIZATION, "units": [prod]})

    assert members(facts)[ONE].units == {ROOT, prod, team}
    assert members(facts)[TWO].units == {ROOT, prod}
    assert members(facts)[THREE].units == {ROOT}
    assert facts.units == {ROOT, prod, team, empty}
    assert facts.reaches.keys() == {ONE, TWO}


def test_units_to_leave_out_are_walked_as_well(look: Look, grown: StrictCloud) -> None:
    lab = grown.organization.unit("Lab")
    grown.organization.join(TWO, lab)
    facts = look.facts(accounts={**ORGANIZATION, "left_out": {"units": [lab]}})
    assert facts.reaches.keys() == {ACCOUNT, ONE, THREE}


def test_many_units_deep_below_each_other_are_walked(look: Look, grown: StrictCloud) -> None:
    unit = ROOT
    for number in range(5):
        unit = grown.organization.unit(f"level-{number}", unit)
        grown.organization.unit(f"beside-{number}", unit)
    grown.organization.join(ONE, unit)

    facts = look.facts(accounts={**ORGANIZATION, "units": [unit]})

    assert len(members(facts)[ONE].units) == 6
    assert len(facts.units) == 11


def test_tags_of_an_account_are_those_of_all_pages(look: Look, grown: StrictCloud) -> None:
    grown.organization.join(ONE, tags={"stage": "prod", "owner": "shop", "cost": "7"})
    grown.organization.join(TWO, tags={"stage": "test"})
    accounts = {**ORGANIZATION, "tags": ["stage=prod"]}

    facts = look.facts(accounts=accounts)

    assert members(facts)[ONE].tags == {"stage": "prod", "owner": "shop", "cost": "7"}
    assert facts.reaches.keys() == {ONE}


def test_tags_can_leave_accounts_out(look: Look, grown: StrictCloud) -> None:
    grown.organization.join(ONE, tags={"caretaker": "off"})
    facts = look.facts(accounts={**ORGANIZATION, "left_out": {"tags": ["caretaker=off"]}})
    assert facts.reaches.keys() == {ACCOUNT, TWO, THREE}


def test_without_the_organization_the_named_accounts_are_it(look: Look, grown: StrictCloud) -> None:
    facts = look.facts(accounts={"ids": [TWO, ONE, TWO]})
    assert [member.id for member in facts.members] == [TWO, ONE]
    assert facts.reaches.keys() == {ONE, TWO}


def test_each_account_tells_its_own_regions(look: Look, grown: StrictCloud) -> None:
    grown.regions.opt_in(ONE, "ap-east-1")
    grown.regions.opt_in(ACCOUNT, "eu-south-1")

    facts = look.facts(accounts={"ids": [ONE, TWO, ACCOUNT]}, regions={"enabled": True})

    assert facts.reaches[ONE].enabled == ALWAYS_ENABLED | {"ap-east-1"}
    assert facts.reaches[TWO].enabled == ALWAYS_ENABLED
    assert facts.reaches[ACCOUNT].enabled == ALWAYS_ENABLED | {"eu-south-1"}
    assert {reach.known for reach in facts.reaches.values()} == {ALL}


def test_the_own_account_is_asked_where_other_regions_of_it_are_meant(
    look: Look, cloud: StrictCloud
) -> None:
    facts = look.facts(regions={"names": [REGION, "us-east-1"]})
    assert facts.reaches[ACCOUNT].enabled == ALWAYS_ENABLED
    assert cloud.calls.count("AssumeRole") == 0


def test_the_room_is_what_nobody_has_reserved(look: Look, cloud: StrictCloud) -> None:
    cloud.concurrency.set_limit(ACCOUNT, REGION, 400)
    cloud.concurrency.reserve(ACCOUNT, REGION, "another", 50)
    assert look.facts().room == Room(350)


@pytest.mark.parametrize("runs", [0, 8])
def test_the_room_of_a_function_with_a_reserve_is_that(
    look: Look, cloud: StrictCloud, runs: int
) -> None:
    cloud.concurrency.reserve(ACCOUNT, REGION, FUNCTION, runs)
    assert look.facts().room == Room(runs, is_reserved=True)


def test_a_stack_without_a_role_for_others_is_told_so(stack: Stack, grown: StrictCloud) -> None:
    look = Look(stack)
    for event in (
        {"accounts": ORGANIZATION},
        {"accounts": {"ids": [ONE]}},
        {"regions": {"enabled": True}},
    ):
        answer = look.run(**event)
        assert (answer["status"], answer["reason"]) == ("refused", "target_not_allowed")
        assert answer["errors"][0]["path"] == "accounts"
        assert "TargetRoleName" in answer["errors"][0]["expected"]
    assert grown.calls.count("AssumeRole") == 0
    assert look.facts(accounts={"ids": [ACCOUNT]}).reaches == {}


def test_an_account_that_is_alone_runs_in_its_own_region(stack: Stack) -> None:
    look = Look(stack)
    facts = look.facts()
    assert [member.id for member in facts.members] == [ACCOUNT]
    assert look.plan is not None
    assert look.plan.cells == [(ACCOUNT, REGION)]


def test_who_lets_us_in_is_named_with_what_the_others_said(look: Look, grown: StrictCloud) -> None:
    grown.access.close(ONE)
    grown.access.deny(TWO, "ec2:DescribeRegions")

    facts = look.facts(accounts=ORGANIZATION)

    assert facts.reaches[THREE].error is None
    assert error(facts, ONE)["code"] == "AccessDenied"
    assert f"role/{ROLE}" in error(facts, ONE)["message"]
    assert error(facts, TWO)["code"] == "UnauthorizedOperation"
    assert "service control policy" in error(facts, TWO)["message"]
    assert look.answer["status"] == "ok"
    assert look.plan is not None
    assert [each.account for each in look.plan.unreached] == [ONE, TWO]


def test_a_wrong_external_id_opens_no_account(
    look: Look, grown: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_EXTERNAL_ID", "another")
    answer = look.run(accounts={"ids": [ONE, TWO, THREE]})
    assert (answer["status"], answer["reason"]) == ("refused", "no_account_reachable")
    assert answer["errors"][0]["problem"].startswith(f"{ONE}, {TWO}, {THREE}: AccessDenied")


def test_an_account_in_no_organization_is_told_so(stack: Stack, cloud: StrictCloud) -> None:
    answer = Look(stack).run(accounts=ORGANIZATION)
    assert answer["status"] == "failed"
    assert "AWSOrganizationsNotInUseException" in answer["errors"][0]["problem"]


def test_a_room_that_lambda_does_not_tell_begins_nothing(look: Look, cloud: StrictCloud) -> None:
    for operation in ("GetFunctionConcurrency", "GetAccountSettings"):
        cloud.faults.clear()
        cloud.faults.add("denied", operation=operation, times=None)
        answer = look.run()
        assert (answer["status"], answer["errors"][0]["path"]) == ("failed", operation)


def test_the_management_account_is_asked_where_that_is_meant(
    look: Look, grown: StrictCloud
) -> None:
    facts = look.facts(accounts={**ORGANIZATION, "management": True})
    assert facts.reaches.keys() == {PAYER, ACCOUNT, *MEMBERS}
