"""What reaches the subscribers of the alerts topic."""

from __future__ import annotations

from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.e2e.conftest import Fleet, Inboxes, ours


def run(stack: Stack, function: str, policy: str, slot: str) -> Json:
    """Take the snapshots of a policy and slot."""
    answer: Json = stack.invoke(function, {"policy": policy, "scheduled_time": slot})
    return answer


def incident_of(policy: str, volume: str) -> str:
    """Return the key of the incident of a backup that failed."""
    return f"caretaker/123456789012/eu-west-1/snapshot/{policy}/backup_failed/{volume}"


def test_an_alert_arrives_at_an_http_endpoint_a_queue_and_a_mailbox(
    stack: Stack, ec2: RemoteCloud, fleet: Fleet, inboxes: Inboxes, snapshots: str
) -> None:
    ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)

    answer = run(stack, snapshots, fleet.policy, "2026-11-21T03:00Z")
    http, queue, mail = inboxes.heard_by_all(fleet.policy)

    subject = f"ALARM: [WARN] prod {fleet.loose}: snapshot failed: UnauthorizedOperation"
    assert {http.subject, queue.subject, mail.subject} == {subject}
    document = http.document
    assert document == queue.document
    assert document["schema"] == 1
    assert (document["run"], document["slot"]) == (answer["run"], answer["slot"])
    (incident,) = document["incidents"]
    assert (incident["kind"], incident["resource"]) == ("backup_failed", fleet.loose)
    assert document["report"] == answer["report"]


def test_the_mail_says_what_since_when_what_was_done_and_what_comes_next(
    stack: Stack, ec2: RemoteCloud, fleet: Fleet, inboxes: Inboxes, snapshots: str
) -> None:
    ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)

    answer = run(stack, snapshots, fleet.policy, "2026-11-21T03:00Z")
    _, _, mail = inboxes.heard_by_all(fleet.policy)

    parts = [
        f"{fleet.loose}: snapshot failed: UnauthorizedOperation",
        "Since:",
        "Evidence:",
        "Done:",
        "Next:",
        f"Report:  {answer['report']}",
        "Console: https://eu-west-1.console.aws.amazon.com/ec2/",
        f"filter run = '{answer['run']}'",
        f'AlertsFunction, {{"silence": {{"match": "{incident_of(fleet.policy, fleet.loose)}"',
    ]
    places = [mail.message.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_people_hear_once_of_a_failure_that_lasts_and_once_of_its_end(
    stack: Stack, ec2: RemoteCloud, fleet: Fleet, inboxes: Inboxes, snapshots: str
) -> None:
    run(stack, snapshots, fleet.policy, "2026-11-18T03:00Z")
    ec2.age(hours=24)
    ec2.add_fault("denied", operation="CreateSnapshots", match=fleet.machine.id, times=None)
    run(stack, snapshots, fleet.policy, "2026-11-19T03:00Z")
    ec2.age(hours=24)
    run(stack, snapshots, fleet.policy, "2026-11-20T03:00Z")
    ec2.clear_faults()
    ec2.age(hours=24)
    run(stack, snapshots, fleet.policy, "2026-11-21T03:00Z")
    ec2.complete_pending()
    stack.invoke(snapshots, {"policy": fleet.policy, "mode": "report"})

    inboxes.document(fleet.policy, "OK")
    heard = inboxes.documents(fleet.policy)
    told = {
        (each["state"], incident["kind"], incident["resource"])
        for each in heard
        for incident in each["incidents"]
    }
    resources = fleet.machine.volume_ids
    kinds = ("backup_failed", "backup_stale")
    assert told == {(s, k, r) for s in ("ALARM", "OK") for k in kinds for r in resources}
    assert len(told) == sum(len(each["incidents"]) for each in heard)
    assert [each["state"] for each in heard] == ["ALARM", "ALARM", "OK"]
    assert len(ours(ec2, policy=fleet.policy)) == 8


def test_the_hourly_measurement_does_not_end_a_failure_that_lasts(
    stack: Stack, ec2: RemoteCloud, fleet: Fleet, inboxes: Inboxes, snapshots: str
) -> None:
    run(stack, snapshots, fleet.policy, "2026-11-20T03:00Z")
    ec2.age(hours=24)
    ec2.add_fault("denied", operation="CreateSnapshots", match=fleet.machine.id)
    run(stack, snapshots, fleet.policy, "2026-11-21T03:00Z")

    stack.invoke(snapshots, {"policy": fleet.policy, "mode": "report"})

    (alarm,) = inboxes.documents(fleet.policy)
    assert alarm["state"] == "ALARM"
    assert stack.metrics(snapshots)[-1]["OpenIncidents"] == [2]


WRONG: Json = {
    "policy": "Nightly!",
    "scheduled_time": "2026-11-21T03:00:00",
    "select": {"everthing": True, "volumes": ["snap-1"]},
    "max_age_hours": "soon",
    "pace": 2,
}


def test_a_wrong_event_is_refused_with_every_field_named_and_changes_nothing(
    stack: Stack, ec2: RemoteCloud, inboxes: Inboxes, snapshots: str
) -> None:
    before = len(ec2.snapshots())

    answer = stack.invoke(snapshots, WRONG)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    named = {error["path"] for error in answer["errors"]}
    assert named == {
        "policy",
        "scheduled_time",
        "select.everthing",
        "select.volumes.0",
        "max_age_hours",
        "pace",
    }
    assert all(error["problem"] and error["expected"] for error in answer["errors"])
    assert len(ec2.snapshots()) == before


def test_a_wrong_event_alerts_and_names_the_fields(
    stack: Stack, inboxes: Inboxes, snapshots: str
) -> None:
    event = {"policy": "refused-here", "scheduled_time": "2026-11-21T03:00Z", "colour": "red"}
    answer = stack.invoke(snapshots, event)

    heard = inboxes.http.wait_for_one(lambda each: each.document["run"] == answer["run"])
    assert heard.subject.startswith("ALARM: [CRIT] prod ")
    assert "event_invalid: colour" in heard.subject
    assert heard.document["policy"] == "refused-here"
    (incident,) = heard.document["incidents"]
    assert incident["kind"] == "event_refused"
    assert incident["evidence"] == {"colour": "unknown field"}
