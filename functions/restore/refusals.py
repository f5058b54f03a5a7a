"""What comes next once EC2 has refused a step: the same again, or the way back. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker.failures import Kind

from .journal import Goal
from .making import burned
from .turns import LATER, SOON, Move, Step, Turn

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.failures import Failure

    from .journal import Journal

NO_ROOM: Final = frozenset(
    {
        "InsufficientVolumeCapacity",
        "InsufficientInstanceCapacity",
        "InstanceLimitExceeded",
        "VcpuLimitExceeded",
        "VolumeLimitExceeded",
        "MaxIOPSLimitExceeded",
        "VolumeInUse",
    }
)
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
_PASSING: Final = frozenset({Kind.BUSY, Kind.FULL, Kind.THROTTLED})
_TOKEN_USED: Final = "IdempotentParameterMismatch"  # noqa: S105 - an error of EC2's
_WAITED_FOR: Final = timedelta(minutes=10)
_AGAIN: Final = 30


def after_refusal(journal: Journal, move: Move, failure: Failure, now: datetime) -> Turn:
    """Return what comes next.

    What only has no room just now is asked for again; a start for as long as it takes, for on the
    way back it would want the same room. It is restored all the same without a tag, or without
    what would happen at the instance's end; a volume that may not be deleted is told.
    """
    what = f"{move.step.replace('_', ' ')}: {failure.code}"
    is_new = journal.refused != what
    since = now if is_new or journal.refused_since is None else journal.refused_since
    said = f"{failure.message} ({failure.request_id})" if failure.request_id else failure.message
    refused = replace(journal, about_to="", refused=what, said=said, refused_since=since)
    if is_new:
        refused = refused.noted(f"refused: {what}", now)
    if move.step is Step.TAG:
        return Turn(replace(refused, tagged=(*refused.tagged, move.disk)))
    if move.step is Step.CREATE and failure.code == _TOKEN_USED:
        return burned(refused, move.key, "token_used", now)
    is_passing = failure.kind in _PASSING or failure.code in NO_ROOM
    if move.step is Step.PROTECT and not is_passing:
        devices = tuple(part.device for part in journal.parts)
        return Turn(replace(refused, unlike=devices))
    is_waited_for = move.step is Step.START or now - since < _WAITED_FOR
    if move.step is Step.DISCARD and not (is_passing and is_waited_for):
        return Turn(replace(refused, kept=(*refused.kept, move.disk)), seconds=SOON)
    if journal.goal is Goal.BACK or (is_passing and is_waited_for):
        return Turn(refused, seconds=LATER if move.step is Step.START else _AGAIN)
    return Turn(refused.goes_back(failure.code, now), seconds=SOON)
