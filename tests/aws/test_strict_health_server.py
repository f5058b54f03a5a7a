"""The strict cloud behind its server tells and repairs health as the one in process does."""

from __future__ import annotations

import pytest

from tests.aws.test_strict_tagging_server import JsonWire
from tests.cloud import StrictCloud

EC2 = ("ec2", "2016-11-15")


@pytest.fixture
def wire(cloud: StrictCloud) -> JsonWire:
    return JsonWire(cloud)


def test_faults_are_seeded_told_and_repaired(wire: JsonWire) -> None:
    machine = wire.strict("account/instance", zone="b")["id"]
    (other,) = wire.strict("account/impaired_crowd", args=[1, "ebs"], zone="c", minutes_ago=5)
    wire.strict("account/impair", args=[[machine], "system"], until_repaired_by="reboot")
    event = wire.strict(
        "account/scheduled_event",
        args=[machine, "instance-reboot", "2026-11-22T03:00:00+00:00"],
        description="soon",
    )
    told = wire.query(*EC2, "DescribeInstanceStatus", IncludeAllInstances="true", MaxResults="5")
    assert told.count("<status>impaired</status>") == 3
    assert "<impairedSince>2026-11-21T02:55:00.000Z</impairedSince>" in told
    assert f"<instanceEventId>{event}</instanceEventId>" in told
    assert "<notBefore>2026-11-22T03:00:00.000Z</notBefore>" in told
    wire.query(*EC2, "RebootInstances", **{"InstanceId.1": machine})
    told = wire.query(*EC2, "DescribeInstanceStatus", **{"InstanceId.1": machine})
    assert "impaired" not in told
    assert "[Completed] soon" in told
    wire.strict("account/heal", args=[other])
    assert "impaired" not in wire.query(*EC2, "DescribeInstanceStatus")
    assert wire.strict("account/power_log", args=[machine]) == ["reboot"]
    assert [act["what"] for act in wire.strict("state")["power"]] == ["reboot"]


def test_starts_fail_as_they_are_told_to(wire: JsonWire) -> None:
    machine = wire.strict("account/instance", state="stopped")["id"]
    asked = {"InstanceId.1": machine}
    wire.strict("account/refuse_start", args=[machine])
    assert "InsufficientInstanceCapacity" in wire.query(*EC2, "StartInstances", **asked)
    wire.strict("account/start_falls_back", args=[machine])
    assert "<name>pending</name>" in wire.query(*EC2, "StartInstances", **asked)
    assert "<code>Client.InternalError</code>" in wire.query(*EC2, "DescribeInstances", **asked)
    wire.strict("settings", initializing_seconds=3600)
    wire.query(*EC2, "StartInstances", **asked)
    assert "initializing" in wire.query(*EC2, "DescribeInstanceStatus", **asked)
    wire.strict("age", hours=1)
    assert "initializing" not in wire.query(*EC2, "DescribeInstanceStatus", **asked)
    assert wire.strict("account/power_log", args=[machine]) == ["start", "fell-back", "start"]


def test_time_passes_for_faults_and_events(wire: JsonWire) -> None:
    machine = wire.strict("account/instance")["id"]
    asked = {"InstanceId.1": machine}
    event = wire.strict("account/scheduled_event", args=[machine])
    wire.strict("account/complete_event", args=[event])
    wire.strict("account/impair", args=[machine], until_repaired_by="itself", seconds=3600)
    assert "impaired" in wire.query(*EC2, "DescribeInstanceStatus", **asked)
    wire.strict("age", hours=1)
    told = wire.query(*EC2, "DescribeInstanceStatus", **asked)
    assert "impaired" not in told
    assert "[Completed] " in told
    wire.strict("age", hours=7 * 24)
    assert "eventsSet" not in wire.query(*EC2, "DescribeInstanceStatus", **asked)


def test_keys_are_described_denied_and_logged(cloud: StrictCloud, wire: JsonWire) -> None:
    key = wire.strict("account/key", args=["Disabled"])
    assert wire.json("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    wire.strict("account/deny_key", args=[key])
    assert wire.json("kms", "DescribeKey", KeyId=key)["__type"] == "AccessDeniedException"
    assert wire.json("kms", "ListKeys")["Keys"]  # moto's own
    assert [each.action for each in cloud.calls] == ["kms:DescribeKey"] * 2 + ["kms:ListKeys"]
    assert cloud.calls[0].params == {"KeyId": key}


def test_an_unhealthy_member_is_replaced(wire: JsonWire) -> None:
    group = wire.strict("account/scaling_group", name="web")
    machine = wire.strict("account/instance", group=group)["id"]
    wire.strict("settings", replacing_seconds=0)
    asked = {"InstanceId": machine, "HealthStatus": "Unhealthy"}
    wire.query("autoscaling", "2011-01-01", "SetInstanceHealth", **asked)
    (member,) = wire.strict("account/members", args=[group])
    assert member["HealthStatus"] == "Unhealthy"
    wire.strict("state")
    (member,) = wire.strict("account/members", args=[group])
    assert (member["HealthStatus"], member["InstanceId"] != machine) == ("Healthy", True)
