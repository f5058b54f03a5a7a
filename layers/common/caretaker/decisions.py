"""The values that flow from decide to apply to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from caretaker.errors import FieldError

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None
type Detail = Mapping[str, Json]

NOTHING: Final[Detail] = MappingProxyType({})
UNCHANGING: Final = frozenset({"keep", "skip", "report"})


class Result(StrEnum):
    """How an item ended."""

    DONE = "done"
    PLANNED = "planned"
    UNCHANGED = "unchanged"
    DEFERRED = "deferred"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to happen to one target, and why; `reason` is one of the chore's documented codes.

    `identity` is what else makes it this change and no other, where a plan is approved by its name.
    """

    target: str
    action: str
    reason: str
    detail: Detail = NOTHING
    identity: str = ""

    @property
    def is_change(self) -> bool:
        """Tell whether carrying it out would change something in the account."""
        return self.action not in UNCHANGING


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why none of a run's decisions may be carried out; `errors` name what to look at."""

    reason: str
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Decisions that are carried out together.

    `lane` names the AWS action that paces them: lanes run beside each other, because AWS keeps a
    bucket per action. `notes` go into the detail of each outcome, planned ones included.
    """

    lane: str
    decisions: tuple[Decision, ...]
    notes: Detail = NOTHING


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one decision ended."""

    decision: Decision
    result: Result
    detail: Detail = NOTHING
    error: Mapping[str, str] | None = field(default=None)

    def with_detail(self, **more: Json) -> Outcome:
        """Return the same outcome with more detail."""
        return replace(self, detail={**self.detail, **more})
