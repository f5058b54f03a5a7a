"""What the deployed alerts function tells, and on which channels people hear it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.cloud.demo_memory import incidents, let_be_sent, let_pass, outbox
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.subscribers import Heard, NotHeardError, QueueSubscriber
from tests.e2e.conftest import Fleet, Inboxes, denied

SLOT = "2026-11-21T03:00Z"
SCOPE = "caretaker/123456789012/eu-west-1/snapshot"


@pytest.fixture
def alerts(stack: Stack) -> str:
    """The deployed alerts function's name."""
    return stack.outputs["AlertsFunctionName"]


@pytest.fixture
def fail_one(stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str) -> Callable[[], Json]:
    """Let a run fail on one volume: one warning, and nothing else."""

    def fail() -> Json:
        ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)
        event = {"policy": fleet.policy, "scheduled_time": SLOT}
        answer: Json = stack.invoke(snapshots, event)
        assert answer["counts"]["create"]["failed"] == 1
        return answer

    return fail


def recover(stack: Stack, ec2: RemoteCloud, snapshots: str, fleet: Fleet) -> None:
    """Take what is missing, and look at it once it is completed."""
    answer = stack.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    assert answer["counts"]["create"] == {"done": 1}
    ec2.complete_pending()
    stack.invoke(snapshots, {"policy": fleet.policy, "mode": "report"})


def says(text: str, *, subject: str = "") -> Callable[[Heard], bool]:
    """Return a test for messages that hold a text."""
    return lambda each: text in each.message and subject in each.subject


def incident_key(fleet: Fleet) -> str:
    """Return the name of the incident that `fail_one` opens."""
    return f"{SCOPE}/{fleet.policy}/backup_failed/{fleet.loose}"


def quiet(inbox: QueueSubscriber, text: str) -> bool:
    """Tell whether nothing with this text is in a queue or a mailbox."""
    try:
        inbox.wait_for_one(says(text), seconds=1)
    except NotHeardError:
        return True
    return False


def test_the_alerts_schedule_looks_after_what_is_open(
    stack: Stack, inboxes: Inboxes, alerts: str
) -> None:
    scheduled = stack.schedule(mode="act", function=alerts)
    assert json.loads(scheduled["Target"]["Input"]) == {
        "remind_critical_hours": 4,
        "remind_warning_hours": 24,
        "escalate_after_hours": 72,
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }

    paged = len(inboxes.pager.received)
    answer = stack.run_schedule(alerts, mode="act")

    assert (answer["status"], answer["complete"]) == ("ok", True)
    measured = stack.metrics(alerts)[-1]
    assert (measured["Heartbeat"], measured["UnsentAlerts"]) == ([1], [0])
    assert measured["ConfirmedSubscriptions"] == [1]
    assert len(inboxes.pager.received) == paged


def test_a_test_reaches_mail_phone_chat_pager_and_watchdog_and_ends_at_once(
    stack: Stack, inboxes: Inboxes, alerts: str
) -> None:
    answer = stack.invoke(alerts, {"test": True})

    reached = {each["target"]: each["result"] for each in answer["outcomes"]}
    assert reached == dict.fromkeys(("alerts", "chat", "pager", "urgent", "watchdog"), "done")
    what, run = "this is a test, nothing is wrong", answer["run"]
    for inbox in (inboxes.mail, inboxes.watchdog):
        assert what in inbox.wait_for_one(says(run, subject="ALARM: [CRIT] prod")).message
        assert "test: healthy" in inbox.wait_for_one(says(run, subject="OK: [CRIT]")).message
    sms = inboxes.phone.wait_for_one(says("ALARM: CRIT prod test")).message
    assert len(sms) <= 160
    inboxes.phone.wait_for_one(says("OK: CRIT prod test"))
    thread, ended = (
        inboxes.chat.wait_for_one(says(run, subject=state)).document["metadata"]["threadId"]
        for state in ("ALARM", "OK")
    )
    assert thread == ended
    pages = [each.document for each in inboxes.pager.wait_for(2) if "/alerts/" in each.message]
    assert [each["NewStateValue"] for each in pages] == ["ALARM", "OK"]


