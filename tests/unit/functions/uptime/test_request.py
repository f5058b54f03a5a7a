from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from caretaker.settings import Mode
from functions.uptime.request import CANARY, MAX_TARGETS, UptimeRequest
from tests.unit.functions.uptime.building import URL, ask

NO_FIELD = "no such field; see the chore's page"
A_URL = "a URL of http or https, as https://example.com/health"
A_NETWORK = "a network in CIDR notation, as 10.0.0.0/8"
NOT_THAT = "a network without loopback, link-local and metadata addresses"
AT_HOME = "left out: probes leave from the function's own account and region"


def wrong(**event: Any) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_request(UptimeRequest, event)
    assert refused.value.reason == "event_invalid"
    return [(error["path"], error["expected"]) for error in refused.value.errors]


def test_an_empty_event_has_the_documented_defaults() -> None:
    request = ask()

    assert (request.policy, request.targets, request.targets_from) == ("default", (), None)
    assert (request.discover, request.private_networks, request.at_once) == (False, (), 50)
    assert request.canary_url == CANARY == "https://checkip.amazonaws.com/"
    assert (request.confirm.failures, request.confirm.successes) == (3, 2)
    assert (request.fix_again_minutes, request.longest_gap_minutes) == (10, 10)
    assert request.lease_scope == ""


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        ("confirm.failures", 1, 10),
        ("confirm.successes", 1, 10),
        ("at_once", 1, 200),
        ("fix_again_minutes", 5, 1440),
        ("longest_gap_minutes", 1, 120),
    ],
)
def test_nothing_goes_beyond_the_limits(path: str, least: int, most: int) -> None:
    def event(value: object) -> dict[str, Any]:
        *above, field = path.split(".")
        return {above[0]: {field: value}} if above else {field: value}

    for value in (least, most):
        read: Any = ask(**event(value))
        for name in path.split("."):
            read = getattr(read, name)
        assert read == value
    assert wrong(**event(least - 1)) == [(path, f"at least {least}")]
    assert wrong(**event(most + 1)) == [(path, f"at most {most}")]
    for other in (str(least), least + 0.5, True, None, [least]):
        assert wrong(**event(other)) == [(path, "a valid integer")]


@pytest.mark.parametrize(
    ("event", "path", "expected"),
    [
        ({"target_from": "s3://bucket/key"}, "target_from", NO_FIELD),
        ({"confirm": {"failure": 3}}, "confirm.failure", NO_FIELD),
        ({"confirm": 3}, "confirm", "an object"),
        ({"targets": {"name": "shop"}}, "targets", "a valid array"),
        ({"targets": "shop"}, "targets", "a valid array"),
        ({"discover": 1}, "discover", "a valid boolean"),
        ({"discover": "true"}, "discover", "a valid boolean"),
        ({"canary_url": "ftp://example.com/"}, "canary_url", A_URL),
        ({"canary_url": "https://a\\b/"}, "canary_url", A_URL),
        ({"canary_url": None}, "canary_url", "a valid string"),
        ({"canary_url": "https://x/" + "a" * 2039}, "canary_url", "at most this many: 2048"),
        ({"private_networks": ["10.0.0.0/33"]}, "private_networks.0", A_NETWORK),
        ({"private_networks": ["10.0.0.1/8"]}, "private_networks.0", A_NETWORK),
        ({"private_networks": ["10.0.0.0/8", "intranet"]}, "private_networks.1", A_NETWORK),
        ({"private_networks": [167772160]}, "private_networks.0", "a valid string"),
        ({"private_networks": "10.0.0.0/8"}, "private_networks", "a valid array"),
        ({"private_networks": ["1" * 44]}, "private_networks.0", "at most this many: 43"),
        ({"private_networks": ["10.0.0.0/8"] * 51}, "private_networks", "at most this many: 50"),
        ({"mode": "fix"}, "mode", "'act' or 'report'"),
        ({"policy": "Über"}, "policy", "text that matches ^[a-z0-9-]{1,32}$"),
        ({"target": {"region": "eu-west-2"}}, "target", AT_HOME),
        ({"target": {"account": "123456789012"}}, "target", AT_HOME),
    ],
    ids=str,
)
def test_refuses_what_is_wrong_and_says_what_it_must_be(
    event: dict[str, Any], path: str, expected: str
) -> None:
    assert wrong(**event) == [(path, expected)]


@pytest.mark.parametrize(
    "network",
    [
        "0.0.0.0/0",
        "127.0.0.0/8",
        "127.0.0.1/32",
        "169.254.169.254/32",
        "169.254.0.0/16",
        "168.0.0.0/6",
        "0.0.0.0/8",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/0",
        "::1/128",
        "fe80::/10",
        "fe80::1/128",
        "fd00:ec2::254/128",
        "fd00::/8",
        "ff02::1/128",
    ],
)
def test_no_network_opens_what_is_never_probed(network: str) -> None:
    assert wrong(private_networks=["10.0.0.0/8", network]) == [("private_networks.1", NOT_THAT)]


@pytest.mark.parametrize("network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.1.7", "fd12::/16"])
def test_a_private_network_may_be_asked_for(network: str) -> None:
    assert ask(private_networks=[network]).networks == (ip_network(network),)


@pytest.mark.parametrize(
    "place",
    [
        "https://bucket/key",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://Bucket/key",
        "s3://b/key",
        "s3://bu/key",
        "s3://-bucket/key",
        "s3://bucket-/key",
        "s3://" + "b" * 64 + "/key",
        "s3://bucket/a key",
        "s3://bucket/kéy",
        "s3://bucket/key\n",
        "s3://bucket/" + "k" * 513,
        "",
    ],
)
def test_targets_come_from_an_object_of_s3_alone(place: str) -> None:
    ((path, expected),) = wrong(targets_from=place)

    assert path == "targets_from"
    assert expected.startswith("text that matches ^s3://")


@pytest.mark.parametrize("place", ["s3://bkt/k", "s3://my.bucket-1/a/b/targets.json"])
def test_an_object_of_targets_has_a_bucket_and_a_key(place: str) -> None:
    assert ask(targets_from=place).targets_from == place


def test_ten_thousand_targets_are_taken_and_not_one_more() -> None:
    assert len(ask(targets=[{}] * MAX_TARGETS).targets) == MAX_TARGETS == 10_000
    assert wrong(targets=[{}] * 10_001) == [("targets", "at most this many: 10000")]


def test_whatever_stands_for_a_target_is_read_later_and_by_itself() -> None:
    written: tuple[Any, ...] = (
        {"name": "shop", "url": URL},
        None,
        5,
        "shop",
        [],
        {"name": ["x"]},
        True,
    )

    assert ask(targets=list(written)).targets == written


@pytest.mark.parametrize("url", ["http://10.0.0.2/", "https://example.com:8443/up?x"])
def test_the_canary_may_be_another_one(url: str) -> None:
    assert ask(canary_url=url).canary_url == url


def test_the_target_of_an_event_may_be_empty() -> None:
    assert ask(target={}).target == UptimeRequest().target


def test_an_event_names_a_mode_and_a_policy_of_its_own() -> None:
    request = ask(mode="report", policy="shop-1")

    assert (request.mode, request.policy) == (Mode.REPORT, "shop-1")


def test_a_run_that_meets_another_one_is_not_needed_in_any_slot() -> None:
    assert ask().is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:00Z")
    assert ask().is_spared_by("2026-11-21T02:59Z", "2026-11-21T03:00Z")
