"""Decide what people are told again: pure, from facts, request and `now`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch, Decision
from caretaker.errors import FieldError, RefusedError
from caretaker.incidents import Incident, Severity, Silence, is_part, is_silenced
from caretaker.settings import Channel
from caretaker.tags import matches

if TYPE_CHECKING:
    from caretaker.rendering import Unsent

    from .request import AlertsRequest, SilenceRequest

LONGEST_SILENCE: Final = timedelta(days=30)


class Action(StrEnum):
    """What may happen to an incident, a message, or a topic."""

    TELL = "tell"
    REMIND = "remind"
    ESCALATE = "escalate"
    SEND = "send"
    DROP = "drop"
    SILENCE = "silence"
    CLOSE = "close"
    TEST = "test"
    KEEP = "keep"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    SILENCE_ENDED = "silence_ended"
    PARENT_ENDED = "parent_ended"
    STILL_OPEN = "still_open"
    OPEN_TOO_LONG = "open_too_long"
    UNSENT = "unsent"
    NO_TOPIC = "no_topic"
    ASKED = "asked"
    TOLD = "told"
    SILENCED = "silenced"
    PART_OF_ANOTHER = "part_of_another"
    FLAPPING = "flapping"
    NEXT_RUN = "next_run"
    OVERTAKEN = "overtaken"


TELLING: Final = frozenset({Action.TELL, Action.REMIND, Action.ESCALATE})
_LANES: Final[Mapping[str, str]] = {
    **dict.fromkeys(TELLING, "tell"),
    **dict.fromkeys((Action.SEND, Action.DROP), "send"),
    Action.CLOSE: "close",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The open incidents of one scope, as of a version of it; None while another run writes."""

    name: str
    version: int | None
    incidents: Sequence[Incident]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered; `unsent` are messages that nobody is publishing."""

    scopes: Sequence[Scope]
    silences: Sequence[Silence]
    unsent: Sequence[Unsent]
    channels: frozenset[Channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDecision(Decision):
    """What is told of one incident, and what the incident is once that is told."""

    after: Incident


def plan_alerts(facts: Facts, request: AlertsRequest, *, now: datetime) -> list[Decision]:
    """Return one decision for each thing that there is to look after."""
    being_written = [
        Decision(scope.name, Action.KEEP, Reason.OVERTAKEN)
        for scope in facts.scopes
        if scope.version is None
    ]
    if request.silence:
        return [_silence(request.silence, now)]
    if request.close:
        return [*being_written, *_close(request.close.match, facts)]
    if request.test:
        return [Decision(channel, Action.TEST, Reason.ASKED) for channel in sorted(Channel)]
    incidents = [incident for scope in facts.scopes for incident in scope.incidents]
    keys = frozenset(incident.full_key for incident in incidents)
    judged = [
        _decision(i, Action.KEEP, why)
        if (why := _why_quiet(i, facts.silences, keys, now))
        else _judge(i, facts, request, now)
        for i in sorted(incidents, key=_oldest_first)
    ]
    sends = [_send(unsent, facts.channels) for unsent in facts.unsent]
    return [*being_written, *sends, *_one_page_at_a_time(judged, facts.channels)]


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Group the changes: what is told makes one message, and messages keep their order."""
    lanes: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.is_change:
            lanes.setdefault(_LANES.get(decision.action, decision.target), []).append(decision)
    return [Batch(lane, tuple(members)) for lane, members in lanes.items()]


def _oldest_first(incident: Incident) -> tuple[datetime, str]:
    return incident.opened, incident.full_key


def _silence(asked: SilenceRequest, now: datetime) -> Decision:
    if asked.until > now + LONGEST_SILENCE:
        end = (now + LONGEST_SILENCE).astimezone(UTC)
        problem = FieldError(
            "silence.until", "more than 30 days ahead", f"at most {end:%Y-%m-%dT%H:%MZ}"
        )
        raise RefusedError("silence_too_long", [problem])
    until = asked.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Decision(asked.match, Action.SILENCE, Reason.ASKED, {"until": until})


