"""How much one run may change at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from caretaker.decisions import Refusal
from caretaker.errors import FieldError
from caretaker.request import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

FEW: Final = 10
"""So many are no part worth measuring: of a small policy a single one is a large part."""
MAX_PERCENT: Final = 50


class BlastRadius(Part):
    """How many of what a policy is about one run may change, of each kind of change.

    The greater of `count` and `percent` counts; whatever they say, it is never more than ten or
    half of them. With both at 0 nothing may be changed.
    """

    count: Annotated[int, Field(ge=0, le=100_000)] = FEW
    percent: Annotated[int, Field(ge=0, le=MAX_PERCENT)] = 25

    def limit(self, population: int) -> int:
        """Return how many of the population may be changed."""
        asked = max(self.count, population * self.percent // 100)
        return min(asked, max(FEW, population * MAX_PERCENT // 100))

    def refusal(self, changes: Mapping[str, int], population: int) -> Refusal | None:
        """Return why so many changes of each kind may not happen; None when they may."""
        limit = self.limit(population)
        problems = tuple(
            FieldError("blast_radius", f"{number} {kind}", f"at most {limit} of {population}")
            for kind, number in changes.items()
            if number > limit
        )
        return Refusal("blast_radius", problems) if problems else None
