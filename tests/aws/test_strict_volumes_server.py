"""The strict cloud behind its server serves volumes, what is written on them, and their quotas."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from tests.aws.test_strict_tagging_server import JsonWire
from tests.cloud import StrictCloud

DATA = b"boot".ljust(524_288, b"\0")


class VolumesWire(JsonWire):
    """Speaks to Service Quotas, whose name in signatures is another one than boto3's."""

    targets: Mapping[str, str] = {"servicequotas": "ServiceQuotasV20190624"}


@pytest.fixture
def wire(cloud: StrictCloud) -> VolumesWire:
    return VolumesWire(cloud)


def test_blocks_are_written_read_and_served(cloud: StrictCloud, wire: VolumesWire) -> None:
    volume = wire.strict("account/volume", size=8)
    written = {"0": b64encode(b"boot").decode()}
    wire.strict("blocks/write", resource=volume, blocks=written)
    snapshot = wire.strict("account/snapshot", args=[volume])
    assert wire.strict("blocks/read", resource=snapshot) == {"0": b64encode(DATA).decode()}
    path = f"/snapshots/{snapshot}/blocks"
    (block,) = json.loads(wire.ask("ebs", "GET", f"{path}?maxResults=100").text)["Blocks"]
    asked = urlencode({"blockToken": block["BlockToken"]})
    answer = wire.ask("ebs", "GET", f"{path}/0?{asked}")
    assert (answer.data, answer.headers["x-amz-Data-Length"]) == (DATA, "524288")
    assert [each.operation for each in cloud.calls] == ["ListSnapshotBlocks", "GetSnapshotBlock"]
    assert cloud.calls[0].params == {"SnapshotId": snapshot, "MaxResults": 100}


def test_machines_are_seeded_and_what_volumes_meet(wire: VolumesWire) -> None:
    disks = [{"size": 8}, {"size": 100, "deletes_on_termination": True}]
    made = wire.strict("account/machine_with_volumes", args=disks, name="db")
    seat = wire.strict("account/attachment", args=[made["volume_ids"][1]])
    assert (seat["instance"], seat["deletes_on_termination"]) == (made["id"], True)
    wire.strict("account/refuse_volumes")
    asked = {"AvailabilityZone": "eu-west-1a", "Size": "8"}
    text = wire.query("ec2", "2016-11-15", "CreateVolume", **asked)
    assert "<Code>InsufficientVolumeCapacity</Code>" in text
    wire.strict("settings", creating_seconds=3600, root_step_seconds=1)
    wire.query("ec2", "2016-11-15", "CreateVolume", **asked)
    states = [each["State"] for each in wire.strict("state")["volumes"]]
    assert sorted(states) == ["creating", "in-use", "in-use"]


def test_quotas_are_served(cloud: StrictCloud, wire: VolumesWire) -> None:
    wire.strict("account/quota", args=["gp3", 7])
    asked = {"ServiceCode": "ebs", "QuotaCode": "L-7A658B76"}
    assert wire.json("servicequotas", "GetServiceQuota", **asked)["Quota"]["Value"] == 7
    assert cloud.calls.actions() == {"service-quotas:GetServiceQuota"}
