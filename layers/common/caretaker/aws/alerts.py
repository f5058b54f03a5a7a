"""Bring a run's checks into the table and what changed to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker.aws.topics import publish_message
from caretaker.errors import CallError, StateError
from caretaker.incidents import Transitions, plan_transitions
from caretaker.rendering import Alert, Turn, render_message
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_sns import SNSClient

    from caretaker.aws.incidents import IncidentStore
    from caretaker.incidents import Check
    from caretaker.rendering import Message, Origin

_TRIES: Final = 5
"""How often a run that was overtaken by another looks again."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the alerting of a run came to."""

    open_incidents: int
    unsent: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerting of one run: the store of its scope, and the topic."""

    store: IncidentStore
    client: SNSClient
    topic: str

    def tell(
        self, checks: Sequence[Check], judged: frozenset[str], origin: Origin, now: datetime
    ) -> Told:
        """Open and resolve incidents, and publish at most one ALARM and one OK of this run.

        Nothing that goes wrong here fails the run: without the table every unhealthy check is told
        anew; what the topic does not take is counted as unsent and sent by the next run.
        """
        try:
            unsent = self.store.unsent(now)
            changes, messages = self._commit(checks, judged, origin, now)
            messages = [*unsent, *messages]
        except StateError as error:
            logger.error("incidents unreachable", error=error.failure.as_error())
            changes = plan_transitions((), checks, judged=judged, now=now)
            messages = _messages(changes, origin, now)
        return Told(changes.still_open, sum(not self._publish(each) for each in messages))

    def _commit(
        self, checks: Sequence[Check], judged: frozenset[str], origin: Origin, now: datetime
    ) -> tuple[Transitions, list[Message]]:
        changes = Transitions()
        for _ in range(_TRIES):
            version, known = self.store.load()
            changes = plan_transitions(known, checks, judged=judged, now=now)
            messages = _messages(changes, origin, now)
            if not messages or self.store.commit(version, changes, messages, now):
                return changes, messages
        logger.error("incidents overtaken", tries=_TRIES)
        return changes, []

    def _publish(self, message: Message) -> bool:
        try:
            publish_message(self.client, self.topic, message)
        except CallError as error:
            logger.error("alert unsent", subject=message.subject, error=error.failure.as_error())
            return False
        self._mark_sent(message)
        return True

    def _mark_sent(self, message: Message) -> None:
        try:
            self.store.mark_sent(message)
        except StateError as error:
            logger.warning("alert not marked as sent", error=error.failure.as_error())


def _messages(changes: Transitions, origin: Origin, now: datetime) -> list[Message]:
    turns = ((Turn.ALARM, changes.opened), (Turn.OK, changes.resolved))
    return [
        render_message(Alert(turn, incidents, origin, changes.still_open, now))
        for turn, incidents in turns
        if incidents
    ]
