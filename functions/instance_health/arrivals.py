"""EventBridge events that tell of instances. Pure.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from caretaker.request import Part
from caretaker.selectors import InstanceId

if TYPE_CHECKING:
    from collections.abc import Mapping

EC2: Final = "aws.ec2"
HEALTH: Final = "aws.health"
RECOVERY_FAILED: Final = "AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_FAILURE"


class _Detail(BaseModel):
    """A part of an event that AWS may add to."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Entity(_Detail):
    """What an AWS Health event affects; of EC2 mostly instances."""

    entityValue: Annotated[str, Field(max_length=256)] = ""  # noqa: N815 - as AWS Health writes it


class StateChange(_Detail):
    """An instance came into another state."""

    instance_id: Annotated[InstanceId, Field(alias="instance-id")]
    state: Annotated[str, Field(max_length=32)]


class HealthEvent(_Detail):
    """What AWS tells of its own troubles."""

    eventArn: Annotated[str, Field(min_length=1, max_length=1600)]  # noqa: N815
    eventTypeCode: Annotated[str, Field(max_length=100)]  # noqa: N815
    eventTypeCategory: Annotated[str, Field(max_length=32)]  # noqa: N815
    statusCode: Annotated[str, Field(max_length=32)] = "open"  # noqa: N815
    startTime: Annotated[str, Field(max_length=64)] = ""  # noqa: N815
    affectedEntities: tuple[Entity, ...] = ()  # noqa: N815

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """Return the instances that it affects."""
        values = {each.entityValue.rpartition("/")[2] for each in self.affectedEntities}
        return tuple(sorted(each for each in values if each.startswith("i-")))


class Arrival(Part):
    """An event that arrived: where it came from, and its detail."""

    source: Literal["aws.ec2", "aws.health"]
    detail: StateChange | HealthEvent

    @model_validator(mode="after")
    def _fits(self) -> Self:
        expected = StateChange if self.source == EC2 else HealthEvent
        if not isinstance(self.detail, expected):
            msg = "must have the detail that its source sends"
            raise ValueError(msg)  # noqa: TRY004 - a fault of the event
        return self

    @property
    def about(self) -> str:
        """Return a short name of what it tells of."""
        if isinstance(self.detail, StateChange):
            return self.detail.instance_id
        return sha256(self.detail.eventArn.encode()).hexdigest()[:16]


def resolve(event: Mapping[str, Any], _scene: object) -> dict[str, Any]:
    """Return the request that a bare EventBridge event stands for."""
    asked: dict[str, Any] = {
        "event": {"source": event.get("source"), "detail": event.get("detail")}
    }
    return asked | ({"scheduled_time": event["time"]} if "time" in event else {})
