"""AWS's list prices of us-east-1, in USD.

https://aws.amazon.com/step-functions/pricing/ https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/dynamodb/pricing/on-demand/
https://aws.amazon.com/ebs/pricing/ https://aws.amazon.com/sqs/pricing/
https://aws.amazon.com/ec2/pricing/on-demand/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RESTORE_GIB: Final = 0.5
DRILL_GIB: Final = 0.5
CELL_GIB: Final = 0.5
FLEET_GIB: Final = 1.0
"""The memory of the functions, by the template's defaults."""
_TRANSITION: Final = 0.025 / 1000
_GIB_SECOND: Final = 0.0000133334
"""On arm64."""
_REQUEST: Final = 0.20 / 1e6
_EXPRESS_REQUEST: Final = 1.00 / 1e6
_EXPRESS_GIB: Final = 64 / 1024
"""Of memory it is billed in chunks of so much; a cell's definition and payload are far below."""
_EXPRESS_GIB_SECOND: Final = 0.00001667
_QUEUE_REQUEST: Final = 0.40 / 1e6
_CORE_HOUR: Final = 0.03625
"""c7g, on demand: the same for each core from large to 16xlarge."""
_PUT: Final = 0.005 / 1000
_GET: Final = 0.0004 / 1000
_STATE_WRITE: Final = 0.625 / 1e6
_STATE_READ: Final = 0.125 / 1e6
_LIST_BLOCKS: Final = 0.0006 / 1000
_GET_BLOCK: Final = 0.003 / 1000
_GP3_GIB_MONTH: Final = 0.08
_MONTH_SECONDS: Final = 30 * 86_400
_LEAST_SECONDS: Final = 60
_WRITES: Final = {"PutItem": 2, "UpdateItem": 1, "DeleteItem": 1}
"""Units of a write: a lease is one, a journal three."""
_READS: Final = ("GetItem", "Query")


def price_of_lambda(invocations: int, gib_seconds: float) -> float:
    """Return what Lambda costs."""
    return invocations * _REQUEST + gib_seconds * _GIB_SECOND


def price_of_state(calls: Mapping[str, int]) -> float:
    """Return what the state table and the reports cost."""
    writes = sum(calls.get(f"dynamodb:{name}", 0) * units for name, units in _WRITES.items())
    reads = sum(calls.get(f"dynamodb:{name}", 0) for name in _READS)
    puts = calls.get("s3:PutObject", 0)
    return writes * _STATE_WRITE + reads * _STATE_READ + puts * _PUT


def price_of_restore(figures: Mapping[str, Any], calls: Mapping[str, int]) -> float:
    """Return what a restore costs beside its volumes: transitions, Lambda, state, reports."""
    gib_seconds = figures["billed_ms"] / 1000 * RESTORE_GIB
    lambdas = price_of_lambda(figures["invocations"], gib_seconds)
    return float(figures["transitions"]) * _TRANSITION + lambdas + price_of_state(calls)


def price_of_blocks(calls: Mapping[str, int]) -> float:
    """Return what EBS bills for reading snapshots."""
    lists, blocks = calls.get("ListSnapshotBlocks", 0), calls.get("GetSnapshotBlock", 0)
    return lists * _LIST_BLOCKS + blocks * _GET_BLOCK


def price_of_volumes(volumes: int, gib: int, seconds: float) -> float:
    """Return what gp3 volumes cost that are there so long, a minute at least."""
    lives = max(seconds, _LEAST_SECONDS)
    return volumes * gib * lives * _GP3_GIB_MONTH / _MONTH_SECONDS


def price_of_transitions(number: float) -> float:
    """Return what Standard workflows cost: retries are transitions, too."""
    return number * _TRANSITION


def price_of_express(executions: float, seconds: float) -> float:
    """Return what Express workflows cost that took so long together, with 64 MB each."""
    return executions * _EXPRESS_REQUEST + seconds * _EXPRESS_GIB * _EXPRESS_GIB_SECOND


def price_of_objects(puts: float, gets: float) -> float:
    """Return what requests of S3 cost; a listing costs as much as a put."""
    return puts * _PUT + gets * _GET


def price_of_queue(requests: float) -> float:
    """Return what requests of a standard queue cost."""
    return requests * _QUEUE_REQUEST


def price_of_machine(cores: int, seconds: float) -> float:
    """Return what an instance of the family c7g costs that lives so long, a minute at least."""
    return cores * _CORE_HOUR * max(seconds, _LEAST_SECONDS) / 3600
