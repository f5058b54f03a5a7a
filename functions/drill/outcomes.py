"""How drills end, and what is remembered of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from caretaker.apply import fail, settle
from caretaker.decisions import Outcome, Result
from caretaker.failures import Kind

from .facts import How, Proof, Proven, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.decisions import Decision, Json
    from caretaker.failures import Failure

    from .request import DrillRequest
    from .units import Unit
    from .verdict import Verdict

_PASSES: Final = frozenset({Kind.UNKNOWN, Kind.THROTTLED, Kind.BUSY, Kind.FULL})
_NO_ROOM: Final = frozenset(
    {
        "InsufficientVolumeCapacity",
        "VolumeTypeNotAvailableInZone",
        "ResourceConflictException",
        "SnapStartNotReadyException",
        "ConcurrentLimitExceededException",
        "IdempotentParameterMismatch",
        "VolumeDeleted",
    }
)


def may_pass(failure: Failure) -> bool:
    """Tell whether a failure says nothing of the backup: another run may fare better."""
    return failure.kind in _PASSES or failure.code in _NO_ROOM


def put_off(decision: Decision, why: str, message: str = "") -> Outcome:
    """Return that nobody knows yet: not proven, and not failed."""
    said = {"deferred_by": why} | ({"message": message} if message else {})
    return settle([decision], Result.DEFERRED, **said)[0]


def refused(decision: Decision, failure: Failure) -> Outcome:
    """Return how a drill ended whose call AWS refused for good."""
    return fail([decision], failure.as_error(), {})[0]


def upheld(unit: Unit, verdict: Verdict, request: DrillRequest) -> Verdict:
    """Return a verdict, or the problem of an earlier drill of which this one says nothing."""
    proof = unit.proof
    if not verdict.is_proven or proof is None or not proof.problem:
        return verdict
    if request.may_end(proof.problem, proof.how):
        return verdict
    which = "a judge" if proof.how is request.how else f"a drill by {proof.how}"
    message = f"found before, and only {which} can tell that it is over"
    return replace(verdict, problem=proof.problem, message=message, is_upheld=True)


def concluded(decision: Decision, verdict: Verdict) -> Outcome:
    """Return how a drill ended that came to a verdict."""
    told: dict[str, Json] = {
        "found": list(verdict.found) if verdict.blocks is not None else None,
        "blocks": verdict.blocks,
        "sampled": verdict.sampled,
        "seconds": verdict.seconds,
        "message": verdict.message or None,
    }
    detail = {key: value for key, value in told.items() if value is not None}
    if verdict.is_proven:
        return Outcome(decision, Result.DONE, detail)
    error = {"code": verdict.problem, "message": verdict.message, "request_id": ""}
    return fail([decision], error, detail)[0]


def proof_of(
    unit: Unit, how: How, run_slot: str, now: datetime, ended: tuple[Outcome, Verdict | None]
) -> Proof:
    """Return what is to be remembered: a failure leaves the last proof, and what it found."""
    outcome, verdict = ended
    problem = outcome.error["code"] if outcome.error else ""
    proven = Proven(now, unit.snapshot.slot, unit.snapshot.id)
    is_upheld = verdict is not None and verdict.is_upheld
    has_read = verdict is not None and verdict.blocks is not None and not problem
    return Proof(
        volume=unit.disk.id,
        tried=now,
        run_slot=run_slot,
        how=unit.proof.how if is_upheld and unit.proof else how,
        snapshot=unit.snapshot.id,
        slot=unit.snapshot.slot,
        **_last(unit.last if problem else proven),
        problem=problem,
        found=verdict.found if verdict and has_read else unit.found_before,
        seconds=(verdict.seconds or 0) if verdict else 0,
        sampled=unit.decision.reason == Reason.SAMPLED,
    )


def try_of(unit: Unit, how: How, now: datetime) -> Proof:
    """Return what is to be remembered of a drill that was put off: that it had its turn."""
    if unit.case and unit.case.proof:
        return replace(unit.case.proof, volume=unit.disk.id, tried=now)
    snapshot = unit.snapshot
    last = _last(unit.last)
    return Proof(unit.disk.id, now, "", how, snapshot.id, snapshot.slot, **last)


def _last(proven: Proven | None) -> dict[str, Any]:
    if proven is None:
        return {}
    return {
        "proven": proven.at,
        "proven_slot": proven.slot,
        "proven_snapshot": proven.snapshot,
    }
