from __future__ import annotations

from ipaddress import IPv6Address, ip_network
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.uptime.addresses import NEVER, Network, is_blocked, is_within
from functions.uptime.urls import parse_url

EVERYTHING: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))
INSIDE: Final = (ip_network("10.1.0.0/16"), ip_network("fd12:3456::/32"))
FOUR: Final = [each for each in NEVER if each.version == 4]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "0.1.2.3",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:1:1:0:0:80ff:fffe",
        "2001:0:1:1:0:0:5601:5601",
        "fe80::1",
        "fe80::1%eth0",
        "fe80::1%2",
        "febf::ffff",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd00:ec2:ffff::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:0:127.0.0.1",
    ],
)
def test_no_list_of_networks_opens_the_probers_own_surroundings(address: str) -> None:
    assert is_blocked(address)
    assert is_blocked(address, EVERYTHING)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "2002:a01:203::",
        "2001:0:1:1:0:0:f5fe:fdfc",
        "fd12:3456::7",
    ],
)
def test_a_private_address_is_open_by_a_list_alone(address: str) -> None:
    assert is_blocked(address)
    assert is_blocked(address, (ip_network("10.2.0.0/16"), ip_network("fd00::/32")))
    assert not is_blocked(address, INSIDE)


@pytest.mark.parametrize(
    "address",
    [
        "10.2.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "fc00::1",
        "fd13::1",
        "fec0::1",
        "4000::1",
        "e000::1",
        "2001:db8::1",
        "100::1",
        "64:ff9b:1::8.8.8.8",
        "::ffff:192.168.0.1",
        "2002:c0a8:1::",
    ],
)
def test_what_is_not_public_is_blocked_unless_it_is_listed(address: str) -> None:
    assert is_blocked(address, INSIDE)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.215.10",
        "1.1.1.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.1",
        "223.255.255.255",
        "2606:2800:21f::1",
        "2600:1f18::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::",
    ],
)
def test_a_public_address_is_probed(address: str) -> None:
    assert not is_blocked(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.1", "8.8.8.8.", "[::1]", "%eth0"])
def test_what_is_no_address_is_blocked(text: str) -> None:
    assert is_blocked(text, EVERYTHING)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(NEVER),
    st.integers(0, 2**128),
    st.lists(st.sampled_from([*EVERYTHING, *INSIDE, *NEVER])),
)
def test_an_address_that_is_never_probed_is_blocked_whatever_is_allowed(
    network: Network, number: int, allowed: list[Network]
) -> None:
    address = network[number % network.num_addresses]

    assert is_blocked(str(address), allowed)
    assert is_blocked(f"{address}%eth0", allowed)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(FOUR),
    st.integers(0, 2**32),
    st.sampled_from(["::ffff:0:0", "64:ff9b::", "2002::", "2001::", "::"]),
    st.integers(0, 2**80 - 1),
)
def test_it_stays_blocked_when_it_is_written_as_ipv6(
    network: Network, number: int, form: str, rest: int
) -> None:
    four = int(network[number % network.num_addresses])
    low = {
        "2002::": four << 80 | rest,
        "2001::": (rest & 0xFFFFFFFF) << 64 | (rest & 0xFFFF) << 32 | (four ^ 0xFFFFFFFF),
    }.get(form, four)

    assert is_blocked(str(IPv6Address(int(IPv6Address(form)) | low)), EVERYTHING)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(FOUR),
    st.integers(0, 2**32),
    st.lists(st.sampled_from(["{}", "{:#x}", "0{:o}", "{:#X}", "00{:o}"]), min_size=4, max_size=4),
    st.integers(1, 4),
)
def test_it_stays_blocked_in_any_base_and_any_number_of_parts(
    network: Network, number: int, bases: list[str], parts: int
) -> None:
    four = int(network[number % network.num_addresses])
    octets = [four >> shift & 0xFF for shift in (24, 16, 8, 0)]
    rest = four & (1 << 8 * (5 - parts)) - 1
    numbers = [*octets[: parts - 1], rest]
    host = ".".join(base.format(each) for base, each in zip(bases, numbers, strict=False))

    assert is_blocked(parse_url(f"http://{host}/").host, EVERYTHING)


@pytest.mark.parametrize(
    ("network", "larger", "expected"),
    [
        ("10.1.0.0/16", "10.0.0.0/8", True),
        ("10.0.0.0/8", "10.0.0.0/8", True),
        ("10.0.0.0/7", "10.0.0.0/8", False),
        ("192.168.0.0/16", "10.0.0.0/8", False),
        ("fd12::/32", "fd00::/8", True),
        ("fd00::/8", "fd12::/32", False),
        ("10.0.0.0/8", "::/0", False),
        ("fd12::/32", "0.0.0.0/0", False),
    ],
)
def test_a_network_is_within_another_of_its_own_kind(
    network: str, larger: str, *, expected: bool
) -> None:
    assert is_within(ip_network(network), ip_network(larger)) is expected
