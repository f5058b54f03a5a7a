"""What the fleet chore may be asked: a run of another chore over many places, or a step of it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from caretaker.request import (
    AccountId,
    BaseRequest,
    Part,
    RegionName,
    RunName,
    Target,
    wrong_field,
)
from caretaker.selectors import TagPattern
from caretaker.settings import Mode

MAX_EVENT_BYTES: Final = 8_192
"""Each cell is sent the event: 8,500 of them make 70 MB of waves at most."""
_OURS: Final = frozenset({"caller", "mode", "round", "scheduled_time", "target"})
"""Fields of a chore's event that the fleet fills in."""

type UnitId = Annotated[
    str, Field(pattern=r"^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$")
]


class LeftOut(Part):
    """Accounts that are not meant: by id, by an organizational unit above them, by tags."""

    ids: tuple[AccountId, ...] = ()
    units: tuple[UnitId, ...] = ()
    tags: tuple[TagPattern, ...] = ()


class Accounts(Part):
    """Which accounts: `ids`, or those of the `organization`, or else the function's own.

    Of the organization these are the active ones: below `units`, with all of `tags`, and among
    `ids`, where these are given. The management account is one only where `management` says so.
    """

    ids: tuple[AccountId, ...] = ()
    organization: bool = False
    units: tuple[UnitId, ...] = ()
    tags: tuple[TagPattern, ...] = ()
    management: bool = False
    left_out: LeftOut = LeftOut()

    @model_validator(mode="after")
    def _needs_the_organization(self) -> Self:
        asked = {
            "units": self.units,
            "tags": self.tags,
            "management": self.management,
            "left_out.units": self.left_out.units,
            "left_out.tags": self.left_out.tags,
        }
        if not self.organization:
            for path in (name for name, value in asked.items() if value):
                raise wrong_field(path, "asked without the organization", '"organization": true')
        return self


class Regions(Part):
    """Which regions: `names`, or all that are `enabled` in an account, or else the function's own.

    With both they are those of `names` that are enabled.
    """

    names: tuple[RegionName, ...] = ()
    enabled: bool = False
    left_out: tuple[RegionName, ...] = ()


class CellName(Part):
    """An account and a region."""

    account: AccountId
    region: RegionName


class Step(Part):
    """A step of the state machine: the next wave `after` so many, or the judgement of a run."""

    do: Literal["wave", "judge"]
    run: RunName
    after: Annotated[int, Field(ge=0, le=100)] = 0


class FleetRequest(BaseRequest):
    """The event of the fleet chore.

    `policy` names the fleet, and with the slot its run. `event` is what each cell's run of the
    `chore` is asked, with a policy of its own; `concurrency` is how many of them run at the same
    time, by default half of what Lambda has left, 100 at most. `canary` is the cell that runs
    first. `express` takes Express workflows for cells that only report. `again` runs a slot that
    has ended once more.
    """

    chore: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,31}$")] | None = None
    event: Annotated[dict[str, Any], Field(default_factory=dict)]
    accounts: Accounts = Accounts()
    regions: Regions = Regions()
    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    canary: CellName | None = None
    express: bool = False
    again: Annotated[int, Field(ge=2, le=99)] | None = None
    step: Step | None = None

    @field_validator("event")
    @classmethod
    def _is_the_chores_own(cls, event: dict[str, Any]) -> dict[str, Any]:
        filled = sorted(event.keys() & _OURS)
        if filled:
            msg = f"must hold no {', '.join(filled)}: the fleet fills that in"
            raise ValueError(msg)
        if len(json.dumps(event)) > MAX_EVENT_BYTES:
            msg = f"must have at most {MAX_EVENT_BYTES} bytes"
            raise ValueError(msg)
        return event

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.chore is None) == (self.step is None):
            problem = "beside a step" if self.chore else "missing"
            raise wrong_field(
                "chore", problem, "a chore of the fleet; the machine alone takes steps"
            )
        if self.target != Target():
            expected = "accounts and regions; the fleet itself works in its own"
            raise wrong_field("target", "asked of the fleet", expected)
        return self

    @property
    def is_scheduled(self) -> bool:
        """Tell whether it is what a schedule sends, time after time, and not only to look."""
        is_timed = self.scheduled_time is not None and self.again is None
        return is_timed and self.mode is not Mode.REPORT

    @property
    def lease_scope(self) -> str:
        """Return the run that a step is of: runs go beside each other."""
        return self.step.run if self.step else ""

    def is_spared_by(self, other: str, slot: str) -> bool:
        """Tell whether a start is not needed while one of the `other` slot is at work.

        A step always is: whoever skipped it would end the machine, also after a killed try.
        """
        return self.step is None and other == slot
