"""What people must know of a run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.incidents import Check, Severity
from caretaker.report import Findings
from caretaker.verdicts import breaker_check

from .announced import events_announced, health_told
from .facts import Action, Reason
from .telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ended import Ended, Told

JUDGED: Final = frozenset(
    {
        "instance_impaired",
        "repair_asked",
        "instance_left_stopped",
        "instance_stuck",
        "instance_not_running",
        "instance_unknown",
        "instance_event",
        "zone_impaired",
        "fleet_impaired",
    }
)
"""Kinds of which a run that read everything knows every resource there is."""


def findings_of(ended: Ended) -> Findings:
    """Return what the run came to, for the harness.

    A look by hand at what a stack that acts would do tells nobody: its next poll does it.
    """
    regular = ended.is_regular
    return Findings(
        ended.outcomes,
        list(_checks(ended)) if regular else [],
        JUDGED if regular and ended.plan.case.facts.is_whole else frozenset(),
        ended.gauges,
        may_continue=False,  # the next poll is near
        summary=ended.summary,
    )


def _checks(ended: Ended) -> Iterator[Check]:
    facts, request = ended.plan.case.facts, ended.request
    for each in ended.told:
        yield from _of_instance(each)
    yield from health_told(request.event)
    if ended.unlisted:
        yield _unlisted(ended.unlisted)
    if facts.is_whole:
        yield from (*_too_many(ended), *events_announced(ended))
        stopped, tried_all = ended.is_stopped, ended.tried_all
        yield breaker_check("repairs_stopped", request.policy, stopped=stopped, tried_all=tried_all)


def _unlisted(error: str) -> Check:
    return Check(
        kind="run_failed",
        resource="run",
        healthy=False,
        severity=Severity.CRITICAL,
        what="instances could not be listed",
        evidence={"message": error},
        done="only what this chore had stopped was looked after; nothing else was judged",
        next="every poll tries again",
    )


def _of_instance(told: Told) -> Iterator[Check]:
    telling = Telling(told)
    reason, is_report = told.reason, told.decision.action == Action.REPORT
    yield from telling.impaired()
    if told.is_owed:
        yield telling.left_stopped()
    elif is_report and reason == Reason.STUCK:
        yield telling.stuck()
    if is_report and reason == Reason.NOT_RUNNING_EXPECTED:
        yield telling.not_running()
    if is_report and reason == Reason.INSUFFICIENT_DATA:
        yield telling.unknown()


def _too_many(ended: Ended) -> Iterator[Check]:
    """One alert for a failure that is larger than an instance: nothing is repaired in it."""
    case = ended.plan.case
    for zone, counts in sorted(case.closed.items()):
        share = round(100 * counts.impaired / counts.of)
        yield Check(
            kind="zone_impaired" if zone else "fleet_impaired",
            resource=zone or ended.region,
            healthy=False if _is_believed(ended, zone) else None,
            severity=Severity.CRITICAL,
            what=f"{counts.impaired} of {counts.of} instances impaired ({share} %)",
            evidence={"limit": f"{case.request.repairs.breaker_percent} %"},
            done="nothing is repaired: this looks like a failure of the zone or region",
            next="repairs begin again by themselves when fewer are impaired",
            within=f"fleet_impaired/{ended.region}" if zone and "" in case.closed else "",
        )


def _is_believed(ended: Ended, zone: str) -> bool:
    """Tell whether enough of them were seen often enough: people hear of nothing that passes."""
    repairs = ended.request.repairs
    seen = [
        verdict
        for verdict in ended.plan.verdicts
        if verdict.item.status.zone == zone or not zone
        if verdict.item.status.cause
        and verdict.item.sighting
        and verdict.item.sighting.polls >= repairs.polls
    ]
    return len(seen) >= repairs.breaker_count
