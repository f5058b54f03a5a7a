"""Asked for a run over many places: plan it, write that down, and start the state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.apply import fail
from caretaker.decisions import Outcome, Result
from caretaker.errors import CallError, FieldError, RefusedError
from caretaker.report import Findings
from caretaker.settings import Mode

from . import aws
from .facts import Cell
from .manifest import Manifest, digest_of, run_name
from .plan import plan_fleet
from .refusing import check_refused
from .units import plan_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Batch, Decision
    from caretaker.run import Run

    from .plan import Plan
    from .request import FleetRequest


_OF_THE_EVENT: Final = "event_invalid"


def start(run: Run[FleetRequest]) -> Findings:
    """Plan the run and start it, in `report` mode too: then its cells report."""
    function = _function_of(run)
    if run.request.express and run.mode is Mode.ACT:
        raise _not_express()
    place = run.scene.account.place
    facts = aws.gather(run, function)
    plan = plan_fleet(facts, run.request, own=Cell(place.account, place.region))
    units = plan_units(plan.decisions)
    if plan.refusal and plan.refusal.reason == _OF_THE_EVENT:
        raise RefusedError(plan.refusal.reason, plan.refusal.errors)
    is_regular = run.request.is_scheduled
    checks = [check_refused(run.request.policy, plan.refusal, run.mode, is_regular=is_regular)]
    if plan.refusal:
        outcomes = run.refuse(plan.decisions, units)
        return Findings(outcomes, checks, refusal=plan.refusal, may_continue=False, plan=plan.id)
    manifest = aws.Shelf.of(run.scene.settings, _name(run)).put_manifest(
        _manifest(run, plan, function, is_usual=aws.is_usual(run, plan))
    )
    if manifest.asked != digest_of(run.request):
        raise _taken(manifest)
    outcomes, execution = _begin(run, plan.decisions, units, manifest)
    return Findings(
        outcomes,
        checks,
        may_continue=False,
        summary={"run": manifest.run, "cells": len(manifest.cells), "execution": execution or ""},
        reason="already_ended" if execution == "" else None,
        plan=manifest.plan,
        remember=lambda: aws.remember_planned(run, plan),
    )


def _begin(
    run: Run[FleetRequest], decisions: Sequence[Decision], units: list[Batch], manifest: Manifest
) -> tuple[list[Outcome], str | None]:
    """Start the execution; return its ARN, empty where it has ended, None where time was out.

    `CallError`: no cell has begun, or all have, so that the whole may be tried again.
    """
    failed: list[CallError] = []
    execution: str | None = None

    def begin(unit: Batch) -> list[Outcome]:
        nonlocal execution
        try:
            execution = aws.start(run.scene.settings, manifest)
        except CallError as error:
            failed.append(error)
            return fail(unit.decisions, error.failure.as_error(), {})
        result = Result.DONE if execution else Result.UNCHANGED
        return [Outcome(decision, result) for decision in unit.decisions]

    outcomes = run.apply(decisions, units, begin, preview=begin)
    if failed:
        raise failed[0]
    return outcomes, execution


def _function_of(run: Run[FleetRequest]) -> str:
    chores, asked = run.scene.settings.fleet_chores, run.request.chore or ""
    if asked not in chores:
        problem = FieldError("chore", f"no fleet runs {asked}", ", ".join(sorted(chores)))
        raise RefusedError("event_invalid", [problem])
    return chores[asked]


def _name(run: Run[FleetRequest]) -> str:
    return run_name(run.request.policy, run.slot, run.request.again)


def _manifest(run: Run[FleetRequest], plan: Plan, function: str, *, is_usual: bool) -> Manifest:
    request = run.request
    return Manifest(
        run=_name(run),
        policy=request.policy,
        chore=request.chore or "",
        function=function,
        mode=run.mode,
        slot=run.slot,
        event=request.event,
        cells=plan.cells,
        concurrency=plan.concurrency,
        plan=plan.id,
        asked=digest_of(request),
        home=run.scene.account.place.region,
        canary=plan.canary,
        express=request.express,
        is_regular=request.mode is not Mode.REPORT,
        is_usual=is_usual,
        unreached=plan.unreached,
        left=plan.left,
        names=plan.names,
    )


def _taken(manifest: Manifest) -> RefusedError:
    problem = FieldError(
        "policy",
        f"{manifest.run} was started with another event",
        'another policy, another slot, or "again": 2 to run this slot once more',
    )
    return RefusedError("slot_taken", [problem])


def _not_express() -> RefusedError:
    problem = FieldError("express", "asked where cells may act", 'false, or "mode": "report"')
    return RefusedError("event_invalid", [problem])
