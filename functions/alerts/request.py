"""What the alerts chore may be asked."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from caretaker.request import BaseRequest, Part, Time

type Hours = Annotated[int, Field(ge=1, le=8_784)]


class SilenceRequest(Part):
    """Incidents that nobody wants to hear of, and until when.

    `match` is compared with their whole keys and takes `*` and `?`. Asked for again with an `until`
    that has passed, a silence ends.
    """

    match: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    until: Time
    reason: Annotated[str, Field(max_length=256)] = ""


class AlertsRequest(BaseRequest):
    """The event of the alerts chore.

    Without `test` and `silence` it looks after everything that is open. The hours say when people
    hear of it again, and when a warning becomes urgent.
    """

    remind_critical_hours: Hours = 4
    remind_warning_hours: Hours = 24
    escalate_after_hours: Hours = 72
    test: bool = False
    silence: SilenceRequest | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.test and self.silence:
            msg = "must hold either test or silence"
            raise ValueError(msg)
        return self
