"""What the service repair chore may be asked."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from caretaker.repairs import EcsService, SsmDocument, TargetName
from caretaker.request import BaseRequest, Part, Target

MAX_PER_DAY: Final = 2
MAX_AT_ONCE: Final = 3


class Asked(Part):
    """A repair that another chore, or a person, asks for.

    `incident` is the full key of what it is asked for: nothing is repaired unless that is open.
    """

    ecs_service: EcsService | None = None
    ssm_document: SsmDocument | None = None
    incident: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    target: TargetName

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.ecs_service is None) == (self.ssm_document is None):
            msg = "must have one of ecs_service, ssm_document"
            raise ValueError(msg)
        return self

    @property
    def resource(self) -> str:
        """Return what the budgets are of: a service, or an instance whatever is run on it."""
        if self.ecs_service:
            return f"{self.ecs_service.cluster}/{self.ecs_service.service}"
        assert self.ssm_document  # noqa: S101 - one of the two is there
        return self.ssm_document.instance


class Repairs(Part):
    """How much is repaired; the bounds hold whatever is asked for.

    Minutes: how long a repair is left to work before it is judged; from a repair to the next of the
    same resource, which doubles each time. `at_once` are the resources whose repairs are not judged
    yet.
    """

    repairs_per_day: Annotated[int, Field(ge=0, le=MAX_PER_DAY)] = MAX_PER_DAY
    at_once: Annotated[int, Field(ge=1, le=MAX_AT_ONCE)] = MAX_AT_ONCE
    settle_minutes: Annotated[int, Field(ge=3, le=60)] = 5
    cooldown_minutes: Annotated[int, Field(ge=15, le=1440)] = 15


class ServiceRepairRequest(BaseRequest):
    """The event of the service repair chore.

    Without `repair` a run only looks which of the repairs asked for are over.
    """

    repair: Asked | None = None
    repairs: Repairs = Repairs()

    @field_validator("target")
    @classmethod
    def _stays_at_home(cls, target: Target) -> Target:
        if target.account or target.region:
            msg = "must be left out: repairs are made in the stack's own account and region"
            raise ValueError(msg)
        return target

    def is_spared_by(self, other: str, slot: str) -> bool:
        """Of a resource that is under repair nothing more is done: who asked asks again."""
        return self.repair is not None or other == slot

    @property
    def lease_scope(self) -> str:
        """Return what is repaired: repairs of different resources go beside each other."""
        return self.repair.resource if self.repair else ""
