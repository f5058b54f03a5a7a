"""How the bed behaves, and how large its account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Options:
    """Seed and faults; shares and rates are from 0 to 1.

    `share`: what another client eats of every bucket. `gone`: volumes that are listed but no longer
    there. `locked`: seeded snapshots that cannot be deleted. `error_rate`: calls that answer 500;
    `errors_land`: those of them that did their work all the same. `throttled`: buckets at all.
    """

    volumes: int = 0
    volumes_per_instance: int = 4
    unattached: float = 0.1
    policy: str = "daily"
    snapshots: int = 0
    managed_by: str = "caretaker"
    share: float = 0.0
    gone: int = 0
    locked: int = 0
    error_rate: float = 0.0
    errors_land: float = 0.5
    latency: bool = True
    throttled: bool = True
    seed: int = 20261121
