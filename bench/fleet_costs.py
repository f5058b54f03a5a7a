"""What a run of a fleet costs beside what it does in the accounts themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.prices import (
    CELL_GIB,
    FLEET_GIB,
    price_of_express,
    price_of_lambda,
    price_of_objects,
    price_of_state,
    price_of_transitions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE: Final = {
    "snapshot": {"PutItem": 1, "UpdateItem": 1, "DeleteItem": 1, "Query": 2},
    "report": {"PutItem": 0, "UpdateItem": 1, "DeleteItem": 0, "Query": 3},
    "retention": {"PutItem": 2, "UpdateItem": 0, "DeleteItem": 1, "Query": 5},
}
"""Calls of the state table in a round of a cell, counted by `fleet_checked`."""
_EACH: Final = {"retention": {"PutItem": 1, "Query": 1}}
"""And for each item."""


def costs_of(figures: Mapping[str, Any], model: str) -> dict[str, float]:
    """Return USD by service; a cell's report is a put, its children's ends are written in parts."""
    counted, cells, s3 = figures["counted"], figures["cells"], figures["s3"]
    chore = model.partition(" ")[0]
    rounds, items = cells["invocations"], cells["items"]
    calls = {
        f"dynamodb:{name}": rounds * each + items * _EACH.get(chore, {}).get(name, 0)
        for name, each in STATE[chore].items()
    }
    steps = sum(each["seconds"] for each in figures["steps"])
    cell_seconds = figures["billed_ms"] / 1000
    lambdas = price_of_lambda(rounds, cell_seconds * CELL_GIB)
    puts = rounds + s3.get("PutObject", 0) + s3.get("ListObjectsV2", 0) + 3 * len(figures["maps"])
    gets = s3.get("GetObject", 0) + len(figures["maps"])
    return {
        "standard": price_of_transitions(counted.get("transitions STANDARD", 0)),
        "express": price_of_express(counted.get("executions EXPRESS", 0), _express(figures)),
        "lambda": lambdas + price_of_lambda(len(figures["steps"]), steps * FLEET_GIB),
        "state": price_of_state(calls),
        "s3": price_of_objects(puts, gets),
    }


def _express(figures: Mapping[str, Any]) -> float:
    is_express = figures["counted"].get("executions EXPRESS", 0)
    return figures["child_seconds"] if is_express else 0.0
