"""The strict cloud behind its server serves what tagging asks, and takes its seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.aws.test_strict_server import Wire
from tests.cloud import ACCOUNT, REGION, StrictCloud

TARGETS = {
    "tagging": "ResourceGroupsTaggingAPI_20170126",
    "organizations": "AWSOrganizationsV20161128",
}


class JsonWire(Wire):
    """Speaks JSON with a target in the header."""

    targets: Mapping[str, str] = TARGETS | {"kms": "TrentService"}

    def json(self, service: str, operation: str, **body: object) -> dict[str, Any]:
        """Ask a service that speaks JSON."""
        scope = f"{ACCOUNT}/20261121/{REGION}/{service}/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{self.targets[service]}.{operation}",
        }
        answer = self._client.open("/", method="POST", data=json.dumps(body), headers=headers)
        return dict(json.loads(answer.text))


@pytest.fixture
def wire(cloud: StrictCloud) -> JsonWire:
    return JsonWire(cloud)


def test_the_tagging_api_is_strict(cloud: StrictCloud, wire: JsonWire) -> None:
    arn = wire.strict("account/resource", args=["rds:db"], name="books", tags={"a": "b"})
    denied = wire.strict("account/resource", args=["rds:db"])
    wire.strict("account/refuse_tagging", args=[denied])
    asked = {"ResourceARNList": [arn, denied], "Tags": {"Owner": "web"}}
    failed = wire.json("tagging", "TagResources", **asked)["FailedResourcesMap"]
    assert failed[denied]["ErrorCode"] == "AccessDeniedException"
    answer = wire.json("tagging", "GetResources", ResourceTypeFilters=["rds:db"])
    assert answer["PaginationToken"] == ""
    (found,) = answer["ResourceTagMappingList"]
    assert {"Key": "Owner", "Value": "web"} in found["Tags"]
    assert [(each.service, each.operation, each.account) for each in cloud.calls] == [
        ("resourcegroupstaggingapi", "TagResources", ACCOUNT),
        ("resourcegroupstaggingapi", "GetResources", ACCOUNT),
    ]
    assert cloud.calls[0].params == asked
    assert wire.json("tagging", "GetTagKeys")["TagKeys"] is not None  # moto's own


def test_organizations_tell_the_tags_of_the_account(wire: JsonWire) -> None:
    asked: dict[str, object] = {"ResourceId": ACCOUNT}
    refused = wire.json("organizations", "ListTagsForResource", **asked)
    assert refused["__type"] == "AWSOrganizationsNotInUseException"
    wire.strict("account/organization", tags={"CostCenter": "42"})
    told = wire.json("organizations", "ListTagsForResource", **asked)
    assert told == {"Tags": [{"Key": "CostCenter", "Value": "42"}]}


@pytest.mark.parametrize("service", TARGETS)
def test_faults_strike_them(wire: JsonWire, service: str) -> None:
    names = {"tagging": "resourcegroupstaggingapi"}
    wire.strict("faults", kind="throttled", service=names.get(service, service))
    operation = "GetResources" if service == "tagging" else "ListTagsForResource"
    code = wire.json(service, operation, ResourceId=ACCOUNT)["__type"]
    assert code in {"ThrottledException", "TooManyRequestsException"}


def test_addresses_refuse_pages(wire: JsonWire) -> None:
    text = wire.query("ec2", "2016-11-15", "DescribeAddresses", MaxResults="5")
    assert "UnknownParameter" in text
    assert "<addressesSet" in wire.query("ec2", "2016-11-15", "DescribeAddresses")


def test_everything_that_can_have_tags_can_be_seeded(wire: JsonWire) -> None:
    group = wire.strict("account/scaling_group", name="web", tags={"a": "b"})
    machine = wire.strict("account/instance", group=group, spot="one-time", age_hours=2)
    ids = [
        wire.strict("account/network_interface", tags={"a": "b"}, instance_id=machine["id"]),
        wire.strict("account/elastic_ip", tags={"a": "b"}),
        wire.strict("account/security_group", tags={"a": "b"}),
        *wire.strict("account/crowd", args=["volume", 3], tags={"a": "b"}),
        *wire.strict("account/crowd", args=["lambda:function", 1], tags={"a": "b"}),
    ]
    tags = wire.strict("state")["tags"]
    assert [each for each in ids if tags.get(each) == {"a": "b"}] == ids[:-1]
    assert tags[machine["id"]]["aws:autoscaling:groupName"] == "web"
    wire.strict("account/hide_tags", args=[machine["id"]])
    asked = {"InstanceId.1": machine["id"]}
    hidden, shown = (
        wire.query("ec2", "2016-11-15", "DescribeInstances", **asked) for _ in range(2)
    )
    assert ["autoscaling:groupName" in each for each in (hidden, shown)] == [False, True]


def test_instances_stop_as_slowly_as_is_set(wire: JsonWire) -> None:
    wire.strict("settings", switching_seconds=60)
    machine = wire.strict("account/instance")["id"]
    asked = {"InstanceId.1": machine}
    assert "<name>stopping</name>" in wire.query("ec2", "2016-11-15", "StopInstances", **asked)
    wire.strict("age", hours=1)
    assert "<name>stopped</name>" in wire.query("ec2", "2016-11-15", "DescribeInstances", **asked)
