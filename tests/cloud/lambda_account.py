"""How many runs Lambda has room for: GetAccountSettings and GetFunctionConcurrency.

Source: Lambda API reference, the operations of these names; the Lambda guide, "Configuring reserved
concurrency": what functions reserve is taken out of the account's limit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.cloud.answers import Answer

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.extras import Where

DEFAULT: Final = 1_000
"""New accounts have 10, older ones 1,000 and more."""
_RESERVED: Final = "ReservedConcurrentExecutions"


@dataclass
class Concurrency:
    """The limits, and what functions reserve of them."""

    limits: dict[Where, int] = field(default_factory=dict)
    reserved: dict[Where, dict[str, int]] = field(default_factory=dict)

    def set_limit(self, account: str, region: str, limit: int) -> None:
        """Set what an account may run at the same time in a region."""
        self.limits[account, region] = limit

    def reserve(self, account: str, region: str, function: str, runs: int) -> None:
        """Keep so many of them for one function, by its name."""
        self.reserved.setdefault((account, region), {})[function] = runs

    def answer(self, call: Call) -> Answer | None:
        """Answer a call to Lambda; None: not one of ours."""
        where = call.account, call.region
        reserved = self.reserved.get(where, {})
        if call.operation == "GetAccountSettings":
            return _told(_settings(self.limits.get(where, DEFAULT), reserved))
        if call.operation == "GetFunctionConcurrency":
            name = str(call.params["FunctionName"]).rpartition("function:")[2].partition(":")[0]
            # Without a reserve AWS's answer is empty.
            return _told({_RESERVED: reserved[name]} if name in reserved else {})
        return None


def _settings(limit: int, reserved: dict[str, int]) -> dict[str, object]:
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit - sum(reserved.values()),
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(reserved)},
    }


def _told(document: dict[str, object]) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(document)
