"""What the retention chore may be asked."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from caretaker.blast_radius import BlastRadius
from caretaker.request import BaseRequest, Part, PolicyName


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


class RetentionRequest(BaseRequest):
    """The event of the retention chore.

    `orphans_keep_days` is how long the rules hold for a volume that is gone, counted from its
    newest good slot; 0 is for ever. `blast_radius` bounds how many of the policy's good snapshots
    one run may mark, and how many it may delete. `price_per_gib_month` is what the savings are told
    in.
    """

    policy: PolicyName = "daily"
    keep: Keep
    orphans_keep_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    blast_radius: BlastRadius = BlastRadius()
    price_per_gib_month: Annotated[float, Field(ge=0, le=1_000)] = 0.05
