"""Calls that end what was begun: they may go out in the run's last minute, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.pacing import Pacer
from caretaker.clock import Deadline
from caretaker.errors import OutOfTimeError
from caretaker.failures import Failure, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from caretaker.run import Run
    from functions.drill.request import DrillRequest

_WITHIN_SECONDS: Final = 20
"""Of the last minute that a run keeps for its end."""


def end_by(run: Run[DrillRequest], action: str, send: Callable[[], object]) -> Failure | None:
    """Send a call that may be repeated; return why it failed."""
    scene = run.scene
    left = max(float(_WITHIN_SECONDS), scene.deadline.remaining())
    deadline = Deadline(scene.clock, left, reserve_seconds=0)
    pacer = Pacer(scene.account.buckets, scene.clock, deadline, run.request.pace)
    try:
        pacer.call(action, send)
    except AWS_ERRORS as error:
        return classify(error)
    except OutOfTimeError:
        return Failure(Kind.THROTTLED, "OutOfTime", f"no time was left for {action}")
    return None
