"""Sentences of the alerts, by reason. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Result

from .facts import Action, Cause, Reason
from .ladder import Stand
from .request import Rung

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .ended import Told

_BY_HAND: Final = "repair it by hand: "
NEXT: Final[Mapping[Reason, str]] = {
    Reason.IMPAIRED: "judged within 15 minutes; then the next step, or it is over",
    Reason.STILL_IMPAIRED: "judged within 15 minutes; then the next step, or it is over",
    Reason.ASKED: "judged within 15 minutes by the incident that asked for it",
    Reason.REPAIR_UNDER_WAY: "judged within 15 minutes of the last step",
    Reason.STOPPED_BY_US: "watched until it runs, then judged within 15 minutes",
    Reason.STOP_LOST: "started again as soon as it is stopped",
    Reason.JUST_STARTED: "repaired once it has been up for a while",
    Reason.AWS_RECOVERING: "EC2 may recover it by itself; after that it is stopped and started",
    Reason.AWS_EVENT_UNDER_WAY: "AWS is at work on it; repaired after that",
    Reason.MAINTENANCE_WINDOW: "repaired when the maintenance window is over",
    Reason.COST_UNKNOWN: "stopped and started once it is known what that would lose",
    Reason.COOLDOWN: "the next repair begins when the last one is long enough ago",
    Reason.GROUP_BUDGET: "its turn comes when others of its group are repaired",
    Reason.ZONE_IMPAIRED: "nothing is repaired while so much of the zone is impaired",
    Reason.FLEET_IMPAIRED: "nothing is repaired while so much of the fleet is impaired",
    Reason.NOT_OPTED_IN: _BY_HAND + "it has no tag caretaker:remediate",
    Reason.OPTED_OUT: _BY_HAND + "caretaker:remediate is none",
    Reason.REMEDIATE_UNREADABLE: _BY_HAND + "caretaker:remediate has a value that nobody knows",
    Reason.RESTORE_OPEN: "the restore that is under way goes on, or puts it back",
    Reason.SERVICE_MANAGED: "the service that manages it has to repair it",
    Reason.STEP_NOT_ALLOWED: _BY_HAND + "its tag caretaker:remediate allows no step of the ladder",
    Reason.INSTANCE_STORE: _BY_HAND + "a stop would lose its instance store",
    Reason.ADDRESS_WOULD_CHANGE: _BY_HAND + "a stop would change its public address",
    Reason.SPOT: _BY_HAND + "a Spot Instance is not stopped and started",
    Reason.KEY_UNUSABLE: _BY_HAND + "it would not start again, for the key of a volume",
    Reason.STOP_PROTECTED: _BY_HAND + "it is protected against being stopped",
    Reason.DAILY_BUDGET: _BY_HAND + "its repairs of today are used up",
    Reason.LADDER_ENDED: _BY_HAND + "every step was tried",
    Reason.OUTCOME_UNKNOWN: _BY_HAND + "nobody knows whether the last step helped",
}
_PAST: Final = {
    Action.REBOOT: "rebooted",
    Action.STOP: "stopped to be started",
    Action.START: "started again",
    Action.REPLACE: "handed to its group to be replaced",
}


def said_of(told: Told) -> str:
    """Return what is the matter in a few words, the repair last."""
    item, case = told.verdict.item, told.case
    times = [each for each in (item.status.since, item.sighting and item.sighting.since) if each]
    since = span(min(times), case.now) if times else ""
    status = item.status
    if status.cause:
        head = f"{status.cause} check failed {since}".strip()
    elif told.ladder and told.ladder.cause is Cause.ASKED:
        head = "repair asked for by another chore"
    else:
        head = f"under repair, {status.state or 'not listed'}"
    return ", ".join(filter(None, (head, _repair(told))))


def _repair(told: Told) -> str:
    action, reason, ladder = told.decision.action, told.reason, told.ladder
    if told.has_failed:
        return f"{told.verdict.decision.action} failed"
    if told.is_planned:
        return f"to {action} in mode act"
    if told.outcome.result is Result.DEFERRED:
        return f"to {action} as soon as AWS takes it"
    if action in _PAST:
        again = " again" if action == Action.REBOOT and ladder and ladder.history else ""
        return _PAST[Action(action)] + again
    if ladder and ladder.is_open:
        return "starting" if ladder.stand is Stand.STARTING else _since(ladder.step)
    return reason.replace("_", " ")


def _since(step: str) -> str:
    return {Rung.REBOOT: "rebooted", Rung.STOP_START: "stopped and started"}.get(
        Rung(step) if step in set(Rung) else Rung.PAGE, "repair under way"
    )


def span(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in minutes or hours."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    return f"{hours}h {rest}m" if hours else f"{minutes}m"
