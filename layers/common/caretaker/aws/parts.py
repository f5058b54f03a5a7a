"""Send a batch that AWS takes or refuses as a whole: one bad id must not cost the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.decisions import Decision, Detail, Outcome, Result
from caretaker.failures import Kind

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
    send: Callable[[Sequence[Decision]], Detail],
    refused: Callable[[Sequence[Decision], Failure], list[Outcome]],
    standing: Callable[[Sequence[Decision]], Split] = _all_stand,
) -> list[Outcome]:
    """Send all by one call; send the parts of what is refused, and again what is not answered.

    `send` may be repeated; it returns what the outcomes are to tell. `standing` is asked before
    each call: it returns what is still to be sent, and how the others end. `refused` says how they
    end that AWS refuses for good.
    """
    ended: list[Outcome] = []
    waiting = [decisions]
    refusals = repeats = 0
    while waiting:
        part, others = standing(waiting.pop())
        ended += others
        if not part:
            continue
        try:
            told = send(part)
        except AWS_ERRORS as error:
            failure = classify(error)
        else:
            refusals = 0
            ended += (Outcome(decision, Result.DONE, told) for decision in part)
            continue
        if failure.kind is Kind.UNKNOWN and repeats < _REPEATS:
            repeats += 1
            waiting.append(part)
        elif failure.kind is Kind.UNKNOWN or len(part) == 1 or refusals >= _REFUSALS:
            ended += refused(part, failure)
        else:
            refusals += 1
            waiting += _parts_of(part, failure)
    return ended


def _parts_of(decisions: Sequence[Decision], failure: Failure) -> list[Sequence[Decision]]:
    """Return the parts to send of a batch that was refused as a whole.

    Those that the refusal names are set aside; if it names none or all, it is halved.
    """
    named = [decision for decision in decisions if decision.target in failure.message]
    if 0 < len(named) < len(decisions):
        return [[each for each in decisions if each not in named], named]
    half = len(decisions) // 2
    return [decisions[:half], decisions[half:]]
