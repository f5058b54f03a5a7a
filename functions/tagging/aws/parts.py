"""Send a batch that AWS takes or refuses as a whole: one bad id must not cost the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Kind
from functions.tagging.outcomes import parts_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caretaker.failures import Failure

_REFUSALS: Final = 12
"""Refusals in a row after which it is given up: two more than it takes to find one in 1,000."""
_REPEATS: Final = 3

type Split = tuple[Sequence[Decision], list[Outcome]]


def _all_stand(decisions: Sequence[Decision]) -> Split:
    return decisions, []


def send_in_parts(
    decisions: Sequence[Decision],
    send: Callable[[Sequence[Decision]], Failure | None],
    standing: Callable[[Sequence[Decision]], Split] = _all_stand,
) -> list[Outcome]:
    """Send all by one call; send the parts of what is refused, and again what is not answered.

    `send` returns how a call failed, and may be repeated. `standing` is asked before each call: it
    returns what is still to be sent, and how the others end.
    """
    ended: list[Outcome] = []
    waiting = [decisions]
    refusals = repeats = 0
    while waiting:
        part, others = standing(waiting.pop())
        ended += others
        failure = send(part) if part else None
        if failure is None:
            refusals = 0
            ended += (Outcome(decision, Result.DONE) for decision in part)
        elif failure.kind is Kind.UNKNOWN and repeats < _REPEATS:
            repeats += 1
            waiting.append(part)
        elif failure.kind is Kind.UNKNOWN or len(part) == 1 or refusals >= _REFUSALS:
            ended += refused(part, failure)
        else:
            refusals += 1
            waiting += parts_of(part, failure)
    return ended
