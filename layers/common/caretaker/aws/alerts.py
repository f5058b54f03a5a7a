"""Bring a run's checks into the table and what changed to people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.aws.handing import Handing, heard_of
from caretaker.aws.incidents import IncidentStore, Loaded, list_silences
from caretaker.aws.outbox import Outbox
from caretaker.aws.topics import publish_message
from caretaker.errors import BusyError, CallError, StateError
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.settings import Channel
from caretaker.telemetry import logger
from caretaker.transitions import Transitions, plan_transitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_sns import SNSClient

    from caretaker.aws.handing import Handed
    from caretaker.aws.state import Table
    from caretaker.clock import Clock
    from caretaker.failures import Failure
    from caretaker.incidents import Check, Origin, Silence
    from caretaker.rendering import Message, Unsent

_ALONE_AGAIN: Final = timedelta(hours=1)
MOST_PAGES: Final = 20
"""Of one fleet run: who has twenty pages at three in the morning reads the message for the rest."""
_WAITS: Final = (0, 1, 2, 4, 8, 8)
"""Seconds before each look of a run that is overtaken: in all longer than a dead one holds on."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the alerting of a run came to; `opened` and `resolved` are those that people hear of."""

    open_incidents: int = 0
    unsent: int = 0
    opened: int = 0
    resolved: int = 0


