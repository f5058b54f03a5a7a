"""How large the fleet of the benchmarks is: accounts, regions, and what lies where."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

REGIONS: Final = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2",
    "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Those that are on in every account.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""
_FIRST_ACCOUNT: Final = 100_000_000_000
_SEED: Final = 20261121
_SPREAD: Final = 2.0
_HOME_SHARE: Final = 0.9
_HOMES: Final = 2
"""Of most accounts two regions hold nearly everything."""


def account_id(number: int) -> str:
    """Return the id of an account; their order is that of the numbers."""
    return str(_FIRST_ACCOUNT + number)


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many accounts with so many regions each, and so many items over all of them.

    `shape`: "even"; or "uneven", by accounts whose sizes are log-normal with most of each in two
    regions. `hot` of the items lie in one cell, which stands `hot_at` (0 to 1) of the way.
    """

    accounts: int = 500
    regions: int = len(REGIONS)
    items: int = 100_000
    shape: str = "even"
    hot: int = 0
    hot_at: float = 1.0

    @property
    def number(self) -> int:
        """Return how many cells there are."""
        return self.accounts * self.regions

    def cells(self) -> list[tuple[str, str]]:
        """Return the accounts and regions, sorted."""
        regions = REGIONS[: self.regions]
        return [(account_id(n), region) for n in range(self.accounts) for region in regions]

    def sizes(self) -> list[int]:
        """Return how many items each cell has."""
        rest = self.items - self.hot
        shares = self._shares() if self.shape == "uneven" else [1.0] * self.number
        sizes = _rounded(shares, rest)
        if self.hot:
            at = min(self.number - 1, round(self.hot_at * (self.number - 1)))
            sizes[at] += self.hot
        return sizes

    def _shares(self) -> list[float]:
        chance = random.Random(_SEED)
        shares: list[float] = []
        for _ in range(self.accounts):
            weight = chance.lognormvariate(0, _SPREAD)
            homes = set(chance.sample(range(self.regions), min(_HOMES, self.regions)))
            others = max(1, self.regions - len(homes))
            shares += [
                weight * (_HOME_SHARE / len(homes) if n in homes else (1 - _HOME_SHARE) / others)
                for n in range(self.regions)
            ]
        return shares


def _rounded(shares: list[float], items: int) -> list[int]:
    """Return whole numbers of that sum, in the proportion of the shares."""
    whole, sizes, given, seen = sum(shares), [], 0, 0.0
    for share in shares:
        seen += share
        upto = round(items * seen / whole)
        sizes.append(upto - given)
        given = upto
    return sizes
