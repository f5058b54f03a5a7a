"""What the retention chore may be asked."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from caretaker.request import BaseRequest, Part, PolicyName

FEW: Final = 10
"""So many are no part worth measuring: of a small policy a single one is a large part."""
MAX_PERCENT: Final = 50


class Keep(Part):
    """Which slots of a lineage stay: the union of all rules, in UTC, weeks by ISO 8601.

    `last` are the newest slots; the others are the newest slot of each of the newest so many
    periods that have one. `within_days` counts back from the newest slot.
    """

    last: Annotated[int, Field(ge=0, le=10_000)] = 0
    hourly: Annotated[int, Field(ge=0, le=10_000)] = 0
    daily: Annotated[int, Field(ge=0, le=3_660)] = 0
    weekly: Annotated[int, Field(ge=0, le=530)] = 0
    monthly: Annotated[int, Field(ge=0, le=1_200)] = 0
    yearly: Annotated[int, Field(ge=0, le=100)] = 0
    within_days: Annotated[int, Field(ge=0, le=36_500)] = 0

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not any(self.model_dump().values()):
            msg = "must have a rule above 0, as {'daily': 14, 'weekly': 8}"
            raise ValueError(msg)
        return self


class BlastRadius(Part):
    """How many of a policy's good snapshots one run may mark, and how many it may delete.

    The greater of `count` and `percent` counts; whatever they say, it is never more than ten or
    half of them. With both at 0 nothing may go.
    """

    count: Annotated[int, Field(ge=0, le=100_000)] = FEW
    percent: Annotated[int, Field(ge=0, le=MAX_PERCENT)] = 25

    def limit(self, good: int) -> int:
        """Return how many of `good` snapshots may go."""
        asked = max(self.count, good * self.percent // 100)
        return min(asked, max(FEW, good * MAX_PERCENT // 100))


class RetentionRequest(BaseRequest):
    """The event of the retention chore.

    `orphans_keep_days` is how long the rules hold for a volume that is gone, counted from its
    newest good slot; 0 is for ever. `price_per_gib_month` is what the savings are told in.
    """

    policy: PolicyName = "daily"
    keep: Keep
    orphans_keep_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    blast_radius: BlastRadius = BlastRadius()
    price_per_gib_month: Annotated[float, Field(ge=0, le=1_000)] = 0.05