def test_what_no_topic_took_is_sent_by_the_next_run_of_the_alerts_function(
    stack: Stack,
    fleet: Fleet,
    inboxes: Inboxes,
    alerts: str,
    snapshots: str,
    fail_one: Callable[[], Json],
) -> None:
    with denied(stack, "SnapshotRole", "sns:Publish"):
        fail_one()
    assert stack.metrics(snapshots)[-1]["UnsentAlerts"] == [2]
    assert {each["channel"]["S"] for each in outbox(stack, fleet.policy)} == {"alerts", "chat"}

    early = stack.invoke(alerts)
    assert "send" not in early["counts"]
    let_be_sent(stack, fleet.policy)
    later = stack.invoke(alerts)

    assert later["counts"]["send"] == {"done": 2}
    assert "snapshot failed" in inboxes.mail.wait_for_one(says(fleet.loose)).message
    assert fleet.loose in inboxes.chat.wait_for_one(says(fleet.loose)).message
    assert outbox(stack, fleet.policy) == []
    assert len(inboxes.documents(fleet.policy)) == 1


def test_while_no_topic_takes_it_the_alarm_on_unsent_alerts_has_something_to_see(
    stack: Stack, fleet: Fleet, inboxes: Inboxes, alerts: str, fail_one: Callable[[], Json]
) -> None:
    with denied(stack, "SnapshotRole", "sns:Publish"):
        fail_one()
    let_be_sent(stack, fleet.policy)

    with denied(stack, "AlertsRole", "sns:Publish"):
        answer = stack.invoke(alerts)

    assert answer["counts"]["send"] == {"failed": 2}
    assert stack.metrics(alerts)[-1]["UnsentAlerts"] == [2]
    assert inboxes.documents(fleet.policy) == []
    let_be_sent(stack, fleet.policy)
    assert stack.invoke(alerts)["counts"]["send"] == {"done": 2}
    assert stack.metrics(alerts)[-1]["UnsentAlerts"] == [0]


