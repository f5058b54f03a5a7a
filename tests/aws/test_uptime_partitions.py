"""What uptime writes into the state table is what its role lets it write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.contract.iam import Request, is_allowed, policies_of

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

KINDS: Final = {"incidents", "minutes", "past", "raw", "resolved", "scopes", "targets"}
"""What the partitions begin with that a life of a target leaves behind."""


def test_every_partition_that_a_life_of_a_target_touches_is_its_own(uptime: UptimeWorld) -> None:
    touched: set[str] = set()
    for status in (200, 503, 200):
        uptime.farm.set("shop", status=status)
        for _ in range(6):
            uptime.run()
            touched |= {str(item["pk"]) for item in uptime.stack.items()}
    role = policies_of("UptimeRole", UptimeMode="act")
    refused = [
        each
        for each in sorted(touched)
        for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
        if not is_allowed(role, _write(action, each))
    ]

    assert refused == []
    assert {each.partition("#")[0].partition("-")[0] for each in touched} >= KINDS


def _write(action: str, partition: str) -> Request:
    return Request(f"dynamodb:{action}", "StateTable.Arn", {"dynamodb:LeadingKeys": (partition,)})
