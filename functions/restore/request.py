"""What the restore chore may be asked: a plan, its start, or a step of the state machine."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from caretaker.request import BaseRequest, Part, PlanId, PolicyName, Time, wrong_field
from caretaker.request import Target as Place
from caretaker.selectors import InstanceId, Select, VolumeId
from caretaker.settings import Mode

from .facts import How

_OF_A_RESTORE: Final = frozenset(
    {"approve", "at", "check_minutes", "how", "order", "price_per_gib_month", "wave", "zone"}
)
"""Fields that say nothing without `select`, but for `approve` of what was started before."""


class Order(Part):
    """Which instances come first: those whose tag has the first value, and so on; the rest last.

    No wave holds instances of two values.
    """

    tag: Annotated[str, Field(min_length=1, max_length=128)]
    values: Annotated[
        tuple[Annotated[str, Field(max_length=256)], ...], Field(min_length=1, max_length=50)
    ]


class Step(Part):
    """A step of the state machine: the next `wave` of a plan, or one look at one of its targets.

    A person may `end` a plan.
    """

    plan: PlanId
    do: Literal["wave", "advance", "end"]
    target: InstanceId | VolumeId | None = None

    @model_validator(mode="after")
    def _knows_whom(self) -> Self:
        if (self.do == "advance") != (self.target is not None):
            msg = "must have a target to advance, and none else"
            raise ValueError(msg)
        return self


class RestoreRequest(BaseRequest):
    """The event of the restore chore.

    `policy` is the backup policy whose slots are used; `at` is the moment to go back to, now when
    it is left out. `select` says what; left empty, with no `step`, nothing is asked: then the run
    looks after restores that are under way. `approve` alone takes up one that was started. `zone`
    is where volumes are made that are gone.
    """

    policy: PolicyName = "daily"
    select: Select = Select()
    at: Time | None = None
    how: How = How.VOLUMES
    wave: Annotated[int, Field(ge=1, le=1_000)] = 10
    order: Order | None = None
    check_minutes: Annotated[int, Field(ge=0, le=60)] = 10
    zone: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$")] | None = None
    price_per_gib_month: Annotated[float, Field(ge=0, le=1_000)] = 0.08
    step: Step | None = None

    @field_validator("target")
    @classmethod
    def _stays_at_home(cls, target: Place) -> Place:
        if target != Place():
            msg = "must be left out: the state machine works in the function's account and region"
            raise ValueError(msg)
        return target

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        beside = sorted(self.model_fields_set & _OF_A_RESTORE)
        if beside not in ([], ["approve"]) and self.select.is_by_policy and self.step is None:
            problem = f"left out or empty, with {', '.join(beside)}"
            raise wrong_field("select", problem, "what is to be brought back, by ids or tags")
        if self.approve and self.mode is Mode.REPORT:
            problem = "report changes nothing, also not what is approved"
            raise wrong_field("mode", problem, "act to carry out the plan, or no approve")
        return self

    @property
    def is_asked(self) -> bool:
        """Tell whether something is to be brought back, or what was started is to be taken up."""
        return self.step is None and (not self.select.is_by_policy or self.approve is not None)

    @property
    def lease_scope(self) -> str:
        """Return whom a step is about, or what a person asks: these go beside each other."""
        if self.step:
            return self.step.target or self.step.plan
        return (self.approve or "asked") if self.is_asked else ""

    def is_spared_by(self, other: str, slot: str) -> bool:
        """The same approval, sent twice, begins once; whatever else is asked must not get lost."""
        return other == slot and (self.approve is not None or not self.is_asked)
