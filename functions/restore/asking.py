"""Asked to bring something back: plan it, and start what was planned and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.apply import fail
from caretaker.decisions import Decision, Outcome, Result
from caretaker.errors import BusyError, CallError
from caretaker.report import Findings
from caretaker.settings import Mode

from . import aws
from .approvals import another_than, no_such_plan, not_in_report, unapproved
from .facts import Action, Reason
from .memory import Memory
from .plan import plan_restore
from .telling import some_of
from .units import plan_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caretaker.decisions import Batch
    from caretaker.run import Run

    from .memory import Restore
    from .plan import Plan
    from .request import RestoreRequest


def ask(run: Run[RestoreRequest]) -> Findings:
    """Return the plan; in `act` start it, if it is the one that was approved."""
    known = _started_before(run)
    if known:
        return _again(run, known)
    if run.request.approve and run.mode is Mode.REPORT:
        return Findings((), refusal=not_in_report(run.request), may_continue=False)
    if run.request.select.is_by_policy:
        return Findings((), refusal=no_such_plan(run.request), may_continue=False)
    facts = aws.gather(run)
    plan = plan_restore(facts, run.request, now=run.scene.now)
    is_act = run.mode is Mode.ACT
    refusal = plan.refusal or (unapproved(plan.id, run.request) if is_act else None)
    units = plan_units(plan.decisions)
    if refusal:
        outcomes = run.refuse(plan.decisions, units)
    else:
        outcomes = run.apply(plan.decisions, units, lambda unit: _start(run, plan, unit))
    return Findings(outcomes, refusal=refusal, may_continue=False, summary=plan.summary)


def _started_before(run: Run[RestoreRequest]) -> Restore | None:
    """Return the restore of the plan that is approved, where it was started before."""
    if run.mode is not Mode.ACT or run.request.approve is None:
        return None
    restores = Memory(run).restores()
    return next((each for each in restores if each.plan == run.request.approve), None)


def _again(run: Run[RestoreRequest], restore: Restore) -> Findings:
    """Start it again: a machine that runs, or has ended, stays as it is."""
    journals = Memory(run).journals(restore.plan)
    refusal = another_than(restore, journals, run.request)
    reason = Reason.ALREADY_STARTED if restore.is_open else Reason.OVER
    kept = [
        Decision(each.target, Action.KEEP, reason, {"ending": each.ending} if each.ending else {})
        for each in journals
    ]
    said, error, summary = {}, None, {"plan": restore.plan, "execution": ""}
    if restore.is_open and not refusal:
        try:
            summary["execution"] = said["execution"] = aws.start(run, restore)
        except CallError as wrong:
            error = _unsent(wrong)
    result = Result.FAILED if error else Result.UNCHANGED
    return Findings(
        [Outcome(decision, result, said, error) for decision in kept],
        refusal=refusal,
        may_continue=False,
        summary=summary,
        reason=reason,
        plan=restore.plan,
    )


def _start(run: Run[RestoreRequest], plan: Plan, unit: Batch) -> list[Outcome]:
    """Write down all journals, then start the machine under the name of the plan."""
    memory = Memory(run)
    try:
        with memory.beginning():
            meets = _in_others(memory, plan)
            if meets:
                return fail(unit.decisions, _told(meets), {"plan": ", ".join(meets)})
            restore = memory.begin(plan.id, run.request.policy, plan.journals)
        execution = aws.start(run, restore)
    except BusyError:
        return fail(unit.decisions, _told({}), {})
    except CallError as error:
        return fail(unit.decisions, _unsent(error), {})
    said = {"execution": execution}
    return [Outcome(decision, Result.DONE, said) for decision in unit.decisions]


def _in_others(memory: Memory, plan: Plan) -> dict[str, list[str]]:
    """Return what is in other restores since the plan was read, by their plans."""
    busy, meets = memory.busy(), dict[str, list[str]]()
    for each in sorted(busy.keys() & set(_touched(plan))):
        meets.setdefault(busy[each], []).append(each)
    return dict(sorted(meets.items()))


def _told(meets: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the error of a plan that may not begin beside others."""
    named = some_of(each for ids in meets.values() for each in ids)
    message = (
        f"{named} is in {', '.join(meets)} since this was read; plan again once that is over"
        if meets
        else "another restore begins just now; send the same event again"
    )
    return {"code": Reason.RESTORE_OPEN, "message": message, "request_id": ""}


def _unsent(error: CallError) -> dict[str, str]:
    """Return the error of a machine that could not be started, and what to do."""
    wrong = error.failure.as_error()
    said = f"{error.operation}: {wrong['message']}; send the same event again: nothing begins twice"
    return {**wrong, "message": said}


def _touched(plan: Plan) -> Iterator[str]:
    for journal in plan.journals:
        yield journal.target
        yield from (part.original for part in journal.parts if part.original)
