"""The same cells by other engines: a pool of processes on one machine, and a queue on paper."""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from bench.fleet_model import CHORES, Place, rounds_of
from bench.lambda_stage import SHARE_OF_A_CORE
from bench.prices import CELL_GIB, price_of_lambda, price_of_machine, price_of_queue
from bench.stage import Stage
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from bench.fleet_size import Fleet

WORKERS_PER_CORE: Final = 4
"""c7n-org's own number, unless C7N_ORG_PARALLEL says another."""
_FOREVER: Final = 1e9
_POLLERS: Final = 5
_MORE_A_SECOND: Final = 300 / 60
"""Lambda's pollers of a queue: five at first, up to 300 more a minute.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
_BATCH: Final = 10
_CORES: Final = (2, 8, 16)
_AT_ONCE: Final = (100, 1000)
_HOT: Final = 5_000


@dataclass(frozen=True, slots=True)
class Rival:
    """How another engine did: `least` is what it takes at least by its own limit."""

    name: str
    cells: int
    at_once: int
    seconds: float
    least: float
    usd: float
    engine_usd: float


class _Processor:
    """So many cores: who works waits until one is free."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._free = [0.0] * number

    def work(self, seconds: float) -> None:
        begins = max(self._stage.seconds, heapq.heappop(self._free))
        heapq.heappush(self._free, begins + seconds)
        self._stage.sleep(begins + seconds - self._stage.seconds)


def by_pool(name: str, fleet: Fleet, cores: int, model: str) -> Rival:
    """Play c7n-org's way: four workers a core, no cell cut in rounds, nothing asked afterwards.

    Its cells are those of the same model, so the chores' own pace and work, on whole cores.
    """
    stage, chore, sizes = Stage(), CHORES[model], fleet.sizes()
    pool, workers = _Processor(stage, cores), WORKERS_PER_CORE * cores

    def play(items: int) -> None:
        (one,) = rounds_of(chore, items, Place(1.0, _FOREVER))
        begun = stage.seconds
        pool.work(one.cpu_seconds)
        stage.sleep(max(0.0, one.seconds - (stage.seconds - begun)))

    cells = [lambda items=items: play(items) for items in sizes]
    stage.run(lambda: stage.gather(cells, workers))
    each = [rounds_of(chore, items, Place(1.0, _FOREVER))[0] for items in sizes]
    work, cpu = (sum(getattr(one, name) for one in each) for name in ("seconds", "cpu_seconds"))
    longest = max(one.seconds for one in each)
    least = max(cpu / cores, work / workers, longest)
    usd = price_of_machine(cores, stage.seconds)
    return Rival(name, len(sizes), workers, stage.seconds, least, usd, usd)


def by_queue(name: str, fleet: Fleet, concurrency: int, model: str) -> Rival:
    """Work out what a queue would take: no more at once than its pollers, which grow by time.

    A cell that is not done in one run is a message again; nothing here waits for the last one.
    """
    place, chore, sizes = Place(SHARE_OF_A_CORE), CHORES[model], fleet.sizes()
    cells = [rounds_of(chore, items, place) for items in sizes]
    work = sum(one.seconds for rounds in cells for one in rounds)
    runs = sum(map(len, cells))
    longest = max(sum(one.seconds for one in rounds) for rounds in cells)
    seconds = max(_drained(work, concurrency), longest)
    requests = price_of_queue(runs / _BATCH + 2 * runs)
    lambdas = price_of_lambda(runs, work * CELL_GIB)
    least = max(work / concurrency, longest)
    return Rival(name, len(sizes), concurrency, seconds, least, requests + lambdas, requests)


def _drained(work: float, concurrency: int) -> float:
    """Return when so much work is done by pollers that begin as five and grow."""
    grows = (concurrency - _POLLERS) / _MORE_A_SECOND
    done = grows * (_POLLERS + concurrency) / 2
    if done < work:
        return grows + (work - done) / concurrency
    # 5 t + 5 t² / 2 = work
    root = sqrt(_POLLERS**2 + 2 * _MORE_A_SECOND * work)
    return (root - _POLLERS) / _MORE_A_SECOND


def compare(fleet: Fleet) -> tuple[Table, list[dict[str, Any]]]:
    """Play, or work out, by other engines: all cells alike, and with one hot cell at the end."""
    hot = replace(fleet, hot=min(_HOT, fleet.items // 2))
    fleets = (("alike", fleet, "snapshot"), ("hot cell", hot, "snapshot singly"))
    rivals = []
    for name, each, model in fleets:
        rivals += [by_pool(f"{name}, pool, {n} cores", each, n, model) for n in _CORES]
        rivals += [by_queue(f"{name}, queue, on paper", each, n, model) for n in _AT_ONCE]
    head = ("way", "cells", "at once", "s", "limit", "s / limit", "engine USD", "USD")
    rows = [_row(each) for each in rivals]
    return Table("the same cells by other engines", head, rows), [asdict(each) for each in rivals]


def _row(rival: Rival) -> tuple[str, ...]:
    return (
        rival.name,
        str(rival.cells),
        str(rival.at_once),
        f"{rival.seconds:.0f}",
        f"{rival.least:.0f}",
        ratio(rival.seconds, rival.least),
        f"{rival.engine_usd:.3f}",
        f"{rival.usd:.3f}",
    )
