"""Decide what is brought back, from which slot, in which order: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json, Refusal
from caretaker.report import plan_id
from caretaker.slots import age_hours

from .facts import Action, Reason
from .journal import Journal, Part
from .refusing import why_nothing
from .targets import targets_of
from .waves import waves_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from .facts import Facts, Quota
    from .request import RestoreRequest
    from .wanted import Target

STOPS_MINUTES: Final = 2
"""How long an instance is stopped at least: to stop, to change its volumes, and to start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision for every target, and the journals of those that are brought back.

    `waves` are the targets in the order of their waves; `refusal` says why nothing may begin.
    """

    decisions: Sequence[Decision]
    journals: Sequence[Journal]
    summary: Mapping[str, Json]
    refusal: Refusal | None

    @property
    def id(self) -> str:
        """Return the name by which the plan can be approved."""
        return plan_id(self.decisions)


def plan_restore(facts: Facts, request: RestoreRequest, *, now: datetime) -> Plan:
    """Return the plan of a restore, its decisions sorted by target."""
    targets = targets_of(facts, request, at=request.at or now)
    fit = [target for target in targets if target.reason is Reason.ASKED]
    waves = waves_of(fit, request.order, request.wave)
    wave_of = {target.id: number for number, wave in enumerate(waves, 1) for target in wave}
    decisions = [
        _decision(target, wave_of[target.id], facts, request, now)
        if target.id in wave_of
        else Decision(target.id, Action.SKIP, target.reason, target.detail)
        for target in targets
    ]
    name = plan_id(decisions)
    journals = [_journal(target, wave_of[target.id], request, name) for target in fit]
    missing = list(_missing(fit, facts.quotas))
    summary = _summary(fit, len(waves), missing, request)
    refusal = why_nothing(decisions, missing, facts, request, now)
    return Plan(decisions, journals, summary, refusal)


def _decision(
    target: Target, wave: int, facts: Facts, request: RestoreRequest, now: datetime
) -> Decision:
    assert target.slot  # noqa: S101 - what is asked for has one
    lost = {snapshot.id: volume for volume, snapshot in target.slot.snapshots.items()}
    detail: dict[str, Json] = {
        "how": request.how.value,
        "slot": target.slot.name,
        "taken": _time(target.slot.began),
        "lost_hours": round(age_hours(target.slot.began, now), 2),
        "wave": wave,
        "stops": target.stops,
        "volumes": [_shown(part, lost) for part in target.parts],
    }
    apart = round((target.slot.ended - target.slot.began).total_seconds() / 60)
    if apart:
        detail["apart_minutes"] = apart
    if target.loses:
        detail["stop_loses"] = dict(target.loses)
    if target.left_out:
        detail["left_out"] = dict(target.left_out)
    tried = facts.earlier.get(target.id, 0)
    stop = (target.stops, *target.loses.items())
    left = sorted(target.left_out.items())
    identity = (request.how, wave, stop, request.check_minutes, tried, target.parts, *left)
    return Decision(target.id, Action.RESTORE, Reason.ASKED, detail, repr(identity))


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(part: Part, lost: Mapping[str, str]) -> dict[str, Json]:
    """Return a volume as the plan shows it; of one that is gone, which it was."""
    make = part.make
    shown: dict[str, Json] = {
        "volume": part.original,
        "lost_volume": "" if part.original else lost[part.snapshot],
        "device": part.device,
        "snapshot": part.snapshot,
        "gib": make.size_gib,
        "type": make.type,
        "iops": make.iops,
        "throughput": make.throughput,
        "zone": make.zone,
        "key": make.key,
        "deletes_on_termination": part.deletes_on_termination,
    }
    return {key: value for key, value in shown.items() if value not in {"", 0} or value is False}


def _journal(target: Target, wave: int, request: RestoreRequest, plan: str) -> Journal:
    assert target.slot  # noqa: S101 - what is asked for has one
    return Journal(
        plan=plan,
        target=target.id,
        how=request.how,
        policy=request.policy,
        slot=target.slot.name,
        wave=wave,
        parts=target.parts,
        name=target.tags.get("Name", ""),
        check_minutes=request.check_minutes,
    )


def _summary(
    fit: Sequence[Target], waves: int, missing: Sequence[Quota], request: RestoreRequest
) -> dict[str, Json]:
    parts = [part for target in fit for part in target.parts]
    gib = sum(part.make.size_gib for part in parts)
    return {
        "targets": len(fit),
        "volumes": len(parts),
        "gib": gib,
        "waves": waves,
        "stops": sum(target.stops for target in fit),
        "stopped_minutes_at_least": STOPS_MINUTES if any(t.stops for t in fit) else 0,
        "stops_that_lose": sum(bool(target.loses) for target in fit),
        "kept_originals_per_month": round(
            sum(part.make.size_gib for part in parts if part.original)
            * request.price_per_gib_month,
            2,
        ),
        "quotas_too_small": [quota.type for quota in missing],
    }


def _missing(fit: Iterable[Target], quotas: Sequence[Quota]) -> Iterable[Quota]:
    """Yield the quotas that would not hold the new volumes beside the old."""
    needed: dict[str, float] = {}
    for target in fit:
        for part in target.parts:
            kind = part.make.type
            needed[kind] = needed.get(kind, 0.0) + part.make.size_tib
    for quota in quotas:
        if quota.used_tib + needed.get(quota.type, 0.0) > quota.limit_tib and quota.type in needed:
            yield replace(quota, used_tib=quota.used_tib + needed[quota.type])
