"""What the drill chore may be asked."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from caretaker.errors import FieldError, RefusedError
from caretaker.request import BaseRequest, Part, PolicyName
from caretaker.selectors import Select

from .facts import OF_JUDGE, How


class Sample(Part):
    """How many of the selected volumes a run drills: just one of these."""

    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    everything: bool | None = None

    @field_validator("everything")
    @classmethod
    def _is_no_no(cls, everything: bool | None) -> bool | None:  # noqa: FBT001 - pydantic's order
        if everything is False:
            msg = "must be true, or left out"
            raise ValueError(msg)
        return everything

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if sum(each is not None for each in (self.percent, self.count, self.everything)) != 1:
            msg = "must have one of percent, count and everything"
            raise ValueError(msg)
        return self

    def of(self, volumes: int) -> int:
        """Return how many of so many volumes it takes, at least one where there are any."""
        if self.percent is not None:
            return -(-volumes * self.percent // 100)
        return volumes if self.count is None else min(volumes, self.count)


class DrillRequest(BaseRequest):
    """The event of the drill chore.

    `policy` is the backup policy whose snapshots are proven; `select` left empty means the volumes
    whose `caretaker:backup`, or whose instance's, names it. `blocks` are read of each snapshot
    beside those that tell what the disk holds. `rto_minutes` is how long a volume may take to
    become available, `judge` asks the stack's function about its contents; both need a volume.
    `accept_found` takes what is found on volumes named by their ids as what is to be there.
    """

    policy: PolicyName = "daily"
    select: Select = Select()
    how: How = How.BLOCKS
    sample: Sample = Sample(percent=10)
    blocks: Annotated[int, Field(ge=1, le=1000)] = 64
    rto_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    max_proof_age_days: Annotated[int, Field(ge=1, le=366)] = 90
    judge: bool = False
    accept_found: bool = False

    @field_validator("rto_minutes", "judge")
    @classmethod
    def _has_a_volume(cls, value: object, info: ValidationInfo) -> object:
        if value and info.data.get("how") is How.BLOCKS:
            msg = 'must be left out without "how": "volume"'
            raise ValueError(msg)
        return value

    @field_validator("accept_found")
    @classmethod
    def _names_volumes(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - likewise
        select = info.data.get("select", Select())
        if value and (not select.volumes or select != Select(volumes=select.volumes)):
            msg = "must be left out unless select has volumes, and nothing else"
            raise ValueError(msg)
        if value and info.data.get("how") is How.VOLUME:
            msg = 'must be left out with "how": "volume", which finds nothing'
            raise ValueError(msg)
        return value

    def may_end(self, problem: str, found_by: How) -> bool:
        """Tell whether a run like this can prove that a problem is over.

        A volume of a backup says nothing of its blocks, nor blocks of what a judge has seen.
        """
        return found_by is self.how and (self.judge or problem not in OF_JUDGE)

    @property
    def is_whole(self) -> bool:
        """Tell whether what it leaves out nobody means to have drilled."""
        return self.select in (Select(), Select(everything=True))


def check_judge(request: DrillRequest, judge: str) -> None:
    """Refuse to have contents judged where the stack names no function for it."""
    if request.judge and not judge:
        problem = FieldError(
            "judge",
            "the stack names no function that judges contents",
            "false, or a stack with DrillJudgeArn",
        )
        raise RefusedError("judge_missing", [problem])
