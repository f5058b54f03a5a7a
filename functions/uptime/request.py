"""What the uptime chore may be asked."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator, Field, JsonValue, field_validator

from caretaker.request import BaseRequest, Part
from caretaker.request import Target as Place

from .addresses import NEVER
from .urls import UrlText

MAX_TARGETS: Final = 10_000
CANARY: Final = "https://checkip.amazonaws.com/"


def _network(text: str) -> str:
    """Refuse what is no network, and what must not be probed whatever anybody says."""
    try:
        network = ip_network(text)
    except ValueError:
        msg = "must be a network in CIDR notation, as 10.0.0.0/8"
        raise ValueError(msg) from None
    if any(n.version == network.version and n.overlaps(network) for n in NEVER):
        msg = "must be a network without loopback, link-local and metadata addresses"
        raise ValueError(msg)
    return text


type NetworkText = Annotated[str, Field(max_length=43), AfterValidator(_network)]


class Confirm(Part):
    """How many runs in a row open an incident, and close it."""

    failures: Annotated[int, Field(ge=1, le=10)] = 3
    successes: Annotated[int, Field(ge=1, le=10)] = 2


class UptimeRequest(BaseRequest):
    """The event of the uptime chore.

    Targets come from `targets`, from an object of S3 that holds a list of them, and, with
    `discover`, from the tag `caretaker:probe`. Each is checked by itself: a wrong one is told by
    name and the others are probed. `private_networks` may be probed as far as the stack allows.
    `longest_gap_minutes` is how long a state is taken to last after the run that saw it.
    """

    targets: Annotated[tuple[JsonValue, ...], Field(max_length=MAX_TARGETS)] = ()
    targets_from: (
        Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[!-~]{1,512}$")]
        | None
    ) = None
    discover: bool = False
    canary_url: UrlText = CANARY
    private_networks: Annotated[tuple[NetworkText, ...], Field(max_length=50)] = ()
    at_once: Annotated[int, Field(ge=1, le=200)] = 50
    confirm: Confirm = Confirm()
    fix_again_minutes: Annotated[int, Field(ge=5, le=1440)] = 10
    longest_gap_minutes: Annotated[int, Field(ge=1, le=120)] = 10

    @field_validator("target")
    @classmethod
    def _stays_at_home(cls, target: Place) -> Place:
        if target != Place():
            msg = "must be left out: probes leave from the function's own account and region"
            raise ValueError(msg)
        return target

    def is_spared_by(self, other: str, slot: str) -> bool:  # noqa: ARG002 - whichever slots
        """A run that meets another one is not needed: the next does all that it would do."""
        return True

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the private networks that are asked for."""
        return tuple(map(ip_network, self.private_networks))
