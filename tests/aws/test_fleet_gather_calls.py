"""The calls by which the fleet gathers: which, how often, and what happens when they go wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.errors import ListingError
from functions.fleet.aws import regions
from tests.cloud import ACCOUNT, REGION, Bucket
from tests.support.gathering import (
    ENVIRONMENT,
    EXTERNAL_ID,
    MEMBERS,
    ONE,
    ROLE,
    THREE,
    TWO,
    Look,
    grow,
)

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ORGANIZATION = {"organization": True}
EVERYTHING: dict[str, Any] = {
    **ORGANIZATION,
    "units": ["r-ab12"],
    "tags": ["stage"],
}
LISTINGS = (
    "DescribeOrganization",
    "ListAccounts",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccountsForParent",
    "ListTagsForResource",
)


@pytest.fixture
def look(stack: Stack, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch) -> Look:
    """A stack that names a role for others, and an organization with units and tags."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    grow(cloud)
    cloud.organization.unit("Below", cloud.organization.unit("Above"))
    for account in MEMBERS:
        cloud.organization.join(account, tags={"stage": "prod", "owner": "a", "cost": "7"})
    return Look(stack)


def asked(cloud: StrictCloud) -> set[str]:
    """Return which of the organization was asked."""
    return {call.operation for call in cloud.calls if call.service == "organizations"}


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/{ROLE}"


def codes(look: Look, **event: Any) -> dict[str, str]:
    """Return, by account, how its reach ended."""
    reaches = look.facts(**event).reaches
    return {each: (reach.error or {"code": ""})["code"] for each, reach in reaches.items()}


def test_without_the_organization_nobody_asks_for_it(look: Look, cloud: StrictCloud) -> None:
    look.facts()
    look.facts(accounts={"ids": [ONE]})
    assert asked(cloud) == set()


def test_units_and_tags_are_asked_for_where_the_choice_needs_them(
    look: Look, cloud: StrictCloud
) -> None:
    look.facts(accounts=ORGANIZATION)
    assert asked(cloud) == {"DescribeOrganization", "ListAccounts"}
    cloud.calls.clear()
    look.facts(accounts={**ORGANIZATION, "left_out": {"tags": ["off"]}})
    assert asked(cloud) == {"DescribeOrganization", "ListAccounts", "ListTagsForResource"}
    cloud.calls.clear()
    look.facts(accounts=EVERYTHING)
    assert asked(cloud) == set(LISTINGS)


def test_tags_are_asked_for_of_those_accounts_alone_that_they_decide_about(
    look: Look, cloud: StrictCloud
) -> None:
    prod = cloud.organization.unit("Prod")
    cloud.organization.join(ONE, prod, tags={"stage": "prod"})
    cloud.organization.join(TWO, prod, state="SUSPENDED")
    look.facts(accounts={**ORGANIZATION, "units": [prod], "tags": ["stage"]})
    assert [call.params["ResourceId"] for call in cloud.calls.of("ListTagsForResource")] == [ONE]


def test_the_organization_is_asked_by_the_stack_s_own_account_where_it_lives(
    look: Look, cloud: StrictCloud
) -> None:
    look.facts(accounts=EVERYTHING)
    calls = [call for call in cloud.calls if call.service == "organizations"]
    assert {(call.account, call.region) for call in calls} == {(ACCOUNT, "us-east-1")}


def test_of_the_own_region_alone_nobody_is_asked(look: Look, cloud: StrictCloud) -> None:
    look.facts()
    look.facts(accounts={"ids": [ACCOUNT]}, regions={"names": [REGION]})
    assert cloud.calls.count("DescribeRegions") == 0


def test_each_account_that_is_meant_is_asked_once_for_all_its_regions(
    look: Look, cloud: StrictCloud
) -> None:
    cloud.organization.set_state(TWO, "SUSPENDED")
    look.facts(accounts={**ORGANIZATION, "left_out": {"ids": [THREE]}})
    calls = cloud.calls.of("DescribeRegions")
    assert sorted(call.account for call in calls) == [ONE, ACCOUNT]
    assert {(call.region, call.params["AllRegions"]) for call in calls} == {(REGION, True)}


def test_a_member_s_role_is_taken_on_for_nothing_but_its_regions(
    look: Look, cloud: StrictCloud
) -> None:
    look.facts(accounts={"ids": [ONE, ACCOUNT]})
    (call,) = cloud.calls.of("AssumeRole")
    assert call.params["RoleArn"] == role(ONE)
    assert call.params["ExternalId"] == EXTERNAL_ID
    assert call.params["RoleSessionName"] == "caretaker-fleet"
    allowed = json.loads(call.params["Policy"])["Statement"]
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", ["ec2:DescribeRegions"])


@pytest.mark.parametrize("operation", LISTINGS)
def test_a_listing_that_is_denied_fails_the_run_and_no_account_is_asked(
    look: Look, cloud: StrictCloud, operation: str
) -> None:
    cloud.faults.add("denied", operation=operation, times=None)
    answer = look.run(accounts=EVERYTHING)
    assert (answer["status"], answer["errors"][0]["path"]) == ("failed", operation)
    assert cloud.calls.count("DescribeRegions") == 0


@pytest.mark.parametrize("operation", LISTINGS)
@pytest.mark.parametrize("fault", ["internal_error", "answer_lost", "never_arrived"])
def test_a_listing_that_is_not_answered_is_tried_again_as_a_whole(
    look: Look, cloud: StrictCloud, operation: str, fault: str
) -> None:
    half_way = 1 if operation in {"DescribeOrganization", "ListRoots"} else 2
    cloud.faults.add(fault, operation=operation, nth=half_way, times=None)
    with pytest.raises(ListingError) as failed:
        look.run(accounts=EVERYTHING)
    assert failed.value.operation == operation
    assert cloud.calls.count("DescribeRegions") == 0

    cloud.faults.clear()
    assert look.facts(accounts=EVERYTHING).reaches.keys() == set(MEMBERS)


