"""The strict cloud behind its server: the same services, and time that can be moved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client, TestResponse

from tests.cloud import ACCOUNT, REGION, Account, StrictCloud
from tests.cloud.admin import Admin
from tests.cloud.server import StrictServer


class Wire:
    """Speaks HTTP to the server, without a socket."""

    def __init__(self, cloud: StrictCloud) -> None:
        moto = DomainDispatcherApplication(create_backend_app)
        self._client = Client(StrictServer(cloud, moto, Admin(cloud)))

    def ask(self, service: str, method: str, path: str, body: str = "") -> TestResponse:
        """Send one signed request."""
        scope = f"{ACCOUNT}/20261121/{REGION}/{service}/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
        if service != "rbin":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._client.open(path, method=method, data=body, headers=headers)

    def query(self, service: str, version: str, action: str, **params: str) -> str:
        """Ask a service that speaks forms and XML."""
        fields = {"Action": action, "Version": version, **params}
        body = "&".join(f"{key}={value}" for key, value in fields.items())
        return self.ask(service, "POST", "/", body).text

    def rbin(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """Ask the Recycle Bin."""
        answer = self.ask("rbin", method, path, json.dumps(body) if body else "")
        return dict(json.loads(answer.text or "{}")) | {"status": answer.status_code}

    def strict(self, path: str, **body: object) -> Any:
        """Ask one of the server's own endpoints."""
        answer = self._client.post(f"/_strict/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text)


@pytest.fixture
def wire(cloud: StrictCloud) -> Wire:
    return Wire(cloud)


def test_auto_scaling_is_strict_too(cloud: StrictCloud, wire: Wire) -> None:
    template = wire.strict("account/launch_template", args=[[]])
    for number in "123":
        wire.strict("account/scaling_group", args=[template, number])
    text = wire.query("autoscaling", "2011-01-01", "DescribeAutoScalingGroups")
    assert text.count("<AutoScalingGroupName>") == 2
    assert "<NextToken>" in text
    assert cloud.calls.actions() == {"autoscaling:DescribeAutoScalingGroups"}


def test_the_recycle_bin_is_there(cloud: StrictCloud, wire: Wire) -> None:
    period = {"RetentionPeriodValue": 14, "RetentionPeriodUnit": "DAYS"}
    made = wire.rbin("POST", "/rules", ResourceType="EBS_SNAPSHOT", RetentionPeriod=period)
    rule = made["Identifier"]
    assert made["status"] == 201
    assert wire.rbin("GET", f"/rules/{rule}")["RetentionPeriod"] == period
    listed = wire.rbin("POST", "/list-rules", ResourceType="EBS_SNAPSHOT")["Rules"]
    assert [each["Identifier"] for each in listed] == [rule]
    assert wire.rbin("DELETE", f"/rules/{rule}")["status"] == 204
    assert wire.rbin("GET", f"/rules/{rule}")["status"] == 404
    assert [each.operation for each in cloud.calls] == [
        *("CreateRule", "GetRule", "ListRules", "DeleteRule", "GetRule"),
    ]
    assert cloud.calls[1].params == {"Identifier": rule}


@pytest.mark.parametrize(
    ("service", "asked"),
    [("rbin", ("POST", "/list-rules")), ("autoscaling", ("POST", "/"))],
)
def test_faults_strike_them(
    cloud: StrictCloud, wire: Wire, service: str, asked: tuple[str, str]
) -> None:
    wire.strict("faults", kind="denied", service=service)
    bodies: Mapping[str, str] = {
        "rbin": '{"ResourceType": "EBS_SNAPSHOT"}',
        "autoscaling": "Action=DescribeAutoScalingGroups&Version=2011-01-01",
    }
    codes = [wire.ask(service, *asked, bodies[service]).status_code for _ in range(2)]
    assert codes == [403, 200]


def test_everything_that_guards_snapshots_can_be_seeded(
    cloud: StrictCloud, account: Account, wire: Wire
) -> None:
    snapshot = account.snapshot(account.volume())
    image = wire.strict("account/image", args=[snapshot], name="golden")
    wire.strict("account/deprecate_image", args=[image])
    wire.strict("account/disable_image", args=[image])
    wire.strict("account/fast_restore", args=[snapshot])
    wire.strict("account/lock", args=[snapshot], days=3)
    wire.strict("account/share", args=[snapshot])
    wire.strict("account/archive", args=[snapshot])
    wire.strict("account/tag", args=[snapshot, {"caretaker:keep": "true"}])
    wire.strict("account/bin_rule", args=[7])

    def delete() -> str:
        return wire.query("ec2", "2016-11-15", "DeleteSnapshot", SnapshotId=snapshot)

    assert "InvalidSnapshot.InUse" in delete()
    wire.strict("account/deregister_image", args=[image])
    assert "SnapshotLocked" in delete()
    wire.strict("age", hours=73)
    assert "<DeleteSnapshotResponse" in delete()
    assert wire.strict("account/binned") == [snapshot]


def test_time_passes_for_snapshots_and_for_marks_where_wanted(
    cloud: StrictCloud, account: Account, wire: Wire
) -> None:
    mark, slot = "2026-11-23T03:00:00Z", "2026-11-21T03:00Z"
    tags = {"caretaker:delete-after": mark, "caretaker:slot": slot}
    snapshot = account.snapshot(account.volume(), tags=tags, description=f"caretaker daily {slot}")
    wire.strict("age", hours=24)
    assert account.tags_of(snapshot) == tags
    wire.strict("age", hours=48, tags=["caretaker:delete-after"])
    (found,) = wire.strict("state")["snapshots"]
    assert found["StartTime"] == (cloud.clock.now() - timedelta(hours=72)).isoformat()
    assert found["Description"] == "caretaker daily 2026-11-19T03:00Z"
    moved = {"caretaker:delete-after": "2026-11-21T03:00:00Z", "caretaker:slot": slot}
    assert account.tags_of(snapshot) == moved
