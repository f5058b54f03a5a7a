"""Bring a run's checks into the table and what changed to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker.aws.incidents import IncidentStore, Outbox, list_silences
from caretaker.aws.topics import publish_message
from caretaker.errors import CallError, StateError
from caretaker.incidents import Transitions, plan_transitions
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_sns import SNSClient

    from caretaker.aws.state import Table
    from caretaker.incidents import Check, Incident, Origin, Silence
    from caretaker.rendering import Message
    from caretaker.settings import Channel

_TRIES: Final = 5
"""How often a run that was overtaken by another looks again."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the alerting of a run came to."""

    open_incidents: int
    unsent: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerting of one run: the table, the channels' topics, and who tells."""

    table: Table
    client: SNSClient
    topics: Mapping[Channel, str]
    origin: Origin
    now: datetime

    def tell(self, checks: Sequence[Check], judged: frozenset[str]) -> Told:
        """Open and resolve incidents; publish at most one ALARM and one OK to each channel.

        Nothing that goes wrong here fails the run: without the table every unhealthy check is told
        anew; what a topic does not take is counted as unsent, and sent by the chore `alerts`.
        """
        try:
            changes, messages = self._commit(checks, judged)
        except StateError as error:
            logger.error("incidents unreachable", error=error.failure.as_error())
            changes = self._plan((), checks, judged, ())
            messages = self._messages(changes)
        unsent = sum(not self.publish(each) for each in messages)
        return Told(len(changes.still_open), unsent)

    def publish(self, message: Message) -> bool:
        """Publish a message of the outbox and take it out; False when it stays there."""
        try:
            publish_message(self.client, self.topics, message)
        except CallError as error:
            logger.error("alert unsent", subject=message.subject, error=error.failure.as_error())
            return False
        try:
            Outbox(self.table).mark_sent(message)
        except StateError as error:
            logger.warning("alert not marked as sent", error=error.failure.as_error())
        return True

    def _commit(
        self, checks: Sequence[Check], judged: frozenset[str]
    ) -> tuple[Transitions, list[Message]]:
        """Write what changed and the messages to send, and return both.

        The messages are written before the incidents: killed in between, people hear twice rather
        than never.
        """
        store = IncidentStore(self.table, self.origin.scope, self.origin.run)
        changes = Transitions()
        for _ in range(_TRIES):
            version, known = store.load()
            changes = self._plan(known, checks, judged, ())
            if not (changes.opened or changes.resolved):
                return changes, []
            changes = self._plan(known, checks, judged, list_silences(self.table))
            if store.advance(version):
                messages = self._messages(changes)
                Outbox(self.table).put(messages, self.now)
                store.write(changes.opened, changes.resolved, self.now)
                return changes, messages
        logger.error("incidents overtaken", tries=_TRIES)
        return changes, []

    def _plan(
        self,
        known: Iterable[Incident],
        checks: Sequence[Check],
        judged: frozenset[str],
        silences: Sequence[Silence],
    ) -> Transitions:
        return plan_transitions(
            known, checks, judged=judged, now=self.now, origin=self.origin, silences=silences
        )

    def _messages(self, changes: Transitions) -> list[Message]:
        """Render what people may hear of: no opening that is silenced, nor its recovery."""
        turns = ((Turn.ALARM, changes.opened), (Turn.OK, changes.resolved))
        return [
            message
            for turn, incidents in turns
            for message in render_messages(
                Alert(
                    turn,
                    [incident for incident in incidents if incident.told],
                    self.origin,
                    changes.still_open,
                    self.now,
                ),
                self.topics,
            )
        ]
