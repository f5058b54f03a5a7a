"""Take one target as far as it goes now: look, write down, do, look again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.failures import Kind
from functions.restore.aws.changes import ACTIONS, Changes
from functions.restore.aws.pacing import NEAR_SECONDS, FarTurnError, shared_pacer
from functions.restore.aws.sight import look_at, look_calls
from functions.restore.facts import How, Sight
from functions.restore.journal import Goal, Journal
from functions.restore.memory import Memory
from functions.restore.moves import next_turn
from functions.restore.refusals import NO_ROOM, after_refusal
from functions.restore.seats import Seating
from functions.restore.turns import LATER, SOON, Move, Step, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from caretaker.failures import Failure
    from caretaker.run import Run, Scene
    from functions.restore.journal import Booked
    from functions.restore.request import RestoreRequest

_MOST_TURNS: Final = 20
_SHOWN_EVERY: Final = timedelta(minutes=10)


class Walk:
    """One worker with one target; `journal` is how that stands now."""

    def __init__(self, run: Run[RestoreRequest], journal: Journal) -> None:
        self._pacer = shared_pacer(run.scene, run.request.pace)
        self._scene: Scene = replace(run.scene, pacer=self._pacer)
        self._memory = Memory(run)
        self._stored = self.journal = journal

    def go(self) -> int:
        """Go on until there is something to wait for; return the seconds, 0 once it is over.

        `OutOfTimeError` and `CallError` leave the journal so that the next worker goes on.
        """
        try:
            for _ in range(_MOST_TURNS):
                self._queue_early()
                seconds = self._take_turn(self._look())
                if seconds or not self.journal.is_open:
                    return seconds
        except FarTurnError as far:
            self._is_at_work()
            return far.seconds
        finally:
            self._pacer.let_go()
        return SOON

    def _queue_early(self) -> None:
        """Take a turn before the first look: whatever it shows, all that is not made is made first.

        While a turn is far there is nothing to be done, and so nothing to be looked at.
        """
        journal = self.journal
        is_new = not any(part.is_sent or part.new for part in journal.parts)
        if is_new and journal.how is not How.ROOT:
            turn = next_turn(journal, Sight(self._scene.clock.now(), None, {}))
            if turn.moves:
                self.journal = turn.journal
                self._book(_calls_of(self._fitting(turn.moves)), keep=True)
        if self._pacer.seconds_until(self.journal.booked) > NEAR_SECONDS:
            self._write(self.journal)
            raise FarTurnError("turn", self._pacer.seconds_until(self.journal.booked))

    def _look(self) -> Sight:
        self._queue(look_calls(self.journal), keep=True)
        return look_at(self._scene, self.journal)

    def _take_turn(self, sight: Sight) -> int:
        """Do what follows from a look; return the seconds to wait, 0 to look again at once."""
        still: Sight | None = sight
        while still:
            was = self.journal
            turn = next_turn(was, still)
            self._write(turn.journal)
            if not self.journal.is_open:
                return 0
            if turn.seconds:
                self._give_up_turns()
                self._is_at_work()
                return turn.seconds
            waits = self._make(turn, still) if turn.moves else 0
            if waits:
                return waits
            still = self._still_seen(was, turn, still)
        return 0

    def _still_seen(self, was: Journal, turn: Turn, sight: Sight) -> Sight | None:
        """Return what need not be looked at again, as nothing that comes next depends on it."""
        steps = {move.step for move in turn.moves}
        if not steps and self.journal.is_touched and not was.is_touched:
            return sight  # only the journal has changed
        if steps == {Step.TAG}:
            return sight  # tags of originals are not gone by
        if steps == {Step.PROTECT}:
            return Seating(self.journal, sight).evened  # EC2 has said so; each later look checks it
        return None

    def _make(self, turn: Turn, sight: Sight) -> int:
        """Make moves, one after the other; return the seconds to wait where one was not taken."""
        left = moves = self._fitting(turn.moves)
        self._queue(_calls_of(left))
        while left:
            move = left[0]
            send = Changes(self._scene, self.journal, sight).call(move)
            try:
                answer = self._pacer.call(ACTIONS[move.step], partial(self._send, move, send))
            except FarTurnError:  # refused by rate: the rest of the moves queues again
                sent = moves[: len(moves) - len(left)]
                self._queue(_calls_of(left), least=self._shown_after(sent))
                continue
            except AWS_ERRORS as error:
                self._pacer.let_go()
                return self._refused(move, classify(error))
            self._done(move, answer)
            left = left[1:]
        return self._shown_after(moves)

    def _refused(self, move: Move, failure: Failure) -> int:
        if _is_open(failure) or _is_done(move, failure.kind):
            return SOON  # the next look tells
        refused = after_refusal(self.journal, move, failure, self._scene.clock.now())
        self._write(refused.journal)
        self._is_at_work()
        return refused.seconds or SOON

    def _fitting(self, moves: Sequence[Move]) -> Sequence[Move]:
        """Return as many as may be sent at once; the others follow from the next look."""
        taken, fitting = Counter[str](), list[Move]()
        for move in moves:
            action = ACTIONS[move.step]
            taken[action] += 1
            if taken[action] <= self._pacer.most_at_once(action):
                fitting.append(move)
        return fitting

    def _book(self, calls: Mapping[str, int], *, keep: bool = False) -> tuple[Booked, ...]:
        """Have tokens in the journal, not written yet; all others are given back but to `keep`."""
        others = tuple(each for each in self.journal.booked if each.action not in calls)
        if not keep:
            self._pacer.give_back(others)
        turns = self._pacer.book(calls, self.journal.booked)
        self.journal = replace(self.journal, booked=(*others, *turns) if keep else turns)
        return turns

    def _queue(self, calls: Mapping[str, int], *, keep: bool = False, least: int = 0) -> None:
        """Wait for the turn of these calls.

        Where it is far, that is left to the machine: the tokens stay taken, also those to `keep`,
        which then cannot be used before.
        """
        turns = self._book(calls, keep=keep)
        others = tuple(each for each in self.journal.booked if each not in turns)
        try:
            self._pacer.wait(turns)
        except FarTurnError as far:
            far.seconds = max(far.seconds, least)
            at = max(each.at for each in turns)
            later = (replace(each, at=max(each.at, at)) for each in others)
            self._write(replace(self.journal, booked=(*later, *turns), about_to=""))
            raise
        self.journal = replace(self.journal, booked=others)

    def _give_up_turns(self) -> None:
        """Return tokens of what is not done now."""
        if self.journal.booked:
            self._pacer.give_back(self.journal.booked)
            self._write(replace(self.journal, booked=()))

    def _send(self, move: Move, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - EC2's answer
        """Write down what is about to be sent, and send it.

        The write fails where another worker has written since the look: the wait for a turn may
        have been long, and what was decided before it no longer holds.
        """
        journal = replace(self.journal, about_to=move.said)
        if move.step is Step.CREATE:
            journal = journal.with_part(move.key, lambda part: replace(part, is_sent=True))
        self.journal = self._stored = self._memory.write(journal)
        return call()

    def _done(self, move: Move, answer: Mapping[str, Any]) -> None:
        journal, now = self.journal, self._scene.clock.now()
        if move.step is Step.CREATE:
            new = str(answer["VolumeId"])
            journal = journal.with_part(move.key, lambda part: replace(part, new=new))
        elif move.step is Step.START:
            journal = replace(journal, starts=journal.starts + 1)
        elif move.step is Step.REPLACE_ROOT:
            task = answer["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"]
            journal = replace(journal, task=task)
        elif move.step is Step.TAG:
            journal = replace(journal, tagged=(*journal.tagged, move.disk))
        done = replace(journal, about_to="", refused="", refused_since=None)
        self._write(done.noted(move.said, now))

    def _write(self, journal: Journal) -> None:
        self.journal = journal
        if journal != self._stored:
            self.journal = self._stored = self._memory.write(journal)

    def _is_at_work(self) -> None:
        """Show now and then that somebody looks, where nothing else is to be written."""
        moved, now = self.journal.moved, self._scene.clock.now()
        if moved is None or now - moved >= _SHOWN_EVERY:
            self.journal = self._stored = self._memory.write(self.journal)

    def _shown_after(self, moves: Iterable[Move]) -> int:
        """Return when a look tells of moves; of a start, status checks do, which take minutes."""
        waits_for_checks = self.journal.goal is Goal.FORWARD and self.journal.check_minutes
        after = _SHOWS_AFTER | ({Step.START: LATER} if waits_for_checks else {})
        return max((after.get(move.step, 0) for move in moves), default=0)


def _calls_of(moves: Iterable[Move]) -> dict[str, int]:
    return Counter(ACTIONS[move.step] for move in moves)


def _is_open(failure: Failure) -> bool:
    """Tell whether it may have happened; that it has no room, EC2 tells like a fault of its own."""
    return failure.kind is Kind.UNKNOWN and failure.code not in NO_ROOM


def _is_done(move: Move, kind: Kind) -> bool:
    """Tell whether a refusal means that it had happened before."""
    return kind is Kind.GONE and move.step in {Step.DISCARD, Step.DETACH}


_SHOWS_AFTER: Final = {
    Step.CREATE: SOON,
    Step.DISCARD: SOON,
    Step.STOP: 4 * SOON,
    Step.DETACH: SOON,
    Step.ATTACH: SOON,
    Step.START: 3 * SOON,
    Step.REPLACE_ROOT: 3 * SOON,
}
"""Seconds until a look tells of it: one that comes too early would send it again."""