def _close(match: str, facts: Facts) -> list[Decision]:
    """Return the incidents that a person calls over."""
    incidents = [incident for scope in facts.scopes for incident in scope.incidents]
    return [
        _decision(incident, Action.CLOSE, Reason.ASKED)
        for incident in sorted(incidents, key=_oldest_first)
        if matches(incident.full_key, match)
    ]


def _send(unsent: Unsent, channels: frozenset[Channel]) -> Decision:
    """Send what waits; what waits for a topic that the stack no longer has can only be dropped."""
    message = unsent.message
    detail = {"channel": message.channel, "subject": message.subject}
    if message.channel not in channels:
        return Decision(unsent.place, Action.DROP, Reason.NO_TOPIC, detail)
    return Decision(unsent.place, Action.SEND, Reason.UNSENT, detail)


def _why_quiet(
    incident: Incident, silences: Iterable[Silence], open_keys: frozenset[str], now: datetime
) -> Reason | None:
    """Return why nothing may be told of an incident."""
    if is_silenced(incident, silences, now):
        return Reason.SILENCED
    if is_part(incident, open_keys):
        return Reason.PART_OF_ANOTHER
    return Reason.FLAPPING if incident.calm else None


def _judge(
    incident: Incident, facts: Facts, request: AlertsRequest, now: datetime
) -> IncidentDecision:
    """Return what is to be told of one incident."""
    if incident.told is None:
        reason = Reason.PARENT_ENDED if incident.within else Reason.SILENCE_ENDED
        return _decision(incident, Action.TELL, reason, now)
    if _is_to_escalate(incident, facts.channels, request, now):
        return _decision(incident, Action.ESCALATE, Reason.OPEN_TOO_LONG, now)
    if incident.severity is Severity.NOTICE:
        return _decision(incident, Action.KEEP, Reason.TOLD)
    every = request.remind_critical_hours if incident.is_urgent else request.remind_warning_hours
    if now - incident.told >= timedelta(hours=every):
        return _decision(incident, Action.REMIND, Reason.STILL_OPEN, now)
    return _decision(incident, Action.KEEP, Reason.TOLD)


def _is_to_escalate(
    incident: Incident, channels: frozenset[Channel], request: AlertsRequest, now: datetime
) -> bool:
    """Tell whether a warning has been open for so long that it is to wake people."""
    heard = channels & {Channel.URGENT, Channel.PAGER}
    long = now - incident.opened >= timedelta(hours=request.escalate_after_hours)
    is_warning = incident.severity is Severity.WARNING and not incident.escalated
    return bool(heard) and long and is_warning


def _decision(
    incident: Incident, action: Action, reason: Reason, now: datetime | None = None
) -> IncidentDecision:
    detail = {
        "opened": incident.opened.astimezone(UTC).isoformat(),
        "severity": incident.severity.value,
        "reminders": incident.reminders,
    }
    after = replace(
        incident,
        told=now or incident.told,
        reminders=incident.reminders + (action in {Action.REMIND, Action.ESCALATE}),
        escalated=incident.escalated or action == Action.ESCALATE,
        closed=action == Action.CLOSE,
    )
    return IncidentDecision(incident.full_key, action, reason, detail, after=after)


def is_paged(decision: IncidentDecision) -> bool:
    """Tell whether a pager is to hear of it: of whatever is urgent and told now."""
    return decision.action in TELLING and decision.after.is_urgent


def _one_page_at_a_time(
    decisions: Sequence[IncidentDecision], channels: frozenset[Channel]
) -> list[IncidentDecision]:
    """Leave to the next run what would page for a second scope: a message names one alarm."""
    scopes = [decision.after.scope for decision in decisions if is_paged(decision)]
    if Channel.PAGER not in channels or not scopes:
        return list(decisions)
    return [
        replace(d, action=Action.KEEP, reason=Reason.NEXT_RUN)
        if is_paged(d) and d.after.scope != scopes[0]
        else d
        for d in decisions
    ]