@pytest.mark.parametrize("operation", LISTINGS)
def test_a_listing_that_fails_once_is_repeated_by_the_sdk(
    look: Look, cloud: StrictCloud, operation: str
) -> None:
    fault = cloud.faults.add("internal_error", operation=operation)
    assert look.facts(accounts=EVERYTHING).reaches.keys() == set(MEMBERS)
    assert fault.fired == 1


def test_a_listing_whose_token_expires_is_no_whole_one(look: Look, cloud: StrictCloud) -> None:
    cloud.pages.expire = {2}
    answer = look.run(accounts=ORGANIZATION)
    assert (answer["status"], answer["errors"][0]["path"]) == ("failed", "ListAccounts")


@pytest.mark.parametrize("operation", LISTINGS[1:])
def test_a_listing_that_is_throttled_slows_down_and_comes_to_its_end(
    look: Look, cloud: StrictCloud, clock: ManualClock, operation: str
) -> None:
    cloud.buckets[operation] = Bucket(1, 1)
    began = clock.now()
    assert look.facts(accounts=EVERYTHING).reaches.keys() == set(MEMBERS)
    assert clock.now() - began < timedelta(minutes=3)


def test_an_account_that_is_below_no_unit_yet_is_looked_for_again(
    look: Look, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = {**ORGANIZATION, "left_out": {"units": ["r-ab12"]}}
    found = cloud.organization.accounts[ONE]
    monkeypatch.setattr(found, "parent", "ou-ab12-elsewhere")
    with pytest.raises(ListingError, match=f"{ONE} was listed below no unit"):
        look.run(accounts=accounts)
    cloud.organization.set_state(ONE, "CLOSED")
    assert look.facts(accounts=accounts).reaches == {}


def test_an_account_that_moves_during_the_walk_is_below_both_units(
    look: Look, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = cloud.organization.unit("Old"), cloud.organization.unit("New")

    class Moving(str):
        """Is the one unit when that is looked at, and the other later."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            return other in {old, new}

    monkeypatch.setattr(cloud.organization.accounts[ONE], "parent", Moving(new))
    facts = look.facts(accounts={**ORGANIZATION, "left_out": {"units": [old]}})
    (one,) = [member for member in facts.members if member.id == ONE]
    assert {old, new} <= one.units
    assert ONE not in facts.reaches


def test_a_member_that_may_not_ask_is_told_so(look: Look, cloud: StrictCloud) -> None:
    cloud.organization.join(ACCOUNT, role="member")
    answer = look.run(accounts=ORGANIZATION)
    assert (answer["status"], answer["errors"][0]["path"]) == ("failed", "ListAccounts")
    assert "AccessDeniedException" in answer["errors"][0]["problem"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("denied", "AccessDenied"),
        ("internal_error", "InternalFailure"),
        ("throttled", "Throttling"),
        ("answer_lost", "ReadTimeoutError"),
        ("never_arrived", "NoConnection"),
    ],
)
def test_a_role_that_is_not_taken_on_is_the_trouble_of_its_account_alone(
    look: Look, cloud: StrictCloud, fault: str, code: str
) -> None:
    cloud.faults.add(fault, operation="AssumeRole", match=role(ONE), times=None)
    assert codes(look, accounts=ORGANIZATION) == {ONE: code, ACCOUNT: "", TWO: "", THREE: ""}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("denied", "UnauthorizedOperation"),
        ("internal_error", "InternalError"),
        ("throttled", "RequestLimitExceeded"),
        ("answer_lost", "ReadTimeoutError"),
        ("never_arrived", "NoConnection"),
    ],
)
def test_an_account_that_does_not_answer_says_why(
    look: Look, cloud: StrictCloud, fault: str, code: str
) -> None:
    cloud.faults.add(fault, operation="DescribeRegions", times=None)
    answer = look.run(accounts={"ids": [ONE]})
    assert answer["reason"] == "no_account_reachable"
    assert look.plan is not None
    (one,) = look.plan.unreached
    assert (one.account, one.error["code"]) == (ONE, code)


@pytest.mark.parametrize("operation", ["AssumeRole", "DescribeRegions"])
@pytest.mark.parametrize("fault", ["internal_error", "throttled", "answer_lost", "never_arrived"])
def test_what_goes_wrong_once_with_an_account_is_repeated(
    look: Look, cloud: StrictCloud, operation: str, fault: str
) -> None:
    planned = cloud.faults.add(fault, operation=operation)
    assert set(codes(look, accounts=ORGANIZATION).values()) == {""}
    assert planned.fired == 1


def test_accounts_that_there_is_no_time_to_ask_are_told(
    look: Look, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "_AT_ONCE", 1)
    cloud.faults.add("never_arrived", operation="AssumeRole", match=role(ONE), seconds=900)
    found = codes(look, accounts={"ids": [ONE, TWO, THREE]})
    assert found == {ONE: "", TWO: "OutOfTime", THREE: "OutOfTime"}


def test_many_accounts_are_asked_beside_each_other_each_for_its_own(
    look: Look, cloud: StrictCloud
) -> None:
    many = [f"{number:012d}" for number in range(100, 140)]
    for number, account in enumerate(many):
        cloud.access.role(account, ROLE, external_id=EXTERNAL_ID, trusts=[ACCOUNT])
        if number % 2:
            cloud.regions.opt_in(account, "ap-east-1")
    reaches = look.facts(accounts={"ids": many}).reaches
    assert [account for account in many if "ap-east-1" in reaches[account].enabled] == many[1::2]
    assert cloud.calls.count("DescribeRegions") == len(many)
