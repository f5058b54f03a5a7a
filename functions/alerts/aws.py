"""Gather and apply: the only file of this chore that talks to AWS."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from caretaker.apply import fail, settle
from caretaker.aws.alerts import Alerts
from caretaker.aws.incidents import IncidentStore, list_scopes, list_silences, put_silence
from caretaker.aws.outbox import Outbox
from caretaker.aws.session import home
from caretaker.aws.topics import get_subscriptions, publish_message
from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.errors import CallError
from caretaker.failures import Kind
from caretaker.incidents import Incident, Origin, Severity, Silence
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.settings import Channel

from .plan import Action, Facts, IncidentDecision, Reason, Scope, is_paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_sns import SNSClient

    from caretaker.aws.topics import Subscriptions
    from caretaker.decisions import Batch
    from caretaker.rendering import Message
    from caretaker.run import Run, Scene

    from .checks import Listeners
    from .request import AlertsRequest


def gather(run: Run[AlertsRequest]) -> Facts:
    """Read what is open in every scope, what is silenced, and what was not sent."""
    scene = run.scene
    table = scene.state.table
    return Facts(
        scopes=[_scope(scene, name) for name in list_scopes(table)],
        silences=list_silences(table),
        unsent=Outbox(table, scene.run_id).list_unsent(scene.clock.now()),
        channels=frozenset(scene.settings.topics),
    )


def listeners(scene: Scene) -> Listeners:
    """Return who listens to each topic that the stack has."""
    client = _sns(scene)
    found: dict[str, Subscriptions | None] = {}
    for channel, topic in _all_topics(scene).items():
        try:
            found[channel] = get_subscriptions(client, topic)
        except CallError:
            found[channel] = None
    return found


def count_unsent(scene: Scene) -> int:
    """Return how many messages wait after this run."""
    return Outbox(scene.state.table, scene.run_id).count_unsent(scene.clock.now())


def _scope(scene: Scene, name: str) -> Scope:
    loaded = IncidentStore(scene.state.table, name, scene.run_id).load(scene.clock.now())
    return Scope(name, loaded.version, loaded.incidents) if loaded else Scope(name, None, ())


def apply(run: Run[AlertsRequest], facts: Facts, unit: Batch) -> list[Outcome]:
    """Carry out one unit."""
    first = Action(unit.decisions[0].action)
    if unit.lane == "send":
        return _send(run, facts, unit.decisions)
    if first is Action.TEST:
        return [_test(run, decision) for decision in unit.decisions]
    if first is Action.SILENCE:
        return _silence(run, unit.decisions)
    told = [each for each in unit.decisions if isinstance(each, IncidentDecision)]
    telling = _Telling(run, facts)
    if first is not Action.CLOSE:
        return telling.tell(told, Turn.ALARM)
    # An OK of its own for each scope: a pager closes one alarm at a time.
    by_scope = groupby(sorted(told, key=_scope_of), key=_scope_of)
    return [outcome for _, each in by_scope for outcome in telling.tell(list(each), Turn.OK)]


def _scope_of(decision: IncidentDecision) -> str:
    return decision.after.scope


def _silence(run: Run[AlertsRequest], decisions: Sequence[Decision]) -> list[Outcome]:
    asked = run.request.silence
    if asked is not None:
        silence = Silence(asked.match, asked.until, asked.reason)
        put_silence(run.scene.state.table, silence)
    return settle(decisions, Result.DONE)


def _send(run: Run[AlertsRequest], facts: Facts, decisions: Sequence[Decision]) -> list[Outcome]:
    """Send what waits in its order; after a refusal the rest of that channel stays behind it."""
    alerts, waiting = _alerts(run), {unsent.place: unsent for unsent in facts.unsent}
    refusing: set[Channel] = set()
    outcomes = []
    for decision in decisions:
        unsent = waiting[decision.target]
        if not alerts.outbox.claim(unsent, run.scene.clock.now()):
            outcomes.append(_overtaken(decision))
        elif decision.action == Action.DROP:
            alerts.outbox.take_out(unsent)
            outcomes.append(Outcome(decision, Result.DONE))
        elif unsent.message.channel in refusing:
            outcomes.append(_unsent(decision))
        elif (failure := alerts.send(unsent)) is None:
            outcomes.append(Outcome(decision, Result.DONE))
        else:
            outcomes.append(_unsent(decision))
            # A message that is wrong in itself keeps no other one waiting.
            refusing |= {unsent.message.channel} if failure.kind is not Kind.INVALID else set()
    return outcomes


def _test(run: Run[AlertsRequest], decision: Decision) -> Outcome:
    """Publish an ALARM and its OK, so that no pager stays alarmed by a test."""
    channel, topics = Channel(decision.target), _all_topics(run.scene)
    if channel not in topics:
        return Outcome(_kept(decision, Reason.NO_TOPIC), Result.UNCHANGED)
    client, now = _sns(run.scene), run.scene.now
    try:
        for turn in Turn:
            alert = Alert(turn, [_test_incident(run)], _origin(run), (), now)
            for message in render_messages(alert, [channel]):
                publish_message(client, topics, message)
        found = get_subscriptions(client, topics[channel])
    except CallError as error:
        return fail([decision], error.failure.as_error(), {"topic": topics[channel]})[0]
    heard: dict[str, Json] = {"confirmed": found.confirmed, "pending": found.pending}
    return Outcome(decision, Result.DONE, {**heard, "topic": topics[channel]})


class _Telling:
    """Tells of incidents: one message to each channel, whatever scopes they are of."""

    def __init__(self, run: Run[AlertsRequest], facts: Facts) -> None:
        self._run = run
        self._clock = run.scene.clock
        self._alerts = _alerts(run)
        self._scopes = {scope.name: scope for scope in facts.scopes}

    def tell(self, decisions: Sequence[IncidentDecision], turn: Turn) -> list[Outcome]:
        """Write first, and only where no other run was quicker; then publish."""
        won = {name for name in sorted(set(map(_scope_of, decisions))) if self._advance(name)}
        ours = [decision for decision in decisions if _scope_of(decision) in won]
        lost = [_overtaken(decision) for decision in decisions if _scope_of(decision) not in won]
        messages = self._render(ours, won, turn)
        ready = self._alerts.outbox.put(messages, self._clock.now())
        for name in won:
            self._write(name, [d.after for d in ours if d.after.scope == name], turn)
        sent = [self._alerts.send(unsent) for unsent in ready]
        heard = not messages or None in sent
        return [*lost, *(Outcome(d, Result.DONE) if heard else _unsent(d) for d in ours)]

    def _advance(self, name: str) -> bool:
        version = self._scopes[name].version
        return version is not None and self._store(name).advance(version, self._clock.now())

    def _write(self, name: str, changed: Sequence[Incident], turn: Turn) -> None:
        is_open, resolved = (changed, ()) if turn is Turn.ALARM else ((), changed)
        version = self._scopes[name].version or 0
        self._store(name).write(version, is_open, resolved, self._clock.now())

    def _render(
        self, decisions: Sequence[IncidentDecision], won: Iterable[str], turn: Turn
    ) -> list[Message]:
        told = [d.after for d in decisions if d.after.told]
        now_open = [incident for name in won for incident in self._scopes[name].incidents]
        closed = {incident.full_key for incident in told if turn is Turn.OK}
        alert = Alert(
            turn=turn,
            incidents=told,
            origin=_origin(self._run),
            still_open=[i for i in now_open if i.full_key not in closed],
            now=self._run.scene.now,
            paged=None if turn is Turn.OK else [d.after for d in decisions if is_paged(d)],
        )
        return render_messages(alert, self._run.scene.settings.topics)

    def _store(self, scope: str) -> IncidentStore:
        return IncidentStore(self._run.scene.state.table, scope, self._run.scene.run_id)


def _kept(decision: Decision, reason: Reason) -> Decision:
    return replace(decision, action=Action.KEEP, reason=reason)


def _overtaken(decision: Decision) -> Outcome:
    return Outcome(_kept(decision, Reason.OVERTAKEN), Result.UNCHANGED)


def _unsent(decision: Decision) -> Outcome:
    error = {
        "code": "Unsent",
        "message": "its topic did not take it; it stays in the outbox, and the next run sends it",
        "request_id": "",
    }
    return fail([decision], error, {})[0]


def _test_incident(run: Run[AlertsRequest]) -> Incident:
    """Return an incident of a scope of its own: its recovery must close nothing real."""
    origin = replace(_origin(run), policy="test")
    return Incident(
        kind="test",
        resource="test",
        severity=Severity.CRITICAL,
        what="this is a test, nothing is wrong",
        evidence={"asked for by": f"run {origin.run}"},
        done="nothing",
        next="nothing: its recovery follows at once",
        opened=run.scene.now,
        scope=origin.scope,
        parent="test/test",
        told=run.scene.now,
    )


def _origin(run: Run[AlertsRequest]) -> Origin:
    scene = run.scene
    place, settings = scene.account.place, scene.settings
    return Origin(
        settings.installation, settings.environment_name, place.account, place.region, "alerts",
        run.request.policy, scene.run_id, run.slot, "", settings.runbook_url,
    )  # fmt: skip


def _alerts(run: Run[AlertsRequest]) -> Alerts:
    scene = run.scene
    topics, table = scene.settings.topics, scene.state.table
    return Alerts(table, _sns(scene), topics, _origin(run), scene.clock, scene.now)


def _all_topics(scene: Scene) -> Mapping[Channel, str]:
    watchdog = scene.settings.watchdog_topic
    return {**scene.settings.topics, **({Channel.WATCHDOG: watchdog} if watchdog else {})}


def _sns(scene: Scene) -> SNSClient:
    return home(scene.settings.region).sns