def test_nobody_hears_of_what_is_silenced_until_the_silence_ends(
    stack: Stack, fleet: Fleet, inboxes: Inboxes, alerts: str, fail_one: Callable[[], Json]
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    silence = {"match": f"*/{fleet.policy}/*", "reason": "known, ticket 7"}

    def ask(until: datetime) -> None:
        asked = {"silence": {**silence, "until": until.isoformat()}}
        assert stack.invoke(alerts, asked)["counts"] == {"silence": {"done": 1}}

    ask(now + timedelta(hours=8))
    fail_one()
    kept = stack.invoke(alerts)

    (incident,) = incidents(stack, fleet.policy)
    assert (incident["kind"], incident["told"]) == ("backup_failed", None)
    assert kept["counts"]["keep"]["unchanged"] >= 1
    assert inboxes.documents(fleet.policy) == []
    assert quiet(inboxes.chat, fleet.loose)

    ask(now - timedelta(minutes=1))
    ended = stack.invoke(alerts)

    assert ended["counts"]["tell"] == {"done": 1}
    (told,) = inboxes.http.wait_for_one(says(fleet.loose)).document["incidents"]
    assert (told["resource"], told["key"]) == (fleet.loose, incident_key(fleet))
    inboxes.mail.wait_for_one(says(fleet.loose))
    inboxes.chat.wait_for_one(says(fleet.loose))


def test_who_has_done_nothing_for_a_day_is_reminded_once(
    stack: Stack, fleet: Fleet, inboxes: Inboxes, alerts: str, fail_one: Callable[[], Json]
) -> None:
    fail_one()
    inboxes.mail.wait_for_one(says(fleet.loose, subject="snapshot failed"))
    opened = inboxes.chat.wait_for_one(says(fleet.loose))
    assert "remind" not in stack.invoke(alerts)["counts"]

    let_pass(stack, fleet.policy, hours=25)
    first, second = stack.invoke(alerts), stack.invoke(alerts)

    assert first["counts"]["remind"] == {"done": 1}
    assert "remind" not in second["counts"]
    mail = inboxes.mail.wait_for_one(says(fleet.loose, subject="open for 1d 1h"))
    assert "reminder 1" in mail.message
    reminder = inboxes.chat.wait_for_one(says(fleet.loose, subject="open for"))
    assert reminder.document["metadata"]["eventType"] == "caretaker-alarm"
    assert opened.document["id"] != reminder.document["id"]
    assert quiet(inboxes.phone, fleet.loose)


def test_a_warning_that_nobody_looks_at_for_days_wakes_people_and_ends_for_them_too(
    stack: Stack,
    ec2: RemoteCloud,
    fleet: Fleet,
    inboxes: Inboxes,
    alerts: str,
    snapshots: str,
    fail_one: Callable[[], Json],
) -> None:
    fail_one()
    assert quiet(inboxes.phone, fleet.loose)
    let_pass(stack, fleet.policy, hours=73)

    answer = stack.invoke(alerts)

    assert answer["counts"]["escalate"] == {"done": 1}
    inboxes.phone.wait_for_one(says(f"ALARM: WARN prod {fleet.loose}: escalated, open for 3d 1h"))
    page = inboxes.pager.wait_for_one(says(fleet.loose)).document
    assert (page["AlarmName"], page["NewStateValue"]) == (f"{SCOPE}/{fleet.policy}", "ALARM")

    recover(stack, ec2, snapshots, fleet)

    inboxes.phone.wait_for_one(says(f"OK: WARN prod {fleet.loose}: healthy after 3d 1h"))
    pages = [each.document for each in inboxes.pager.received]
    of_scope = [each for each in pages if each["AlarmName"] == f"{SCOPE}/{fleet.policy}"]
    assert [each["NewStateValue"] for each in of_scope] == ["ALARM", "OK"]


def test_what_nothing_can_resolve_is_closed_by_hand(
    stack: Stack, inboxes: Inboxes, alerts: str, snapshots: str
) -> None:
    stack.invoke(snapshots, {"policy": "dialy", "scheduled_time": SLOT, "colour": "grey"})
    page = inboxes.pager.wait_for_one(says(f"{SCOPE}/dialy"))
    assert page.document["NewStateValue"] == "ALARM"

    answer = stack.invoke(alerts, {"close": {"match": "*/snapshot/dialy/*"}})

    assert answer["counts"]["close"] == {"done": 1}
    assert incidents(stack, "dialy") == []
    inboxes.phone.wait_for_one(says("closed by hand"))
    inboxes.pager.wait_for_one(lambda each: _ends(each, f"{SCOPE}/dialy"))


def test_what_is_critical_wakes_people_at_once(
    stack: Stack, inboxes: Inboxes, snapshots: str
) -> None:
    stack.invoke(snapshots, {"policy": "wakes-people", "scheduled_time": SLOT, "colour": "blue"})

    inboxes.phone.wait_for_one(says("ALARM: CRIT prod snapshot wakes-people"))
    page = inboxes.pager.wait_for_one(says(f"{SCOPE}/wakes-people")).document
    assert page["Trigger"]["MetricName"] == "event_refused"


def test_a_topic_that_nobody_hears_is_an_incident_until_somebody_subscribes(
    cloud: LocalCloud, other_stack: Stack
) -> None:
    function = other_stack.outputs["AlertsFunctionName"]
    answer = other_stack.invoke(function)

    assert answer["status"] == "ok"
    assert other_stack.metrics(function)[-1]["ConfirmedSubscriptions"] == [0]
    unheard = {each["resource"]: each for each in incidents(other_stack, "default")}
    assert unheard["watchdog"]["kind"] == "topic_unheard"

    alerts_topic = QueueSubscriber(cloud, other_stack.outputs["AlertsTopicArn"])
    QueueSubscriber(cloud, other_stack.outputs["WatchdogTopicArn"])
    other_stack.invoke(function)

    assert other_stack.metrics(function)[-1]["ConfirmedSubscriptions"] == [1]
    recovered = alerts_topic.wait_for_one(says("topic_unheard", subject="OK: [CRIT]"))
    assert "watchdog" in {each["resource"] for each in recovered.document["incidents"]}


def _ends(heard: Heard, alarm: str) -> bool:
    document = heard.document
    return (document["AlarmName"], document["NewStateValue"]) == (alarm, "OK")
