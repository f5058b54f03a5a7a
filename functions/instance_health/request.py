"""What the instance health chore may be asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from caretaker.request import BaseRequest, Part
from caretaker.selectors import InstanceId
from caretaker.windows import Window

from .arrivals import Arrival

MAX_LADDERS_PER_DAY: Final = 2
"""EC2 itself tries three recoveries a day at most.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-recover.html
"""
MAX_GROUP_PERCENT: Final = 10
MAX_BREAKER_PERCENT: Final = 20


class Rung(StrEnum):
    """A step of a ladder; at `page` people are woken, and the ladder goes on."""

    REBOOT = "reboot"
    STOP_START = "stop-start"
    PAGE = "page"


type Ladder = Annotated[tuple[Rung, ...], Field(min_length=1, max_length=6)]


class Ladders(Part):
    """What is tried in turn, by what is to blame; after the last rung people are woken."""

    system: Ladder = (Rung.STOP_START, Rung.PAGE)
    ebs: Ladder = (Rung.PAGE, Rung.STOP_START)
    instance: Ladder = (Rung.REBOOT, Rung.REBOOT, Rung.STOP_START, Rung.PAGE)


class Repairs(Part):
    """When a repair begins, what it does, and how much is repaired at once.

    Minutes: impaired for so long before anything is done; since the launch; left to EC2's own
    recovery; from a step to the next; from a repair to another, which doubles each time. The upper
    bounds of the budgets hold whatever is asked for.
    """

    impaired_minutes: Annotated[int, Field(ge=3, le=60)] = 3
    polls: Annotated[int, Field(ge=2, le=10)] = 2
    settle_minutes: Annotated[int, Field(ge=10, le=120)] = 10
    recovery_minutes: Annotated[int, Field(ge=10, le=60)] = 10
    step_minutes: Annotated[int, Field(ge=10, le=15)] = 10
    cooldown_minutes: Annotated[int, Field(ge=15, le=1440)] = 15
    ladders_per_day: Annotated[int, Field(ge=0, le=MAX_LADDERS_PER_DAY)] = MAX_LADDERS_PER_DAY
    group_percent: Annotated[int, Field(ge=0, le=MAX_GROUP_PERCENT)] = MAX_GROUP_PERCENT
    breaker_percent: Annotated[int, Field(ge=1, le=MAX_BREAKER_PERCENT)] = MAX_BREAKER_PERCENT
    breaker_count: Annotated[int, Field(ge=2, le=3)] = 3
    address_may_change: bool = False
    ladders: Ladders = Ladders()


class Asked(Part):
    """A repair that another chore asks for, until the incident with this full key is over."""

    instance: InstanceId
    incident: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]


class InstanceHealthRequest(BaseRequest):
    """The event of the instance health chore.

    `group_by` is the key of a tag: instances with the same value are one group for the budget, else
    those of a zone are. With `repair` another chore asks for a repair; with `event`, the source and
    the detail of an EventBridge event, the run is about what that tells alone.
    """

    group_by: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    maintenance_windows: Annotated[tuple[Window, ...], Field(max_length=20)] = ()
    repairs: Repairs = Repairs()
    repair: Asked | None = None
    event: Arrival | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.repair and self.event:
            msg = "must have repair or event, not both"
            raise ValueError(msg)
        return self

    def is_spared_by(self, other: str, slot: str) -> bool:  # noqa: ARG002 - whichever slots
        """A poll that meets another one is not needed; what is asked for comes only once."""
        return self.repair is None

    @property
    def lease_scope(self) -> str:
        """Return what an event is about: such a run begins no repair, so it need not wait."""
        return f"event/{self.event.about}" if self.event else ""
