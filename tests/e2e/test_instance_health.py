"""The deployed instance health function repairs, and finishes what it has begun."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count

import pytest

from tests.cloud.demo_memory import incidents
from tests.cloud.demo_workers import kill_when
from tests.cloud.deployment import SCHEDULED, FunctionFailedError, Json
from tests.cloud.remote import RemoteCloud
from tests.e2e.healer import Healer, Sick, event

STALL = 2.0
"""So long a call hangs in which the function is killed."""

_numbers = count(1)


def test_a_failed_check_is_seen_twice_repaired_judged_and_told_as_one_incident(
    healer: Healer, sick: Sick
) -> None:
    instance = sick()

    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    assert healer.poll(instance) == ("reboot", "impaired", "done")
    assert healer.poll(instance) == ("keep", "fixed", "unchanged")

    assert healer.power_log(instance) == ["reboot"]
    heard = [_of_instance(healer, instance, state) for state in ("ALARM", "OK")]
    begins = [f"ALARM: [WARN] prod sick {instance}", f"OK: [WARN] prod sick {instance}"]
    assert [
        each["subject"][: len(begin)] for each, begin in zip(heard, begins, strict=True)
    ] == begins
    assert len({each["key"] for each in heard}) == 1
    assert len({each["thread"] for each in heard}) == 1
    assert heard[1]["subject"].endswith("fixed by a reboot")
    assert len(healer.told(instance)) == 2


def _of_instance(healer: Healer, instance: str, state: str) -> Json:
    """Return how HTTP and chat brought an alert about an instance."""
    http = healer.http.wait_for_one(
        lambda each: instance in each.message and each.document["state"] == state
    )
    chat = healer.chat.wait_for_one(
        lambda each: instance in each.message and each.subject.startswith(state)
    )
    (incident,) = http.document["incidents"]
    metadata = chat.document["metadata"]
    assert metadata["additionalContext"]["incident"] == incident["key"]
    return {"subject": http.subject, "key": incident["key"], "thread": metadata["threadId"]}


def test_the_same_minute_twice_is_one_poll_and_one_reboot(healer: Healer, sick: Sick) -> None:
    instance = sick(by="stop-start")

    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    assert healer.poll(instance, minutes=0) == ("report", "first_seen", "unchanged")
    assert healer.poll(instance) == ("reboot", "impaired", "done")
    assert healer.poll(instance, minutes=0) == ("report", "repair_under_way", "unchanged")

    assert healer.power_log(instance) == ["reboot"]


def test_killed_between_stop_and_start_the_next_poll_starts_the_instance(
    healer: Healer, sick: Sick, ec2: RemoteCloud
) -> None:
    instance = sick("system", by="stop-start", minutes=12)
    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    healer.pass_minutes(1)
    ec2.add_fault("answer_lost", operation="StopInstances", match=instance, seconds=STALL)

    retry = kill_when(healer.stack, healer.function, lambda: bool(healer.power_log(instance)))

    assert (retry["status"], retry["reason"]) == ("skipped", "slot_in_progress")
    assert healer.power_log(instance) == ["stop"]
    assert healer.poll(instance) == ("start", "stopped_by_us", "done")
    assert healer.power_log(instance) == ["stop", "start"]
    assert healer.poll(instance)[:2] == ("report", "repair_under_way")
    assert healer.poll(instance, minutes=3) == ("keep", "fixed", "unchanged")


def test_killed_before_the_start_arrives_a_later_poll_sends_it_once_more(
    healer: Healer, sick: Sick, ec2: RemoteCloud
) -> None:
    instance = sick("system", by="stop-start", minutes=12)
    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    assert healer.poll(instance) == ("stop", "impaired", "done")
    healer.pass_minutes(1)
    ec2.clear_calls()
    ec2.add_fault("never_arrived", operation="StartInstances", match=instance, seconds=STALL)

    kill_when(healer.stack, healer.function, lambda: _was_called(ec2, "StartInstances"))

    assert healer.power_log(instance) == ["stop"]
    assert healer.poll(instance) == ("start", "stopped_by_us", "done")
    assert healer.power_log(instance) == ["stop", "start"]


def _was_called(ec2: RemoteCloud, operation: str) -> bool:
    return any(each["operation"] == operation for each in ec2.calls())


def test_eventbridge_tells_that_it_is_stopped_and_it_is_started_without_a_poll(
    healer: Healer, sick: Sick
) -> None:
    instance = sick("system", by="stop-start", minutes=12)
    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    assert healer.poll(instance) == ("stop", "impaired", "done")

    answer = _deliver_stopped(healer, instance)

    assert healer.became(answer, instance) == ("start", "stopped_by_us", "done")
    assert healer.power_log(instance) == ["stop", "start"]


def test_eventbridge_tells_of_an_instance_that_should_run_and_people_hear(
    healer: Healer, ec2: RemoteCloud
) -> None:
    tags = {"caretaker:expect": "running"}
    instance = ec2.instance({}, tags=tags, zone="b", name="expected").id
    ec2.seed("put_down", instance)

    answer = _deliver_stopped(healer, instance)

    assert healer.became(answer, instance)[1] == "not_running_expected"
    heard = healer.http.wait_for_one(lambda each: instance in each.message)
    assert heard.subject.startswith(f"ALARM: [CRIT] prod expected {instance}: stopped")
    assert healer.power_log(instance) == []
    ec2.seed("terminate", instance)


def _deliver_stopped(healer: Healer, instance: str) -> Json:
    """Bring EventBridge what EC2 tells of an instance; return the answer of the run that heard."""
    started = datetime.now(UTC)
    told = event("state-change")
    entry = {
        "Source": told["source"],
        "DetailType": told["detail-type"],
        "Detail": json.dumps({**told["detail"], "instance-id": instance}),
    }
    assert healer.stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    return healer.stack.wait_for_answer(healer.function, started, policy="default")


def test_another_chore_has_an_instance_repaired_until_its_own_incident_is_over(
    healer: Healer, ec2: RemoteCloud
) -> None:
    tags = {"caretaker:remediate": "reboot"}
    instance = ec2.instance({}, tags=tags, zone="b", name="asked").id
    policy = f"asks-{next(_numbers)}"
    wrong = {"policy": policy, "x": 1, "scheduled_time": SCHEDULED}
    healer.stack.invoke(healer.stack.outputs["SnapshotFunctionName"], wrong)
    (cause,) = incidents(healer.stack, policy)
    incident = f"{cause['scope']}/{cause['kind']}/{cause['resource']}"
    asked = {"instance": instance, "incident": incident}

    assert healer.poll(instance, repair=asked) == ("reboot", "asked", "done")
    assert healer.poll(instance, repair=asked)[:2] == ("report", "repair_under_way")
    closing = {"close": {"match": f"*/snapshot/{policy}/*"}}
    healer.stack.invoke(healer.stack.outputs["AlertsFunctionName"], closing)
    assert healer.poll(instance)[:2] == ("keep", "fixed")
    assert healer.poll(instance, repair=asked)[:2] == ("skip", "nothing_to_repair")

    assert healer.power_log(instance) == ["reboot"]


def test_a_repair_that_meets_a_poll_at_work_is_not_dropped_but_tried_again(
    healer: Healer, sick: Sick, ec2: RemoteCloud
) -> None:
    instance = sick("system", by="stop-start", minutes=12)
    healer.poll(instance)
    healer.pass_minutes(1)
    ec2.add_fault("answer_lost", operation="StopInstances", match=instance, seconds=STALL)
    kill_when(healer.stack, healer.function, lambda: bool(healer.power_log(instance)))

    with pytest.raises(FunctionFailedError, match="is held by a run"):
        healer.stack.invoke(healer.function, event("repair"))

    healer.poll(instance)
    assert healer.power_log(instance) == ["stop", "start"]
