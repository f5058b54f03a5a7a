"""Which accounts are meant."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.request import parse_part
from functions.fleet.facts import Member, Reason
from functions.fleet.members import choose, in_question
from functions.fleet.request import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT, PROD, TEAM, TEST = "r-ab12", "ou-ab12-prod0000", "ou-ab12-team0000", "ou-ab12-test0000"
MANAGEMENT = Member("111111111111", "root", is_management=True, units=frozenset({ROOT}))
SHOP = Member(
    "222222222222",
    "shop",
    units=frozenset({ROOT, PROD, TEAM}),
    tags={"stage": "prod", "owner": "shop"},
)
BANK = Member("333333333333", "bank", units=frozenset({ROOT, PROD}), tags={"stage": "prod"})
LAB = Member("444444444444", "lab", units=frozenset({ROOT, TEST}), tags={"stage": "test"})
CLOSED = Member("555555555555", "old", state="SUSPENDED", units=frozenset({ROOT, PROD}))
ALL = (MANAGEMENT, SHOP, BANK, LAB, CLOSED)


def asked(**accounts: Any) -> Accounts:
    return parse_part(Accounts, {"organization": True, **accounts}, "accounts")


def names(members: Iterable[Member]) -> list[str]:
    return [member.name for member in members]


def reasons(accounts: Accounts, members: Iterable[Member] = ALL) -> dict[str, Reason]:
    return {member.name: reason for member, reason in choose(members, accounts).left_out}


def test_every_active_account_but_the_management_one_is_meant() -> None:
    choice = choose(ALL, asked())
    assert names(choice.chosen) == ["shop", "bank", "lab"]
    assert reasons(asked()) == {"root": Reason.MANAGEMENT, "old": Reason.NOT_ACTIVE}


def test_the_management_account_is_one_where_that_is_asked() -> None:
    assert names(choose(ALL, asked(management=True)).chosen) == ["root", "shop", "bank", "lab"]


@pytest.mark.parametrize("state", ["PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_an_account_in_any_other_state_is_not_meant(state: str) -> None:
    assert reasons(asked(), [Member("222222222222", state=state)]) == {"": Reason.NOT_ACTIVE}


def test_of_named_accounts_no_other_is_meant() -> None:
    accounts = asked(ids=["222222222222", "555555555555"])
    assert names(choose(ALL, accounts).chosen) == ["shop"]
    assert reasons(accounts) == {
        "root": Reason.NOT_NAMED,
        "bank": Reason.NOT_NAMED,
        "lab": Reason.NOT_NAMED,
        "old": Reason.NOT_ACTIVE,
    }


def test_a_unit_means_all_accounts_below_it_however_deep() -> None:
    assert names(choose(ALL, asked(units=[PROD])).chosen) == ["shop", "bank"]
    assert names(choose(ALL, asked(units=[TEAM, TEST])).chosen) == ["shop", "lab"]
    assert names(choose(ALL, asked(units=[ROOT])).chosen) == ["shop", "bank", "lab"]
    assert reasons(asked(units=[PROD]))["lab"] == Reason.NOT_IN_UNITS


def test_a_unit_that_is_left_out_outweighs_one_that_is_asked_for() -> None:
    accounts = asked(units=[PROD], left_out={"units": [TEAM]})
    assert names(choose(ALL, accounts).chosen) == ["bank"]
    assert reasons(accounts)["shop"] == Reason.EXCLUDED


def test_an_id_that_is_left_out_outweighs_the_same_that_is_named() -> None:
    accounts = asked(ids=["222222222222"], left_out={"ids": ["222222222222"]})
    assert reasons(accounts)["shop"] == Reason.EXCLUDED


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (["stage"], ["shop", "bank", "lab"]),
        (["stage=prod"], ["shop", "bank"]),
        (["stage=p*"], ["shop", "bank"]),
        (["st?ge=prod", "owner"], ["shop"]),
        (["stage=prod", "owner=bank"], []),
        (["Stage"], []),
        (["stage=*=*"], []),
    ],
)
def test_an_account_needs_every_tag_that_is_asked_for(tags: list[str], chosen: list[str]) -> None:
    choice = choose(ALL, asked(tags=tags))
    assert names(choice.chosen) == chosen
    left = {member.name for member, reason in choice.left_out if reason is Reason.NOT_TAGGED}
    assert left == {"shop", "bank", "lab"} - set(chosen)


def test_any_tag_that_is_left_out_leaves_an_account_out() -> None:
    accounts = asked(tags=["stage=prod"], left_out={"tags": ["owner=shop", "cost"]})
    assert names(choose(ALL, accounts).chosen) == ["bank"]
    assert reasons(accounts)["shop"] == Reason.EXCLUDED


def test_without_the_organization_the_named_accounts_are_meant() -> None:
    accounts = Accounts(ids=("222222222222", "333333333333"))
    choice = choose([Member("333333333333"), Member("222222222222")], accounts)
    assert [member.id for member in choice.chosen] == ["222222222222", "333333333333"]


def test_tags_are_in_question_of_those_accounts_alone_that_nothing_else_leaves_out() -> None:
    accounts = asked(
        units=[PROD, TEST], tags=["stage=prod"], left_out={"ids": [LAB.id], "tags": ["owner"]}
    )
    assert names(in_question(ALL, accounts)) == ["shop", "bank"]
    assert names(in_question(ALL, asked(tags=["no-such"]))) == ["shop", "bank", "lab"]


def test_an_account_whose_tags_were_not_read_has_the_verdict_of_the_rest() -> None:
    accounts = asked(units=[PROD], tags=["stage"], left_out={"tags": ["stage=test"]})
    assert reasons(accounts)["lab"] == Reason.NOT_IN_UNITS


def test_an_account_that_is_listed_twice_is_one() -> None:
    choice = choose([*ALL, *ALL], asked())
    assert names(choice.chosen) == ["shop", "bank", "lab"]
    assert len(choice.left_out) == 2


def test_the_order_of_the_accounts_does_not_matter() -> None:
    shuffled = random.Random(1).sample(ALL, len(ALL))
    assert shuffled != list(ALL)
    assert choose(shuffled, asked(units=[PROD])) == choose(ALL, asked(units=[PROD]))
