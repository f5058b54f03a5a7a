"""What carries the tag is probed, and a tag aims at nothing but its own resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.cloud import REGION
from tests.support.uptime_world import SHOP, SHOP_AT, failure, reason, told

if TYPE_CHECKING:
    from tests.cloud import Account
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

INSIDE: Final[dict[str, Any]] = {"private_networks": ["10.0.0.0/8"]}


@pytest.fixture
def fleet(account: Account, uptime: UptimeWorld) -> dict[str, str]:
    """The private addresses of instances by name; two pages of them, and who is not meant."""
    probe = {"caretaker:probe": "http/health"}
    made = {f"web-{n}": account.instance(tags=probe).id for n in range(3)}
    account.instance(tags=probe, state="stopped")
    account.instance(tags={"team": "web"})
    account.instance(tags={**probe, "caretaker:ignore": "true"})
    listed = boto3.client("ec2", REGION).describe_instances(InstanceIds=list(made.values()))
    machines = [each for part in listed["Reservations"] for each in part["Instances"]]
    return {each["InstanceId"]: each["PrivateIpAddress"] for each in machines}


def test_tagged_instances_are_probed_at_their_own_address(
    uptime: UptimeWorld, fleet: dict[str, str]
) -> None:
    answer = uptime.run(discover=True, **INSIDE)
    assert {each["target"]: each["reason"] for each in answer["outcomes"]} == dict.fromkeys(
        fleet, "up"
    )
    assert set(uptime.net.dialled) == {(address, 80) for address in fleet.values()}
    assert {each.target for each in uptime.farm.seen()} == {"/health"}


@pytest.mark.parametrize("networks", [[], ["10.255.0.0/16"]])
def test_private_addresses_are_not_probed_unless_allowed(
    uptime: UptimeWorld, account: Account, networks: list[str]
) -> None:
    one = account.instance(tags={"caretaker:probe": "http/"}, address="none").id
    answer = uptime.run(discover=True, private_networks=networks)
    assert told(answer, one) == ("skip", "wrong", "unchanged")
    assert uptime.net.dialled == []


def test_the_public_address_is_taken_where_the_private_one_is_not_allowed(
    uptime: UptimeWorld, account: Account
) -> None:
    one = account.instance(tags={"caretaker:probe": "http/"}, address="amazon").id
    assert reason(uptime.run(discover=True), one) == "up"
    ((address, _),) = uptime.net.dialled
    assert not address.startswith("10.")


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("http", "/"),
        ("http:80/health?full=1", "/health?full=1"),
        ("http//elsewhere.example.com/", "//elsewhere.example.com/"),
        ("http/@elsewhere.example.com/", "/@elsewhere.example.com/"),
        ("http://elsewhere.example.com/", None),
        ("http@elsewhere.example.com/", None),
        ("http:80@elsewhere.example.com/", None),
        ("http:pw@elsewhere.example.com", None),
        ("http.elsewhere.example.com/", None),
        ("http:99999/", None),
        ("ftp/", None),
        ("file/etc/passwd", None),
        ("http/a b", None),
        ("", None),
        ("true", None),
    ],
)
def test_a_tag_aims_at_nothing_but_its_own_resource(
    uptime: UptimeWorld, account: Account, asked: str, target: str | None
) -> None:
    one = account.instance(tags={"caretaker:probe": asked}).id
    answer = uptime.run(discover=True, **INSIDE)
    assert reason(answer, one) == ("wrong" if target is None else "up")
    assert [each.target for each in uptime.farm.seen()] == ([] if target is None else [target])
    assert {address[:3] for address, _ in uptime.net.dialled} <= {"10."}


def test_tagged_load_balancers_are_probed_by_their_own_name(
    uptime: UptimeWorld, account: Account
) -> None:
    uptime.cloud.pages.size = None
    for number in range(25):
        account.load_balancer(f"quiet-{number}")
    account.load_balancer("web", {"caretaker:probe": "https/health"})
    account.load_balancer("left", {"caretaker:probe": "https/", "caretaker:ignore": "true"})
    listed = boto3.client("elbv2", REGION).describe_load_balancers(Names=["web"])
    name = listed["LoadBalancers"][0]["DNSName"]
    uptime.net.names[name.lower()] = ["93.184.217.1"]
    answer = uptime.run(discover=True)
    assert [each["target"] for each in answer["outcomes"]] == ["web"]
    assert reason(answer, "web") == "up"
    assert uptime.net.dialled == [("93.184.217.1", 443)]


def test_an_inner_load_balancer_is_probed_where_its_network_is_open(
    uptime: UptimeWorld, account: Account
) -> None:
    account.load_balancer("web", {"caretaker:probe": "http/"})
    listed = boto3.client("elbv2", REGION).describe_load_balancers(Names=["web"])
    uptime.net.names[listed["LoadBalancers"][0]["DNSName"].lower()] = ["10.0.0.9"]
    assert failure(uptime.run(discover=True), "web") == ("blocked", "address", "")
    assert reason(uptime.run(discover=True, **INSIDE), "web") == "up"
    assert uptime.net.dialled == [("10.0.0.9", 80)]


@pytest.mark.parametrize(
    "operation", ["DescribeInstances", "DescribeLoadBalancers", "DescribeTags"]
)
def test_a_listing_that_fails_decides_nothing(
    uptime: UptimeWorld, account: Account, fleet: dict[str, str], operation: str
) -> None:
    account.load_balancer("web", {"caretaker:probe": "http/"})
    uptime.runs(1, discover=True, **INSIDE)
    before = uptime.kept("targets")
    uptime.cloud.faults.add("denied", operation=operation, times=None)
    answers = uptime.runs(2, discover=True, **INSIDE)
    assert {(each["status"], each["reason"]) for each in answers} == {("failed", "listing_failed")}
    assert uptime.kept("targets") == before
    assert len([each for each in uptime.told() if "run_failed" in each]) == 1


def test_a_page_of_instances_that_expires_half_way_decides_nothing(
    uptime: UptimeWorld, fleet: dict[str, str]
) -> None:
    uptime.cloud.pages.size = 1
    uptime.cloud.faults.add("denied", operation="DescribeInstances", nth=2, times=None)
    assert uptime.run(discover=True, **INSIDE)["status"] == "failed"
    assert uptime.net.dialled == []


def test_who_is_named_by_event_and_tag_is_probed_once_and_told(
    uptime: UptimeWorld, account: Account
) -> None:
    one = account.instance(tags={"caretaker:probe": "http/"}).id
    answer = uptime.run({**SHOP, "name": one}, discover=True, **INSIDE)
    assert reason(answer, one) == "up"
    assert reason(answer, f"tag.{one}") == "wrong"
    assert uptime.net.dialled == [(SHOP_AT, 80)]
