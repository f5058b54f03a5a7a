"""Send a batch that AWS takes or refuses as a whole: one bad id must not cost the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from caretaker.apply import settle
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.decisions import Decision, Detail, Outcome, Result
from caretaker.failures import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caretaker.failures import Failure

_HALVINGS: Final = 12
"""Of a batch in a row, after which it is given up: two more than it takes to find one in 1,000."""
_SET_ASIDE: Final = 50
"""Refusals that name one of a batch, after which it is given up: more has to be wrong than a few.

What does not exist is set aside however many they are.
"""
_REPEATS: Final = 3

_ID: Final = re.compile(r"[\w-]+")

type Split = tuple[Sequence[Decision], list[Outcome]]


def _all_stand(decisions: Sequence[Decision]) -> Split:
    return decisions, []


def send_in_parts(
    decisions: Sequence[Decision],
    send: Callable[[Sequence[Decision]], Detail | None],
    refused: Callable[[Sequence[Decision], Failure], list[Outcome]],
    standing: Callable[[Sequence[Decision]], Split] = _all_stand,
) -> list[Outcome]:
    """Send all by one call; send the parts of what is refused, and again what is not answered.

    `send` may be repeated; it returns what the outcomes are to tell, or None when it did not send
    as not all stand any more. `standing` is asked before each call: it returns what is still to be
    sent, and how the others end. `refused` says how they end that AWS refuses for good.
    """
    parts = _Parts(decisions, refused)
    while parts.waiting:
        part, ended = standing(parts.waiting.pop())
        parts.ended += ended
        if part:
            parts.take(part, send)
    return parts.ended


class _Parts:
    """The parts of a batch that wait, and how the others ended."""

    def __init__(
        self,
        decisions: Sequence[Decision],
        refused: Callable[[Sequence[Decision], Failure], list[Outcome]],
    ) -> None:
        self.waiting = [decisions]
        self.ended: list[Outcome] = []
        self._refused = refused
        self._halvings = 0
        self._set_aside = 0
        self._repeats = 0

    def take(
        self, part: Sequence[Decision], send: Callable[[Sequence[Decision]], Detail | None]
    ) -> None:
        """Send one part."""
        try:
            told = send(part)
        except AWS_ERRORS as error:
            self._failed(part, classify(error))
            return
        if told is None:
            self.waiting.append(part)
        else:
            self._halvings = 0
            self.ended += (Outcome(decision, Result.DONE, told) for decision in part)

    def _failed(self, part: Sequence[Decision], failure: Failure) -> None:
        if failure.kind is Kind.UNKNOWN and self._repeats < _REPEATS:
            self._repeats += 1
            self.waiting.append(part)
        elif failure.kind is Kind.UNKNOWN or len(part) == 1:
            self.ended += self._refused(part, failure)
        elif named := _named(part, failure) if self._set_aside < _SET_ASIDE else []:
            self._set_aside += failure.kind is not Kind.GONE
            self.ended += self._refused(named, failure)
            self.waiting.append([each for each in part if each not in named])
        elif self._halvings < _HALVINGS:
            self._halvings += 1
            half = len(part) // 2
            self.waiting += [part[:half], part[half:]]
        else:
            self.ended += _given_up(part, failure) or self._refused(part, failure)


def _named(decisions: Sequence[Decision], failure: Failure) -> list[Decision]:
    """Return those that a refusal names, unless it names all."""
    words = frozenset(_ID.findall(failure.message))
    named = [decision for decision in decisions if decision.target in words]
    return named if len(named) < len(decisions) else []


def _given_up(decisions: Sequence[Decision], failure: Failure) -> list[Outcome]:
    """Return that these wait, where the refusal can be about some of them alone."""
    if failure.kind is not Kind.GONE:
        return []
    why = {"deferred_by": failure.code, "message": failure.message}
    return settle(decisions, Result.DEFERRED, **why)
