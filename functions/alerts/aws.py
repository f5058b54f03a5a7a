"""Gather and apply: the only file of this chore that talks to AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caretaker.apply import fail, settle
from caretaker.aws.alerts import Alerts
from caretaker.aws.incidents import (
    IncidentStore,
    Outbox,
    list_scopes,
    list_silences,
    put_silence,
)
from caretaker.aws.session import home
from caretaker.aws.topics import get_subscriptions, publish_message
from caretaker.decisions import Json, Outcome, Result
from caretaker.errors import CallError
from caretaker.incidents import Incident, Origin, Severity, Silence
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.settings import Channel

from .plan import Action, Facts, IncidentDecision, Reason, Scope, becomes_urgent, versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_sns import SNSClient

    from caretaker.aws.state import Table
    from caretaker.aws.topics import Subscriptions
    from caretaker.decisions import Batch, Decision
    from caretaker.rendering import Message
    from caretaker.run import Run, Scene

    from .checks import Listeners
    from .request import AlertsRequest


def gather(run: Run[AlertsRequest]) -> Facts:
    """Read what is open in every scope, what is silenced, and what was not sent."""
    scene = run.scene
    table = scene.state.table
    return Facts(
        scopes=[_scope(table, name, scene.run_id) for name in list_scopes(table)],
        silences=list_silences(table),
        unsent=Outbox(table).list_unsent(scene.clock.now()),
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


def _scope(table: Table, name: str, writer: str) -> Scope:
    version, incidents = IncidentStore(table, name, writer).load()
    return Scope(name, version, incidents)


def apply(run: Run[AlertsRequest], facts: Facts, unit: Batch) -> list[Outcome]:
    """Carry out one unit."""
    if unit.lane == "tell":
        return _Telling(run, facts).tell(unit.decisions)
    (decision,) = unit.decisions
    carry_out = {Action.SILENCE: _silence, Action.TEST: _test, Action.SEND: _send}
    return [carry_out[Action(decision.action)](run, facts, decision)]


def _silence(run: Run[AlertsRequest], _: Facts, decision: Decision) -> Outcome:
    asked = run.request.silence
    if asked is None:
        return Outcome(decision, Result.UNCHANGED)
    silence = Silence(asked.match, asked.until, asked.reason)
    put_silence(run.scene.state.table, silence)
    return Outcome(decision, Result.DONE)


def _send(run: Run[AlertsRequest], facts: Facts, decision: Decision) -> Outcome:
    """Send a message that is still in the outbox, unless another run does."""
    unsent = next(each for each in facts.unsent if each.message.id == decision.target)
    if not Outbox(run.scene.state.table).claim(unsent, run.scene.clock.now()):
        return _overtaken(decision)
    if not _alerts(run).publish(unsent.message):
        return _unsent(decision)
    return Outcome(decision, Result.DONE)


def _test(run: Run[AlertsRequest], _: Facts, decision: Decision) -> Outcome:
    """Publish an ALARM and its OK, so that no pager stays alarmed by a test."""
    channel, topics = Channel(decision.target), _all_topics(run.scene)
    if channel not in topics:
        return Outcome(replace(decision, action=Action.KEEP), Result.UNCHANGED, {"topic": "none"})
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
        self._table = run.scene.state.table
        self._scopes = versions(facts)

    def tell(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write first, and only where no other run was quicker; then publish."""
        won = {name for name in _scopes_of(decisions) if self._store(name).advance(self._at(name))}
        ours = [d for d in decisions if _after(d).scope in won]
        lost = [_overtaken(d) for d in decisions if _after(d).scope not in won]
        if not ours:
            return lost
        messages = self._messages(ours, won)
        Outbox(self._table).put(messages, self._run.scene.clock.now())
        for name in won:
            changed = [_after(d) for d in ours if _after(d).scope == name]
            self._store(name).write(changed, (), self._run.scene.now)
        sent = [_alerts(self._run).publish(message) for message in messages]
        if all(sent):
            return [*lost, *settle(ours, Result.DONE)]
        return [*lost, *(_unsent(decision) for decision in ours)]

    def _messages(self, decisions: Sequence[Decision], won: Iterable[str]) -> list[Message]:
        now_open = [incident for name in won for incident in self._scopes[name].incidents]
        alert = Alert(
            turn=Turn.ALARM,
            incidents=[_after(decision) for decision in decisions],
            origin=_origin(self._run, *won),
            still_open=now_open,
            now=self._run.scene.now,
            paged=[_after(decision) for decision in decisions if becomes_urgent(decision)],
        )
        return render_messages(alert, self._run.scene.settings.topics)

    def _store(self, scope: str) -> IncidentStore:
        return IncidentStore(self._table, scope, self._run.scene.run_id)

    def _at(self, scope: str) -> int:
        return self._scopes[scope].version


def _after(decision: Decision) -> Incident:
    if not isinstance(decision, IncidentDecision) or decision.after is None:
        raise TypeError(decision)
    return decision.after


def _scopes_of(decisions: Iterable[Decision]) -> list[str]:
    return sorted({_after(decision).scope for decision in decisions})


def _overtaken(decision: Decision) -> Outcome:
    return Outcome(replace(decision, action=Action.KEEP, reason=Reason.OVERTAKEN), Result.UNCHANGED)


def _unsent(decision: Decision) -> Outcome:
    error = {
        "code": "Unsent",
        "message": "a topic did not take it; it stays in the outbox, and the next run sends it",
        "request_id": "",
    }
    return fail([decision], error, {})[0]


def _test_incident(run: Run[AlertsRequest]) -> Incident:
    origin = _origin(run)
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


def _origin(run: Run[AlertsRequest], *scopes: str) -> Origin:
    """Return where a message comes from: the one scope it tells of, or else this run."""
    scene = run.scene
    place, settings = scene.account.place, scene.settings
    chore, policy, account, region = "alerts", run.request.policy, place.account, place.region
    if len(scopes) == 1:
        _, account, region, chore, policy = scopes[0].split("/")
    return Origin(
        settings.installation, settings.environment_name, account, region, chore, policy,
        scene.run_id, run.slot, "", settings.runbook_url,
    )  # fmt: skip


def _alerts(run: Run[AlertsRequest]) -> Alerts:
    scene = run.scene
    return Alerts(scene.state.table, _sns(scene), scene.settings.topics, _origin(run), scene.now)


def _all_topics(scene: Scene) -> Mapping[Channel, str]:
    watchdog = scene.settings.watchdog_topic
    return {**scene.settings.topics, **({Channel.WATCHDOG: watchdog} if watchdog else {})}


def _sns(scene: Scene) -> SNSClient:
    return home(scene.settings.region).sns
