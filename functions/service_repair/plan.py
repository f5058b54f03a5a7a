"""Decide whether what is asked for is repaired, and how the last repair ended: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Detail, Json

from .attempt import Attempt, Ending, Stand
from .facts import Action, Reason
from .gates import action_for, stoppable, why_not_machine, why_not_service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .facts import Facts, Telling
    from .request import Asked, ServiceRepairRequest

_OURS_LASTS: Final = timedelta(minutes=30)
"""How long a deployment is taken to be the one of the last repair."""
UNDER_WAY: Final = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
"""States of a command that may still come to something.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided; none of a run for which nothing was asked.

    `attempts` are those that stand otherwise than before, by resource; `intent` is how the one of
    the resource stands once the step is taken. `over` are the tellings whose incident has ended.
    """

    facts: Facts
    request: ServiceRepairRequest
    now: datetime
    decision: Decision | None
    attempts: Mapping[str, Attempt]
    intent: Attempt | None
    over: Sequence[Telling]

    @property
    def decisions(self) -> list[Decision]:
        """Return the decisions."""
        return [self.decision] if self.decision else []

    def attempt_of(self, resource: str) -> Attempt | None:
        """Return the last repair of a resource, as it stands without a step."""
        return self.attempts.get(resource) or self.facts.attempts.get(resource)


def plan_repair(facts: Facts, request: ServiceRepairRequest, *, now: datetime) -> Plan:
    """Return the plan of a run."""
    case = _Case(facts, request, now)
    attempts = {
        resource: judged
        for resource, attempt in facts.attempts.items()
        if (judged := case.judged(resource, attempt)) != attempt
    }
    over = [each for each in facts.tellings if each.incident not in facts.open_incidents]
    asked = request.repair
    if asked is None:
        return Plan(facts, request, now, None, attempts, None, over)
    attempt = attempts.get(asked.resource) or facts.attempts.get(asked.resource)
    action, reason = case.decide(asked, attempt)
    is_step = reason is Reason.ASKED
    intent = case.intent(asked, attempt, action) if is_step else None
    decision = Decision(asked.resource, action, reason, case.detail(asked, attempt, intent))
    return Plan(facts, request, now, decision, attempts, intent, over)


@dataclass(frozen=True, slots=True)
class _Case:
    facts: Facts
    request: ServiceRepairRequest
    now: datetime

    def judged(self, resource: str, attempt: Attempt) -> Attempt:
        """Return how an attempt stands now, by whether its incident is still open."""
        if not attempt.is_open:
            return attempt
        if not attempt.still_asked(self.facts.open_incidents):
            return attempt.ended_as(Ending.FIXED, self.now)
        if not self._is_asked(resource) or self._is_under_way(attempt):
            return attempt
        return attempt.ended_as(Ending.NOT_FIXED, self.now)

    def decide(self, asked: Asked, attempt: Attempt | None) -> tuple[Action, Reason]:
        """Return what is done, or why nothing is."""
        if asked.incident not in self.facts.open_incidents:
            return Action.SKIP, Reason.INCIDENT_NOT_OPEN
        if self.facts.unread:
            return Action.REPORT, Reason.LISTING_FAILED
        if attempt and self._is_busy(attempt):
            return Action.REPORT, Reason.REPAIR_UNDER_WAY
        gated = self._why_not(asked) or self._why_waiting(attempt)
        if gated:
            return Action.REPORT, gated
        if asked.ssm_document:
            return Action.SEND_COMMAND, Reason.ASKED
        assert self.facts.service  # noqa: S101 - the gates let none through that is missing
        return action_for(self.facts.service), Reason.ASKED

    def intent(self, asked: Asked, attempt: Attempt | None, action: Action) -> Attempt:
        """Return the attempt that begins; of several tasks the one that runs for longest ends."""
        opened = self.facts.open_incidents[asked.incident]
        task = ""
        if action is Action.STOP_TASK and self.facts.service:
            task = stoppable(self.facts.service)[0].arn
        return Attempt(
            action=action,
            target=asked.target,
            incident=asked.incident,
            opened=opened,
            at=self.now,
            subject=task,
            begun=(*(attempt.begun_within_a_day(self.now) if attempt else ()), self.now),
            streak=attempt.streak_after(opened) if attempt else 1,
            history=_history_of(attempt, asked, opened),
            version=attempt.version if attempt else 0,
        )

    def detail(self, asked: Asked, attempt: Attempt | None, intent: Attempt | None) -> Detail:
        """Return what people want to know; nothing of a document's parameters."""
        detail: dict[str, Json] = {"target": asked.target, "incident": asked.incident}
        service, machine = self.facts.service, self.facts.machine
        if asked.ssm_document:
            detail |= {"document": asked.ssm_document.name}
        if service:
            detail |= {
                "desired": service.desired,
                "running": len(service.tasks),
                "pending": service.pending,
                "healthy_targets": service.healthy_targets,
            }
        if machine:
            detail |= {"state": machine.state, "agent": machine.ping}
        if self.facts.command_state:
            detail |= {"command_state": self.facts.command_state}
        if intent and intent.subject:
            detail |= {"task": intent.subject.rpartition("/")[2]}
        if attempt:
            begun = attempt.begun_within_a_day(self.now)
            detail |= {"repairs_today": len(begun), "history": list(attempt.history)}
        return detail

    def _is_asked(self, resource: str) -> bool:
        return self.request.repair is not None and self.request.repair.resource == resource

    def _is_busy(self, attempt: Attempt) -> bool:
        """Tell whether the last repair may still be working, for whatever it was asked."""
        is_recent = self.now - attempt.at < timedelta(minutes=self.request.repairs.settle_minutes)
        return attempt.is_open or (attempt.stand is Stand.ENDED and is_recent)

    def _is_under_way(self, attempt: Attempt) -> bool:
        """Tell whether it is too early to say that the last repair came to nothing.

        A command, and a deployment, may take longer than the time to settle.
        """
        since = self.now - attempt.at
        if since < timedelta(minutes=self.request.repairs.settle_minutes):
            return True
        service = self.facts.service
        if attempt.action == Action.DEPLOY and service and since < _OURS_LASTS:
            return any(each.rollout == "IN_PROGRESS" for each in service.deployments)
        return self.facts.command_state in UNDER_WAY

    def _why_not(self, asked: Asked) -> Reason | None:
        facts = self.facts
        if asked.ssm_document:
            return why_not_machine(facts.machine, asked.ssm_document.name, facts.documents)
        return why_not_service(facts.service, self.now)

    def _why_waiting(self, attempt: Attempt | None) -> Reason | None:
        repairs = self.request.repairs
        begun = attempt.begun_within_a_day(self.now) if attempt else ()
        if len(begun) >= repairs.repairs_per_day:
            return Reason.DAILY_BUDGET
        cooldown = timedelta(minutes=repairs.cooldown_minutes)
        rests = attempt is not None and self.now < attempt.rested_at(cooldown)
        return Reason.COOLDOWN if rests else None


def _history_of(attempt: Attempt | None, asked: Asked, opened: datetime) -> tuple[str, ...]:
    """Return what was tried before in the same incident."""
    same = attempt and (attempt.incident, attempt.opened) == (asked.incident, opened)
    return attempt.history if attempt and same else ()
