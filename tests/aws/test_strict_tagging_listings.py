"""The strict cloud lists what can have tags as AWS does: in pages, by filters, tags or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.cloud import REGION, Account, Bucket, StrictCloud
from tests.cloud.asking import ONCE, code_of, tags_of

if TYPE_CHECKING:
    from collections.abc import Callable

OWNED = {"Owner": "web"}
PAGED = {
    "network_interfaces": ("NetworkInterfaces", "NetworkInterfaceId", 5, 1000),
    "security_groups": ("SecurityGroups", "GroupId", 5, 1000),
    "vpcs": ("Vpcs", "VpcId", 5, 1000),
    "subnets": ("Subnets", "SubnetId", 5, 1000),
    "tags": ("Tags", "", 5, 1000),
    "launch_templates": ("LaunchTemplates", "LaunchTemplateId", 1, 200),
    "launch_template_versions": ("LaunchTemplateVersions", "", 1, 200),
}


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


def fill(account: Account, name: str) -> None:
    """Add five of what this operation lists."""
    makers: dict[str, Callable[[], object]] = {
        "network_interfaces": account.network_interface,
        "security_groups": account.security_group,
        "vpcs": lambda: account.backend.create_vpc("10.0.0.0/16"),
        "subnets": lambda: None,  # every region has three
        "tags": lambda: account.volume(tags=OWNED),
        "launch_templates": account.launch_template,
        "launch_template_versions": account.launch_template,
    }
    for _ in range(5):
        makers[name]()


@pytest.mark.parametrize("name", PAGED)
def test_each_listing_comes_in_pages(
    cloud: StrictCloud, account: Account, ec2: Any, name: str
) -> None:
    fill(account, name)
    items = PAGED[name][0]
    asked = {"Versions": ["$Latest", "$Default"]} if name == "launch_template_versions" else {}
    pages = list(ec2.get_paginator(f"describe_{name}").paginate(**asked))
    assert max(len(page[items]) for page in pages) == 2
    cloud.pages.size = None
    whole = getattr(ec2, f"describe_{name}")(**asked)
    assert [item for page in pages for item in page[items]] == whole[items]
    assert "NextToken" not in whole
    foreign = pages[0]["NextToken"]
    assert code_of(lambda: ec2.describe_volumes(NextToken=foreign)) == "InvalidNextToken"


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.usefixtures("cloud")
def test_max_results_has_its_bounds(name: str) -> None:
    unchecked = ONCE.merge(Config(parameter_validation=False))
    ec2: Any = boto3.client("ec2", REGION, config=unchecked)
    _, _, least, most = PAGED[name]
    asked = {"Versions": ["$Latest"]} if name == "launch_template_versions" else {}
    call = getattr(ec2, f"describe_{name}")
    for fine in (least, most):
        call(MaxResults=fine, **asked)
    for wrong in (least - 1, most + 1):
        assert code_of(lambda given=wrong: call(MaxResults=given, **asked)) == (  # type: ignore[misc]
            "InvalidParameterValue"
        )


@pytest.mark.parametrize(
    ("name", "prefix", "code"),
    [
        ("network_interfaces", "eni", "InvalidNetworkInterfaceID.NotFound"),
        ("security_groups", "sg", "InvalidGroup.NotFound"),
        ("vpcs", "vpc", "InvalidVpcID.NotFound"),
        ("subnets", "subnet", "InvalidSubnetID.NotFound"),
        ("launch_templates", "lt", "InvalidLaunchTemplateId.NotFound"),
        ("addresses", "eipalloc", "InvalidAllocationID.NotFound"),
    ],
)
def test_unknown_ids_are_not_found(ec2: Any, name: str, prefix: str, code: str) -> None:
    ids = "AllocationIds" if name == "addresses" else f"{PAGED[name][1]}s"
    call = getattr(ec2, f"describe_{name}")
    assert code_of(lambda: call(**{ids: [f"{prefix}-0123456789abcdef0"]})) == code
    assert code_of(lambda: call(**{ids: ["nothing"]})).endswith(".Malformed")


def test_what_has_no_tags_is_shown_without_the_field(account: Account, ec2: Any) -> None:
    machine = account.instance({})
    account.tag(machine.volume_ids[0], {})
    account.elastic_ip()
    (volume,) = ec2.describe_volumes()["Volumes"]
    (address,) = ec2.describe_addresses()["Addresses"]
    (group,) = ec2.describe_security_groups()["SecurityGroups"]
    assert ["Tags" in each for each in (volume, address, group)] == [False] * 3
    (interface,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interface["TagSet"] == []


def test_interfaces_are_found_by_their_instance_and_tell_who_manages_them(
    account: Account, ec2: Any
) -> None:
    machine = account.instance(operator="eks.amazonaws.com", interface_tags=OWNED)
    account.instance()
    asked_for = account.network_interface(requester="amazon-elb")
    wanted = [{"Name": "attachment.instance-id", "Values": [machine.id]}]
    (own,) = ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    assert own["Attachment"]["InstanceId"] == machine.id
    assert own["Operator"] == {"Managed": True, "Principal": "eks.amazonaws.com"}
    assert tags_of({"Tags": own["TagSet"]}) == OWNED
    managed = [{"Name": "requester-managed", "Values": ["true"]}]
    (other,) = ec2.describe_network_interfaces(Filters=managed)["NetworkInterfaces"]
    assert (other["NetworkInterfaceId"], other["RequesterManaged"]) == (asked_for, True)
    tagged = [{"Name": "tag:Owner", "Values": ["web"]}]
    assert ec2.describe_network_interfaces(Filters=tagged)["NetworkInterfaces"] == [own]


def test_addresses_come_all_at_once_and_tell_which_a_service_manages(
    account: Account, ec2: Any
) -> None:
    machine = account.instance()
    ids = [
        account.elastic_ip(tags=OWNED, instance_id=machine.id),
        account.elastic_ip(service_managed="nlb"),
        account.elastic_ip(),
    ]
    own, managed, free = ec2.describe_addresses()["Addresses"]
    assert [each["AllocationId"] for each in (own, managed, free)] == ids
    assert (own["InstanceId"], tags_of(own)) == (machine.id, OWNED)
    assert [each.get("ServiceManaged") for each in (own, managed)] == [None, "nlb"]
    wanted = [{"Name": "allocation-id", "Values": ids[:1]}]
    assert ec2.describe_addresses(Filters=wanted)["Addresses"] == [own]


def test_tags_are_found_by_resource_key_type_and_value(account: Account, ec2: Any) -> None:
    machine = account.instance({"Env": "prod"}, tags=OWNED, name="a")
    address = account.elastic_ip(tags=OWNED)
    gone = account.volume(tags=OWNED)
    account.remove_volume(gone)

    def found(name: str, *values: str) -> set[tuple[str, str]]:
        asked = {"Filters": [{"Name": name, "Values": list(values)}]}
        pages = ec2.get_paginator("describe_tags").paginate(**asked)
        return {(tag["ResourceId"], tag["Key"]) for page in pages for tag in page["Tags"]}

    owners = {(machine.id, "Owner"), (address, "Owner")}
    assert found("resource-id", machine.id) == {(machine.id, "Name"), (machine.id, "Owner")}
    assert found("resource-id", "i-*") == found("resource-type", "instance")
    assert found("key", "Owner") == found("value", "web") == found("tag:Owner", "web") == owners
    assert found("resource-type", "elastic-ip") == {(address, "Owner")}
    assert found("resource-id", gone) == set()


@pytest.mark.parametrize("name", ["instances", "network_interfaces", "addresses", "tags"])
def test_too_many_filter_values_are_refused(ec2: Any, name: str) -> None:
    field = {"instances": "instance-id", "tags": "resource-id"}.get(name, "network-interface-id")
    many = [{"Name": field, "Values": [f"x-{number}" for number in range(201)]}]
    call = getattr(ec2, f"describe_{name}")
    assert code_of(lambda: call(Filters=many)) == "FilterLimitExceeded"
    several = [{"Name": field, "Values": ["x"]}] * 51
    assert code_of(lambda: call(Filters=several)) == "FilterLimitExceeded"


def test_an_instance_may_lack_its_tags_for_a_while(account: Account, ec2: Any) -> None:
    machine = account.instance(tags=OWNED, name="a")
    account.hide_tags(machine.id, times=2)

    def shown() -> bool:
        (reservation,) = ec2.describe_instances()["Reservations"]
        return "Tags" in reservation["Instances"][0]

    assert [shown() for _ in range(3)] == [False, False, True]
    account.hide_tags(machine.id)
    wanted = [{"Name": "resource-id", "Values": [machine.id]}]
    assert tags_of(ec2.describe_tags(Filters=wanted)) == {"Name": "a", **OWNED}


def test_a_launch_shows_where_it_comes_from(account: Account, ec2: Any) -> None:
    template = account.launch_template(tags=OWNED, launch_tags={"instance": {"Env": "prod"}})
    account.scaling_group(template, name="web", tags={"Env": "prod"}, own_tags={"Team": "a"})
    machine = account.instance(spot="one-time", group="web", template=template, version="1")
    (reservation,) = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"]
    (shown,) = reservation["Instances"]
    assert shown["InstanceLifecycle"] == "spot"
    assert tags_of(shown) == {
        "Name": machine.name,
        "aws:autoscaling:groupName": "web",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }
    scaling = boto3.client("autoscaling", REGION)
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert [each["InstanceId"] for each in group["Instances"]] == [machine.id]
    passed_on = {each["Key"]: each["PropagateAtLaunch"] for each in group["Tags"]}
    assert passed_on == {"Env": True, "Team": False}
    (version,) = ec2.describe_launch_template_versions(Versions=["$Default"])[
        "LaunchTemplateVersions"
    ]
    (specification,) = version["LaunchTemplateData"]["TagSpecifications"]
    assert specification["Tags"] == [{"Key": "Env", "Value": "prod"}]
    (listed,) = ec2.describe_launch_templates()["LaunchTemplates"]
    assert tags_of(listed) == OWNED


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("instance", "instances"),
        ("volume", "volumes"),
        ("snapshot", "snapshots"),
        ("image", "images"),
        ("network-interface", "network_interfaces"),
        ("elastic-ip", "addresses"),
        ("security-group", "security_groups"),
    ],
)
def test_a_crowd_is_listed_and_tagged_like_anything(
    cloud: StrictCloud, account: Account, ec2: Any, kind: str, name: str
) -> None:
    cloud.pages.size = None
    ids = account.crowd(kind, 300, tags_of=lambda place: {"place": str(place)})
    wanted = [{"Name": "tag:place", "Values": ["17", "170"]}]
    found = str(getattr(ec2, f"describe_{name}")(Filters=wanted))
    assert [each for each in ids if each in found] == [ids[17], ids[170]]
    ec2.create_tags(Resources=ids, Tags=[{"Key": "Owner", "Value": "web"}])
    assert account.tags_of(ids[299]) == {"place": "299", "Owner": "web"}
    assert account.tags_of(ids[0])["place"] == "0"


@pytest.mark.parametrize(
    ("name", "burst"),
    [
        ("network_interfaces", 50),
        ("security_groups", 50),
        ("vpcs", 100),
        ("tags", 100),
    ],
)
def test_listings_draw_from_the_documented_buckets(
    cloud: StrictCloud, ec2: Any, name: str, burst: int
) -> None:
    cloud.buckets.use_documented()
    call = getattr(ec2, f"describe_{name}")
    for _ in range(burst):
        call()
    assert code_of(call) == "RequestLimitExceeded"
    if burst == 50:
        call(MaxResults=5)


def test_the_tagging_api_has_a_bucket_where_one_is_given(cloud: StrictCloud) -> None:
    tagging = boto3.client("resourcegroupstaggingapi", REGION, config=ONCE)
    cloud.buckets.use_documented()
    cloud.buckets["GetResources"] = Bucket(2, 1)
    for _ in range(2):
        tagging.get_resources()
    assert code_of(tagging.get_resources) == "ThrottledException"
    cloud.clock.advance(1)
    tagging.get_resources()
