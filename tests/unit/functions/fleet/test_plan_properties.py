"""What holds for every organization."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.request import parse_request
from functions.fleet.facts import Action, Cell, Facts, Member, Reach, Reason, Room
from functions.fleet.plan import Plan, plan_fleet
from functions.fleet.request import FleetRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

quick = settings(max_examples=60, deadline=None)

IDS = [str(111111111111 * number) for number in range(1, 9)]
REGIONS = ["ap-east-1", "eu-south-1", "eu-west-1", "us-east-1"]
UNITS = ["r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb", "ou-ab12-cccccccc"]
TAGS = [("stage", "prod"), ("stage", "test"), ("owner", "shop")]
OWN = Cell(IDS[0], "eu-west-1")
ERROR = {"code": "AccessDenied", "message": "no", "request_id": ""}


def some(of: Sequence[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), max_size=most)


def members() -> st.SearchStrategy[Member]:
    return st.builds(
        Member,
        id=st.sampled_from(IDS),
        name=st.sampled_from(["", "shop", "bank"]),
        state=st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "SUSPENDED"]),
        is_management=st.sampled_from([False, False, False, True]),
        units=st.frozensets(st.sampled_from(UNITS)),
        tags=st.dictionaries(*map(st.sampled_from, ([k for k, _ in TAGS], [v for _, v in TAGS]))),
    )


def reaches() -> st.SearchStrategy[Reach]:
    open_ones = st.builds(
        Reach, enabled=st.frozensets(st.sampled_from(REGIONS)), known=st.just(frozenset(REGIONS))
    )
    return st.one_of(open_ones, open_ones, open_ones, st.just(Reach(error=ERROR)))


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    there = draw(st.lists(members(), max_size=8, unique_by=lambda member: member.id))
    return Facts(
        members=there,
        reaches={member.id: draw(reaches()) for member in there},
        room=Room(draw(st.integers(0, 300))),
        units=frozenset(UNITS),
        before=draw(st.one_of(st.none(), st.integers(0, 40))),
    )


PATTERNS = ["stage", "stage=p*", "owner=shop", "*=test"]
LEFT_OUT = st.fixed_dictionaries(
    {}, optional={"ids": some(IDS), "units": some(UNITS, 1), "tags": some(PATTERNS, 1)}
)
EVENTS = st.fixed_dictionaries(
    {
        "chore": st.just("snapshot"),
        "accounts": st.fixed_dictionaries(
            {"organization": st.sampled_from([True])},
            optional={
                "ids": some(IDS, 8),
                "units": some(UNITS),
                "tags": some(PATTERNS, 2),
                "management": st.booleans(),
                "left_out": LEFT_OUT,
            },
        ),
    },
    optional={
        "regions": st.fixed_dictionaries(
            {},
            optional={
                "names": some(REGIONS, 4),
                "enabled": st.booleans(),
                "left_out": some(REGIONS, 2),
            },
        ),
        "concurrency": st.integers(1, 400),
        "canary": st.fixed_dictionaries(
            {"account": st.sampled_from(IDS), "region": st.sampled_from(REGIONS)}
        ),
    },
)


def plan(known: Facts, event: dict[str, Any]) -> Plan:
    return plan_fleet(known, parse_request(FleetRequest, event), own=OWN)


def accounts_of(made: Plan) -> Counter[str]:
    return Counter(each.target.partition("/")[0] for each in made.decisions)


@quick
@given(worlds(), EVENTS)
def test_every_account_is_either_meant_or_left_out_and_told(
    known: Facts, event: dict[str, Any]
) -> None:
    made = plan(known, event)
    there = {member.id for member in known.members}

    meant = {cell.account for cell in made.cells} | {each.account for each in made.unreached}
    assert meant | set(made.left) == there
    assert meant.isdisjoint(made.left)
    assert there <= accounts_of(made).keys()
    alone = {each.target for each in made.decisions if "/" not in each.target}
    assert all(accounts_of(made)[account] == 1 for account in alone)


@quick
@given(worlds(), EVENTS)
def test_every_cell_has_just_one_decision(known: Facts, event: dict[str, Any]) -> None:
    made = plan(known, event)

    targets = [each.target for each in made.decisions]
    assert targets == sorted(set(targets))
    running = [each.target for each in made.decisions if each.action == Action.RUN]
    assert sorted(running) == sorted(cell.name for cell in made.cells)
    assert list(made.cells) == sorted(set(made.cells))
    assert all(each.is_change == (each.reason == Reason.SELECTED) for each in made.decisions)


@quick
@given(worlds(), EVENTS)
def test_a_cell_is_an_active_account_that_let_us_in_and_an_enabled_region_of_it(
    known: Facts, event: dict[str, Any]
) -> None:
    there = {member.id: member for member in known.members}
    asked = parse_request(FleetRequest, event)

    for cell in plan(known, event).cells:
        member, reach = there[cell.account], known.reaches[cell.account]
        assert member.state == "ACTIVE"
        assert reach.error is None
        assert cell.region in reach.enabled
        assert cell.region not in asked.regions.left_out
        assert cell.account not in asked.accounts.left_out.ids
        assert not member.units & set(asked.accounts.left_out.units)
        assert asked.accounts.management or not member.is_management
        assert not asked.accounts.units or member.units & set(asked.accounts.units)
        assert not asked.regions.names or cell.region in asked.regions.names


@quick
@given(worlds(), EVENTS)
def test_what_is_meant_and_is_no_cell_is_named_as_unreached(
    known: Facts, event: dict[str, Any]
) -> None:
    made = plan(known, event)
    told = {each.target: str(each.reason) for each in made.decisions}

    for each in made.unreached:
        target = f"{each.account}/{each.region}" if each.region else each.account
        assert told[target] == each.reason
        assert each.error["message"]
        assert (each.account, each.region) not in made.cells
    shut = {each.account for each in made.unreached if not each.region}
    assert shut == {
        account
        for account, reach in known.reaches.items()
        if reach.error and account not in made.left
    }


@quick
@given(worlds(), EVENTS, st.integers(0, 999))
def test_the_order_of_anything_does_not_matter(
    known: Facts, event: dict[str, Any], seed: int
) -> None:
    chance = random.Random(seed)

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(key, shuffled(each)) for key, each in value.items()]
            chance.shuffle(items)
            return dict(items)
        return chance.sample(value, len(value)) if isinstance(value, list) else value

    other = replace(
        known, members=shuffled(list(known.members)), reaches=shuffled(dict(known.reaches))
    )
    assert plan(other, shuffled(event)) == plan(known, event)


@quick
@given(worlds(), EVENTS)
def test_what_begins_fits_into_lambda_and_has_a_cell(known: Facts, event: dict[str, Any]) -> None:
    made = plan(known, event)

    assert made.concurrency >= 1
    assert made.refusal or (made.cells and made.concurrency <= known.room.runs)
    assert made.canary is None or made.canary in made.cells
    if made.refusal:
        assert all(each["path"] and each["problem"] for each in made.refusal.errors)
        assert all(each["expected"] for each in made.refusal.errors)


@quick
@given(worlds(), EVENTS, st.sampled_from(IDS))
def test_one_account_that_lets_nobody_in_changes_nothing_of_any_other(
    known: Facts, event: dict[str, Any], account: str
) -> None:
    shut = replace(known, reaches={**known.reaches, account: Reach(error=ERROR)})
    before, after = plan(known, event), plan(shut, event)

    assert [cell for cell in after.cells if cell.account != account] == [
        cell for cell in before.cells if cell.account != account
    ]
    assert after.left == before.left or set(before.left) - set(after.left) <= {account}


@quick
@given(worlds(), EVENTS)
def test_what_is_meant_is_each_cell_and_at_least_one_for_all_that_is_out_of_reach(
    known: Facts, event: dict[str, Any]
) -> None:
    made = plan(known, event)

    of_account = Counter(cell.account for cell in made.cells)
    of_account.update(each.account for each in made.unreached if each.region)
    shut = [each.account for each in made.unreached if not each.region]
    most = max(of_account.values(), default=1)
    assert made.meant == sum(of_account.values()) + most * len(shut)
    assert made.meant >= len(made.cells) + len(made.unreached)


@quick
@given(worlds(), EVENTS, st.sets(st.sampled_from(IDS)))
def test_accounts_that_shut_and_regions_that_go_off_refuse_no_run_of_named_regions(
    known: Facts, event: dict[str, Any], shut: set[str]
) -> None:
    """What is meant then is in the event, and is the same however much is out of reach."""
    regions = {"names": REGIONS[:3], "left_out": REGIONS[2:]}
    event = {**event, "regions": regions, "canary": None}
    ill = {**known.reaches, **dict.fromkeys(shut, Reach(error=ERROR))}
    before = plan(known, event)
    after = plan(replace(known, reaches=ill, before=before.meant), event)

    if after.cells and before.cells:
        assert after.meant == before.meant
    assert after.refusal is None or after.refusal.reason != "fewer_cells" or not before.cells


@quick
@given(worlds(), EVENTS)
def test_an_approved_plan_is_let_through_and_is_the_same_plan(
    known: Facts, event: dict[str, Any]
) -> None:
    made = plan(known, event)
    approved = plan(known, {**event, "approve": made.id})

    assert approved.decisions == made.decisions
    assert approved.id == made.id
    if made.refusal and made.refusal.reason == "fewer_cells":
        assert approved.refusal is None
    else:
        assert approved.refusal == made.refusal