class _Committed(NamedTuple):
    """What changed, the messages of it, and those of them that may be published at once."""

    changes: Transitions
    messages: Sequence[Message] = ()
    ready: Sequence[Unsent] = ()


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerting of one run: the table, the channels' topics, and who tells.

    A run that has a `caller`, a fleet, publishes nothing: it hands what changed on to the judge of
    that fleet, which `tells_for` it.
    """

    table: Table
    client: SNSClient
    topics: Mapping[Channel, str]
    origin: Origin
    clock: Clock
    now: datetime
    told_alone: dict[str, datetime] = field(default_factory=dict)
    caller: str = ""
    tells_for: str = ""

    def tell(self, checks: Sequence[Check], judged: frozenset[str]) -> Told:
        """Open and resolve incidents; publish at most one ALARM and one OK to each channel.

        Nothing that goes wrong here fails the run: without the table every unhealthy check is told
        anew, by a process once an hour; what a topic does not take is counted as unsent, and sent
        by the chore `alerts`. Only a run that tells for others raises, `StateError` or `BusyError`:
        nobody else would tell what was handed on to it, and who asked for it asks again.
        """
        try:
            changes, messages, ready = self._commit(checks, judged)
        except StateError as error:
            if self.tells_for:
                raise
            logger.error("incidents unreachable", error=error.failure.as_error())
            return self._tell_alone(checks, judged)
        sent = sum(self.send(unsent) is None for unsent in ready)
        opened, resolved = heard_of(changes, self.now)
        unsent = len(messages) - sent
        return Told(len(changes.still_open), unsent, len(opened), len(resolved))

    def _tell_alone(self, checks: Sequence[Check], judged: frozenset[str]) -> Told:
        """Tell without the table; again within the hour only what this process has not told."""
        nothing = Loaded(0, [], {})
        open_incidents = self._plan(nothing, checks, judged, ()).still_open
        if self.caller:
            return Told(len(open_incidents), unsent=len(open_incidents))
        news = [check for check in checks if check.healthy is False and self._is_news(check)]
        messages = self._messages(self._plan(nothing, news, judged, ()))
        unsent = sum(map(bool, map(self._publish, messages)))
        if not unsent:
            self.told_alone.update({self._key_alone(check): self.now for check in news})
        return Told(len(open_incidents), unsent)

    def _is_news(self, check: Check) -> bool:
        before = self.told_alone.get(self._key_alone(check))
        return before is None or not timedelta() <= self.now - before < _ALONE_AGAIN

    def _key_alone(self, check: Check) -> str:
        return f"{self.origin.scope}/{check.key}"

    def send(self, unsent: Unsent) -> Failure | None:
        """Publish a message of the outbox and take it out; it stays there when it fails."""
        failure = self._publish(unsent.message)
        if failure is not None:
            return failure
        try:
            self.outbox.take_out(unsent)
        except StateError as error:
            logger.warning("alert not marked as sent", error=error.failure.as_error())
        return None

    @property
    def outbox(self) -> Outbox:
        """Return the messages that wait."""
        return Outbox(self.table, self.origin.run)

    def _publish(self, message: Message) -> Failure | None:
        try:
            publish_message(self.client, self.topics, message)
        except CallError as error:
            logger.error("alert unsent", subject=message.subject, error=error.failure.as_error())
            return error.failure
        return None

    def _commit(self, checks: Sequence[Check], judged: frozenset[str]) -> _Committed:
        """Write what changed and the messages to send.

        The messages are written before the incidents: killed in between, people hear twice rather
        than never.
        """
        store = IncidentStore(self.table, self.origin.scope, self.origin.run)
        handed = Handing(self.table, self.tells_for).list() if self.tells_for else []
        for wait in _WAITS:
            self.clock.sleep(wait)
            loaded = store.load(self.clock.now())
            if loaded is not None:
                changes = self._plan(loaded, checks, judged, ())
                if not changes and not handed:
                    return _Committed(changes)
                changes = self._plan(loaded, checks, judged, list_silences(self.table))
                if store.advance(loaded.version, self.clock.now()):
                    messages, ready = self._hand_on_or_put(changes, handed)
                    self._write(store, loaded.version, changes)
                    return _Committed(changes, messages, ready)
        if self.tells_for:
            raise BusyError(self.origin.scope, self.origin.slot)
        logger.error("incidents overtaken", tries=len(_WAITS))
        return _Committed(Transitions())

    def _hand_on_or_put(
        self, changes: Transitions, handed: Sequence[Handed]
    ) -> tuple[Sequence[Message], Sequence[Unsent]]:
        """Write down what is to be told: for the caller, or else as messages of the outbox."""
        if self.caller:
            Handing(self.table, self.caller).put(changes, self.now)
            return (), ()
        messages = [*self._messages(changes, handed), *self._pages(handed)]
        ready = self.outbox.put(messages, self.clock.now())
        Handing(self.table, self.tells_for).take_out(handed)
        return messages, ready

    def _write(self, store: IncidentStore, version: int, changes: Transitions) -> None:
        """Write what changed; unwritten, it is told again by the next run, not by this one."""
        try:
            is_open = (*changes.opened, *changes.noted)
            store.write(version, is_open, changes.resolved, self.clock.now())
        except StateError as error:
            logger.error("incidents unwritten", error=error.failure.as_error())

    def _plan(
        self,
        loaded: Loaded,
        checks: Sequence[Check],
        judged: frozenset[str],
        silences: Sequence[Silence],
    ) -> Transitions:
        return plan_transitions(
            loaded.incidents,
            checks,
            judged=judged,
            now=self.now,
            origin=self.origin,
            silences=silences,
            recent=loaded.recent,
        )

    def _messages(self, changes: Transitions, handed: Sequence[Handed] = ()) -> list[Message]:
        """Render what people may hear of, and what cells have handed on; that is paged apart."""
        messages = []
        for turn, ours in zip(Turn, heard_of(changes, self.now), strict=True):
            theirs = [each.incident for each in handed if each.turn is turn]
            told = [*ours, *theirs]
            still_open, paged = changes.still_open, ours if theirs else None
            alert = Alert(turn, told, self.origin, still_open, self.now, paged)
            messages += render_messages(alert, self.topics)
        # Of a thousand scopes one message would not fit into the outbox: it stands behind its own.
        own = (self.origin.scope,)
        return [replace(m, scopes=own) for m in messages] if handed else messages

    def _pages(self, handed: Sequence[Handed]) -> list[Message]:
        """Render for a pager what cells have handed on: its alarm is the scope, so one for each."""
        if Channel.PAGER not in self.topics:
            return []
        scopes: dict[tuple[Turn, str], list[Handed]] = {}
        for each in handed:
            if each.incident.is_urgent and not (each.turn is Turn.OK and each.is_urgent_there):
                scopes.setdefault((each.turn, each.incident.scope), []).append(each)
        alarms = [key for key in scopes if key[0] is Turn.ALARM][:MOST_PAGES]
        over = [key for key in scopes if key[0] is Turn.OK]
        return [
            message
            for turn, scope in (*alarms, *over)
            for message in render_messages(
                Alert(
                    turn,
                    [each.incident for each in scopes[turn, scope]],
                    self.origin,
                    (),
                    self.now,
                ),
                [Channel.PAGER],
            )
        ]
