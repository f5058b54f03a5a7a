"""Asked by the state machine: whose turn it is, and one target taken as far as it goes now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from caretaker.decisions import Decision, Outcome, Result
from caretaker.errors import FieldError, OutOfTimeError, RefusedError
from caretaker.report import Findings
from caretaker.settings import Mode

from . import aws
from .facts import Action
from .journal import Ending
from .memory import Memory
from .telling import left_over, new_volumes, problem_of, reason_of
from .turns import LATER
from .waves import never_begun, next_wave

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caretaker.run import Run

    from .journal import Journal
    from .memory import Restore
    from .request import RestoreRequest, Step

_BY_HAND: Final = "ended_by_hand"


def take_step(run: Run[RestoreRequest], step: Step) -> Findings:
    """Take the step."""
    match step.do:
        case "wave":
            return _wave(run, step.plan)
        case "advance":
            return _advance(run, step)
        case "end":
            return _end(run, step.plan)
        case _:
            assert_never(step.do)


def _wave(run: Run[RestoreRequest], plan: str) -> Findings:
    """Return the targets of the next wave; where one before failed, the rest never begins."""
    memory = Memory(run)
    restore, journals = _known(memory, plan)
    if run.mode is Mode.ACT:
        journals = _ended(run, journals, never_begun(journals), Ending.NOT_STARTED)
        if restore.is_open and not any(journal.is_open for journal in journals):
            memory.end(restore, journals)
    wave = next_wave(journals)
    return Findings(
        [_told(journal) for journal in journals],
        may_continue=False,
        summary={"targets": [journal.target for journal in wave], "more": bool(wave)},
        plan=plan,
    )


def _end(run: Run[RestoreRequest], plan: str) -> Findings:
    """End a restore that a person has taken over: nothing of it goes on, nothing more is told."""
    if run.mode is Mode.REPORT:
        problem = FieldError("mode", "report ends nothing", "act, of a stack with RestoreMode=act")
        raise RefusedError("mode_not_allowed", [problem])
    memory = Memory(run)
    restore, journals = _known(memory, plan)
    still = [replace(each, problem=_BY_HAND) for each in journals if each.is_open]
    journals = _ended(run, journals, still, Ending.LEFT)
    memory.end(replace(restore, is_closed=True), journals)
    ended = (replace(_told(each).decision, action=Action.KEEP) for each in journals)
    items = [Outcome(each, Result.UNCHANGED) for each in ended]
    return Findings(items, may_continue=False, plan=plan, summary={"targets": [], "more": False})


def _known(memory: Memory, plan: str) -> tuple[Restore, Sequence[Journal]]:
    """Return a restore and its journals; `RefusedError` where there is none."""
    restore = next((each for each in memory.restores() if each.plan == plan), None)
    if restore is None:
        raise _unknown(plan)
    return restore, memory.journals(plan)


def _ended(
    run: Run[RestoreRequest],
    journals: Sequence[Journal],
    those: Iterable[Journal],
    ending: Ending,
) -> Sequence[Journal]:
    """Write that some are over; return all as they then are."""
    memory, now = Memory(run), run.scene.now
    over = {each.target: memory.write(each.ends(ending, now)) for each in those}
    return [over.get(journal.target, journal) for journal in journals]


def _advance(run: Run[RestoreRequest], step: Step) -> Findings:
    """Take one target as far as it goes; the machine waits, and asks again."""
    memory, target = Memory(run), step.target or ""
    journal = memory.journal(step.plan, target)
    if journal is None:
        _known(memory, step.plan)
        problem = FieldError("step.target", f"{target} is no target of {step.plan}", "one of its")
        raise RefusedError("plan_unknown", [problem])
    seconds = LATER
    if run.mode is Mode.ACT:
        walk = aws.Walk(run, journal)
        with suppress(OutOfTimeError):
            seconds = walk.go()
        journal = walk.journal
    summary = {"over": not journal.is_open, "seconds": seconds}
    acted = run.mode is Mode.ACT
    items = [_told(journal, acted=acted)]
    return Findings(items, may_continue=False, summary=summary, plan=step.plan)


def _told(journal: Journal, *, acted: bool = False) -> Outcome:
    """Return how a target stands, as an item of the report; who only looks has done nothing."""
    is_waiting = journal.is_open and not acted
    decision = Decision(
        journal.target,
        Action.KEEP if is_waiting else Action.ADVANCE,
        reason_of(journal),
        {
            "name": journal.name,
            "plan": journal.plan,
            "wave": journal.wave,
            "slot": journal.slot,
            "goal": journal.goal.value,
            "ending": journal.ending.value if journal.ending else "",
            "problem": journal.problem,
            "waits_for": journal.waiting_for,
            "volumes": {part.original or part.snapshot: part.new for part in journal.parts},
            "left_over": list(left_over(journal)),
            "new_volumes": list(new_volumes(journal)),
            "history": list(journal.history),
        },
    )
    if is_waiting:
        return Outcome(decision, Result.UNCHANGED)
    if journal.is_open or journal.ending is Ending.RESTORED:
        return Outcome(decision, Result.DONE)
    code, message = journal.problem or str(journal.ending), problem_of(journal)
    return Outcome(
        decision, Result.FAILED, error={"code": code, "message": message, "request_id": ""}
    )


def _unknown(plan: str) -> RefusedError:
    problem = FieldError("step.plan", f"{plan} was not started here", "the plan of a restore")
    return RefusedError("plan_unknown", [problem])
