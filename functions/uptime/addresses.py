"""Which addresses may be probed: never the prober's own surroundings. Pure.

Lambda's runtime API, the credentials and the metadata of its machines answer on loopback and
link-local addresses; whoever may write a target, or answer with a redirect, must not reach them.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

NEVER: Final = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"),
            *("::/96", "::ffff:0:0:0/96", "fe80::/10", "fd00:ec2::/32", "ff00::/8"),
        ),
    )
)
"""No list of private networks opens these."""
_IPV4: Final = 4
_GIVEN_OUT: Final = ip_network("2000::/3")
_TRANSLATED: Final = ip_network("64:ff9b::/96")


def is_blocked(text: str, allowed: Iterable[Network] = ()) -> bool:
    """Tell whether an address must not be connected to.

    What is written as IPv6 and means IPv4 is judged as IPv4.
    """
    address = _read(text)
    if address is None:
        return True
    return not _is_public(address) and not any(_is_in(address, network) for network in allowed)


@lru_cache(maxsize=16_384)
def _read(text: str) -> Address | None:
    """Return the address that is meant; None of one that is never probed, and of no address."""
    try:
        address = _meant(ip_address(text.partition("%")[0]))
    except ValueError:
        return None
    return None if any(_is_in(address, network) for network in NEVER) else address


@lru_cache(maxsize=16_384)
def _is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's; of IPv6 no others are given out.

    https://www.iana.org/assignments/ipv6-unicast-address-assignments/
    """
    return address.is_global and (address.version == _IPV4 or address in _GIVEN_OUT)


def version_of(host: str) -> str:
    """Return the version of IP of a host that is an address; empty of a name."""
    try:
        return str(ip_address(host).version)
    except ValueError:
        return ""


def is_within(network: Network, larger: Network) -> bool:
    """Tell whether a network is a part of another."""
    if isinstance(network, IPv4Network) and isinstance(larger, IPv4Network):
        return network.subnet_of(larger)
    if isinstance(network, IPv6Network) and isinstance(larger, IPv6Network):
        return network.subnet_of(larger)
    return False


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, else the same."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _is_in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network
