"""What the alerts chore may be asked."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from caretaker.request import BaseRequest, Part, Target, Time

type Pattern = Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
type Hours = Annotated[int, Field(ge=1, le=8_784)]


class SilenceRequest(Part):
    """Incidents that nobody wants to hear of, and until when.

    `match` is compared with their whole keys and takes `*` and `?`. Asked for again with an `until`
    that has passed, a silence ends.
    """

    match: Pattern
    until: Time
    reason: Annotated[str, Field(max_length=256)] = ""


class CloseRequest(Part):
    """Incidents that nothing will ever resolve: their policy is gone, or was mistyped."""

    match: Pattern
    reason: Annotated[str, Field(max_length=256)] = ""


class AlertsRequest(BaseRequest):
    """The event of the alerts chore.

    Without `test`, `silence` and `close` it looks after everything that is open. The hours say when
    people hear of it again, and when a warning becomes urgent.
    """

    remind_critical_hours: Hours = 4
    remind_warning_hours: Hours = 24
    escalate_after_hours: Hours = 72
    test: bool = False
    silence: SilenceRequest | None = None
    close: CloseRequest | None = None

    @model_validator(mode="after")
    def _asks_one_thing_here(self) -> Self:
        if sum(map(bool, (self.test, self.silence, self.close))) > 1:
            msg = "must hold one of test, silence, and close"
            raise ValueError(msg)
        if self.target != Target():
            msg = "must be without target: incidents of all places are in this stack's table"
            raise ValueError(msg)
        return self

    @property
    def lease_scope(self) -> str:
        """Return what a person asks for: it neither waits for a scheduled run nor counts as one."""
        asked = self.silence or self.close
        return "test" if self.test else f"by_hand/{asked.match}" if asked else ""
