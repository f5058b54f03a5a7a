"""Accounts, regions and cells, as the fleet chore sees them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caretaker.tags import Tags

ACTIVE: Final = "ACTIVE"


class Action(StrEnum):
    """What may happen to an account, or to a cell."""

    RUN = "run"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    SELECTED = "selected"
    EXCLUDED = "excluded"
    NOT_NAMED = "not_named"
    NOT_A_MEMBER = "not_a_member"
    NOT_ACTIVE = "not_active"
    MANAGEMENT = "management"
    NOT_IN_UNITS = "not_in_units"
    NOT_TAGGED = "not_tagged"
    NO_REGION = "no_region"
    UNREACHABLE = "unreachable"
    REGION_DISABLED = "region_disabled"
    ENDED = "ended"
    UNANSWERED = "unanswered"
    UNFINISHED = "unfinished"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_STARTED = "not_started"


class Cell(NamedTuple):
    """An account and a region: where one run of a chore works."""

    account: str
    region: str

    @property
    def name(self) -> str:
        """Return what reports call it."""
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, slots=True)
class Member:
    """An account, as the organization tells it; `units` are all those above it, the root too.

    Its `state` is that of https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    """

    id: str
    name: str = ""
    state: str = ACTIVE
    is_management: bool = False
    units: frozenset[str] = frozenset()
    tags: Tags = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reach:
    """What a chosen account said: its enabled regions, or why it could not be asked.

    `known` are all regions that there are, enabled or not.
    """

    enabled: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """Concurrent runs that Lambda has for a function: its own reserve, or what nobody reserved.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """

    runs: int
    is_reserved: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered: all accounts, what each chosen one said, and what stands in the way.

    `units` are all units of the organization, those without accounts too. `before` is how many
    cells the last run of the same choice had, None where there was none.
    """

    members: Sequence[Member]
    reaches: Mapping[str, Reach]
    room: Room
    units: frozenset[str] = frozenset()
    before: int | None = None
