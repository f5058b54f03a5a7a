"""How the bed behaves, and how large its account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Options:
    """Seed and faults; shares and rates are from 0 to 1.

    `gib`: the size of every volume, of whose blocks half were written.

    `share`: what another client eats of every bucket. `gone`: volumes that are listed but no longer
    there. `error_rate`: calls that answer 500; `errors_land`: those of them that did their work all
    the same. `throttled`: buckets at all.

    `tagging`: tags of all resources but VPCs and subnets, instead of those above. "cost-centres":
    instances and volumes lack CostCenter, which their subnet has, as well as a tag `cc` of their
    own; "mixed": a realistic set, of which the share `violations` breaks a rule. `interfaces`,
    `security_groups`, `addresses`: how many there are.

    `impaired`: instances that have failed a status check for half an hour, of the cases of
    `fleet.py` in turn; every instance then has a tag `service` as well. `zones`: how many the
    instances stand in.

    `snapshots`: older ones of ours, over the volumes in turn, a day apart. `due`: how many of them,
    the oldest, carry a mark whose time has passed. `locked`: how many of these are locked, and
    `locks_listed` whether EC2 tells beforehand. `images`: own images, each of one of the newest
    snapshots and with a launch template; `groups`: Auto Scaling groups that use one of these.
    """

    volumes: int = 0
    gib: int = 8
    volumes_per_instance: float = 4
    unattached: float = 0.1
    policy: str = "daily"
    snapshots: int = 0
    due: int = 0
    images: int = 0
    groups: int = 0
    interfaces: int = 0
    security_groups: int = 0
    addresses: int = 0
    impaired: int = 0
    zones: int = 1
    tagging: str = ""
    violations: float = 0.05
    managed_by: str = "caretaker"
    share: float = 0.0
    gone: int = 0
    locked: int = 0
    locks_listed: bool = True
    error_rate: float = 0.0
    errors_land: float = 0.5
    latency: bool = True
    throttled: bool = True
    seed: int = 20261121
