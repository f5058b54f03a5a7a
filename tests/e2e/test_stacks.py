"""Deploying: an update keeps what was remembered, two stacks keep apart, one switch stops all."""

from __future__ import annotations

import json

from tests.cloud.account import BACKUP_TAG
from tests.cloud.demo_memory import remembered
from tests.cloud.deployment import Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.tools import ROOT, sam
from tests.e2e.conftest import NEIGHBOUR, PARAMETERS, Fleet, ours

SLOT = "2026-11-21T03:00Z"


def reports(stack: Stack) -> set[str]:
    """Return the keys of all reports."""
    answer = stack.client("s3").list_objects_v2(Bucket=stack.outputs["ReportsBucketName"])
    return {each["Key"] for each in answer.get("Contents", ())}


def test_an_update_keeps_state_and_reports_and_reaches_the_schedules(
    cloud: LocalCloud, stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> None:
    ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)
    stack.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    items, keys = remembered(stack), reports(stack)
    assert any("backup_failed" in item["sk"]["S"] for item in items)

    updated = cloud.deploy(
        stack.name,
        parameters={**PARAMETERS, "SnapshotMaxAgeHours": "48", "LogLevel": "DEBUG"},
    )

    assert updated.outputs == stack.outputs
    assert remembered(updated) == items
    assert reports(updated) == keys
    inputs = [json.loads(each["Target"]["Input"]) for each in updated.schedules()]
    assert [each["max_age_hours"] for each in inputs if "max_age_hours" in each] == [48, 48]
    again = updated.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    assert again["counts"]["create"] == {"done": 1}
    assert again["counts"]["keep"] == {"unchanged": 2}


def test_two_stacks_side_by_side_do_not_count_each_others_snapshots(
    stack: Stack, other_stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> None:
    event = {"policy": fleet.policy, "scheduled_time": SLOT}
    neighbours = other_stack.outputs["SnapshotFunctionName"]

    first = stack.invoke(snapshots, event)
    ec2.age(hours=1)
    other = other_stack.invoke(neighbours, event)

    assert first["counts"]["create"] == other["counts"]["create"] == {"done": 3}
    assert len(ours(ec2, "caretaker", policy=fleet.policy)) == 3
    assert len(ours(ec2, "neighbour", policy=fleet.policy)) == 3
    assert stack.outputs["StateTableName"] != other_stack.outputs["StateTableName"]


def test_a_second_policy_is_a_second_stack_of_schedules(
    cloud: LocalCloud, stack: Stack, ec2: RemoteCloud, snapshots: str
) -> None:
    volume = ec2.volume(tags={BACKUP_TAG: "six-hourly"})
    template = ROOT / "docs" / "examples" / "extra-policy.yaml"
    place = ("--region", cloud.region, "--resolve-s3", "--no-confirm-changeset")
    names = ("--stack-name", "six-hourly", "--parameter-overrides", "Policy=six-hourly")
    sam(cloud, "deploy", "--template-file", str(template), *place, *names, seconds=120)

    answer = Stack(cloud, "six-hourly").run_schedule(snapshots, mode="act")

    assert answer["counts"]["create"] == {"done": 1}
    assert [each["VolumeId"] for each in ours(ec2, policy="six-hourly")] == [volume]


def test_enabled_false_stops_every_schedule_and_every_rule(
    cloud: LocalCloud, other_stack: Stack, ec2: RemoteCloud
) -> None:
    assert _states(other_stack) == ["DISABLED"] * 2 + ["ENABLED"] * 12

    stopped = cloud.deploy(other_stack.name, parameters={**NEIGHBOUR, "Enabled": "false"})

    assert _states(stopped) == ["DISABLED"] * 14
    assert stopped.outputs == other_stack.outputs


def _states(stack: Stack) -> list[str]:
    """Return the states of its five rules and nine schedules; tagging, without rules, has two."""
    events, rules = stack.client("events"), stack.resources("AWS::Events::Rule").values()
    of_rules = [events.describe_rule(Name=rule)["State"] for rule in rules]
    return sorted(of_rules + [each["State"] for each in stack.schedules()])
