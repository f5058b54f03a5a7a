"""Words that the tests of a fleet's plans share: an organization, what its accounts say, a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.request import parse_request
from functions.fleet.facts import Cell, Facts, Member, Reach, Room
from functions.fleet.plan import Plan, plan_fleet
from functions.fleet.request import FleetRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.decisions import Refusal

HUB, ONE, TWO, THREE = "123456789012", "111111111111", "222222222222", "333333333333"
HOME, SOUTH, EAST, FAR = "eu-west-1", "eu-south-1", "us-east-1", "ap-east-1"
KNOWN: Final = frozenset({HOME, SOUTH, EAST, FAR})
OWN: Final = Cell(HUB, HOME)
DENIED: Final = {
    "code": "AccessDenied",
    "message": "not authorized to assume it",
    "request_id": "r-1",
}
SHUT: Final = Reach(error=DENIED)
MEMBERS: Final = (
    Member(HUB, "hub"),
    Member(ONE, "one"),
    Member(TWO, "two"),
    Member(THREE, "", state="SUSPENDED"),
)
ORGANIZATION: Final[Mapping[str, Any]] = {"accounts": {"organization": True}}


def enabled(*regions: str) -> Reach:
    """Return what an account says that has these regions."""
    return Reach(frozenset(regions), KNOWN)


OPEN: Final = {HUB: enabled(HOME, EAST), ONE: enabled(HOME, EAST), TWO: enabled(HOME)}


def facts(reaches: Mapping[str, Reach] = OPEN, **known: Any) -> Facts:
    """Return what was gathered: all that is usual, unless told otherwise."""
    return Facts(**{"members": MEMBERS, "reaches": reaches, "room": Room(1000), **known})


def crowd(
    accounts: int, before: int | None = None, *, shut: int = 0, regions: tuple[str, ...] = (HOME,)
) -> Facts:
    """Return an organization of so many accounts that have these regions, and some that are shut.

    `before` is how many cells its last run had.
    """
    many = [Member(f"{100_000_000_000 + number}") for number in range(accounts + shut)]
    reaches = {
        each.id: SHUT if number < shut else enabled(*regions) for number, each in enumerate(many)
    }
    return facts(reaches, members=many, before=before)


def ask(**event: Any) -> FleetRequest:
    """Return the request of an event: one for snapshots unless told otherwise."""
    return parse_request(FleetRequest, {"chore": "snapshot", **event})


def plan(known: Facts, **event: Any) -> Plan:
    """Return the plan for an event."""
    return plan_fleet(known, ask(**event), own=OWN)


def names(made: Plan) -> list[str]:
    """Return the names of a plan's cells."""
    return [cell.name for cell in made.cells]


def reasons(made: Plan) -> dict[str, str]:
    """Return the reason of each decision, by its target."""
    return {each.target: str(each.reason) for each in made.decisions}


def refused(made: Plan) -> Refusal:
    """Return why nothing of a plan may begin."""
    assert made.refusal is not None
    return made.refusal


def errors(made: Plan) -> list[tuple[str, str, str]]:
    """Return path, problem and what is expected, of each fault that refuses a plan."""
    return [(each["path"], each["problem"], each["expected"]) for each in refused(made).errors]
