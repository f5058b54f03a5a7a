"""Where an account's resources are put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cloud.strict import ACCOUNT, REGION, StrictCloud

if TYPE_CHECKING:
    from tests.cloud.extras import Where


@dataclass
class Place:
    """One account and region of a strict cloud."""

    cloud: StrictCloud
    region: str = REGION
    account: str = ACCOUNT
    zone_letter: str = "a"

    @property
    def backend(self) -> Any:
        """moto's EC2 of this account and region."""
        return self.cloud.backend(self.region, self.account)

    @property
    def zone(self) -> str:
        """The availability zone used."""
        return f"{self.region}{self.zone_letter}"

    def zone_named(self, zone: str) -> str:
        """Return a zone by its name or its letter; the usual one where none is named."""
        return f"{self.region}{zone}" if len(zone) == 1 else zone or self.zone

    @property
    def where(self) -> Where:
        """Account and region."""
        return self.account, self.region
