"""The strict cloud's Organizations: who may ask, units, accounts and their states, pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.aws.test_strict_tagging_server import JsonWire
from tests.cloud import ACCOUNT, REGION, Bucket, ManualClock, StrictCloud
from tests.cloud.organization_tree import ROOT
from tests.support.accounts import ONCE, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = ("111111111111", "222222222222", "333333333333")
LISTINGS = ("list_accounts", "list_roots")


@pytest.fixture
def organizations(cloud: StrictCloud) -> Any:
    return boto3.client("organizations", REGION, config=ONCE)


@pytest.fixture
def grown(cloud: StrictCloud) -> StrictCloud:
    """The function's account may ask; three members, one of them below a unit of a unit."""
    cloud.organization.join(ACCOUNT, role="delegated")
    cloud.organization.join("999999999999", role="management", name="payer")
    for each in MEMBERS:
        cloud.organization.join(each)
    return cloud


def pages(organizations: Any, listing: str, **asked: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of a listing, followed by their tokens."""
    token: dict[str, str] = {}
    while True:
        page = getattr(organizations, listing)(**asked, **token)
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def ids(organizations: Any, listing: str, name: str = "Accounts", **asked: str) -> list[str]:
    """Return the ids of all pages."""
    return [each["Id"] for page in pages(organizations, listing, **asked) for each in page[name]]


def test_all_accounts_are_listed_by_pages(grown: StrictCloud, organizations: Any) -> None:
    found = ids(organizations, "list_accounts")
    assert sorted(found) == sorted([ACCOUNT, "999999999999", *MEMBERS])
    assert [len(page["Accounts"]) for page in pages(organizations, "list_accounts")] == [2, 2, 1]


def test_a_page_has_at_most_twenty(grown: StrictCloud, organizations: Any) -> None:
    grown.pages.size = None
    for number in range(30):
        grown.organization.join(f"{number:012d}")
    assert [len(page["Accounts"]) for page in pages(organizations, "list_accounts")] == [20, 15]
    assert code_of(lambda: organizations.list_accounts(MaxResults=21)) == "InvalidInputException"
    wrong = partial(organizations.list_accounts, NextToken="made-up")
    assert code_of(wrong) == "InvalidInputException"


def test_a_page_may_be_empty_and_have_a_token(grown: StrictCloud, organizations: Any) -> None:
    grown.pages.empty = frozenset({1, 3})
    sizes = [len(page["Accounts"]) for page in pages(organizations, "list_accounts")]
    assert sizes == [0, 2, 0, 2, 1]
    assert len(ids(organizations, "list_accounts")) == 5


def test_units_and_their_accounts_are_found_below_their_parent(
    grown: StrictCloud, organizations: Any
) -> None:
    tree = grown.organization
    prod = tree.unit("Prod", tags={"Tier": "1"})
    shop = tree.unit("Shop", prod)
    tree.join(MEMBERS[0], shop)
    assert ids(organizations, "list_roots", "Roots") == [ROOT]
    listing = "list_organizational_units_for_parent", "OrganizationalUnits"
    assert ids(organizations, *listing, ParentId=ROOT) == [prod]
    assert ids(organizations, *listing, ParentId=prod) == [shop]
    assert ids(organizations, "list_accounts_for_parent", ParentId=prod) == []
    assert ids(organizations, "list_accounts_for_parent", ParentId=shop) == [MEMBERS[0]]
    assert MEMBERS[0] not in ids(organizations, "list_accounts_for_parent", ParentId=ROOT)
    tags = organizations.list_tags_for_resource(ResourceId=prod)["Tags"]
    assert tags == [{"Key": "Tier", "Value": "1"}]
    for listed in ("list_accounts_for_parent", "list_organizational_units_for_parent"):
        ask = getattr(organizations, listed)
        missing = partial(ask, ParentId="ou-ab12-99999999")
        assert code_of(missing) == "ParentNotFoundException"


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE"])
def test_an_account_has_a_state_and_a_status(
    grown: StrictCloud, organizations: Any, state: str
) -> None:
    tree, member = grown.organization, MEMBERS[0]

    def shown() -> tuple[str, str | None]:
        told = organizations.describe_account(AccountId=member)["Account"]
        assert told["Arn"].startswith("arn:aws:organizations::999999999999:account/o-")
        return told["State"], told.get("Status")

    assert shown() == ("ACTIVE", "ACTIVE")
    tree.set_state(member, state)
    assert shown() == (state, state)
    tree.stale.add(member)
    assert shown() == (state, "ACTIVE")
    tree.shows_status = False
    assert shown() == (state, None)


def test_status_has_no_word_for_the_newer_states(grown: StrictCloud, organizations: Any) -> None:
    grown.organization.set_state(MEMBERS[0], "PENDING_ACTIVATION")
    told = organizations.describe_account(AccountId=MEMBERS[0])["Account"]
    assert "Status" not in told
    ask = partial(organizations.describe_account, AccountId="444444444444")
    assert code_of(ask) == "AccountNotFoundException"


def test_a_member_learns_of_the_organization_and_of_nothing_in_it(
    grown: StrictCloud, organizations: Any
) -> None:
    grown.organization.join(ACCOUNT, role="member")
    told = organizations.describe_organization()["Organization"]
    assert (told["MasterAccountId"], told["FeatureSet"]) == ("999999999999", "ALL")
    for listing in LISTINGS:
        assert code_of(getattr(organizations, listing)) == "AccessDeniedException"


def test_who_is_in_none_is_told_so(organizations: Any) -> None:
    for ask in ("describe_organization", *LISTINGS):
        assert code_of(getattr(organizations, ask)) == "AWSOrganizationsNotInUseException"


def test_too_many_requests_are_refused(
    grown: StrictCloud, organizations: Any, clock: ManualClock
) -> None:
    grown.buckets["ListAccounts"] = Bucket(2, 1)
    asked = [organizations.list_accounts for _ in range(2)]
    assert all(ask()["Accounts"] for ask in asked)
    assert code_of(organizations.list_accounts) == "TooManyRequestsException"
    assert organizations.list_roots()["Roots"]
    clock.advance(1)
    assert organizations.list_accounts()["Accounts"]


def test_the_sdk_tries_again_what_was_too_much(grown: StrictCloud) -> None:
    grown.buckets["ListAccounts"] = Bucket(1, 1)
    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    patient: Any = boto3.client("organizations", REGION, config=config)
    assert len(ids(patient, "list_accounts")) == 5


def test_the_server_tells_the_same(grown: StrictCloud) -> None:
    wire = JsonWire(grown)
    unit = wire.strict("organization/unit", args=["Prod"])
    wire.strict("organization/join", args=["444444444444", unit], state="SUSPENDED")
    (told,) = wire.json("organizations", "ListAccountsForParent", ParentId=unit)["Accounts"]
    assert (told["Id"], told["State"]) == ("444444444444", "SUSPENDED")
    assert grown.calls[-1].action == "organizations:ListAccountsForParent"
