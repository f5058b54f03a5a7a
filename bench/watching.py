"""The memory of one run over a large fleet, and the pure decision on it alone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT, running_bed
from bench.contenders import watching_event
from bench.instances import CHORE, fleet
from bench.lambdas import Function, environment
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from bench.processes import Measured

_DECIDING_ROUNDS: Final = 7
_IMPAIRED_ONE_IN: Final = 50
_MICROSECONDS: Final = 1e6


def measure_memory(few: int, many: int, rounds: int) -> tuple[Table, dict[str, Any]]:
    """Watch fleets of all sizes in turn, quiet and with impaired instances, without any wait."""
    fleets = {
        "none": fleet(0, latency=False, throttled=False),
        f"{few}, healthy": fleet(few, latency=False, throttled=False),
        f"{few}, 1 in {_IMPAIRED_ONE_IN} impaired": fleet(
            few, impaired=few // _IMPAIRED_ONE_IN, latency=False, throttled=False
        ),
        f"{many}, healthy": fleet(many, latency=False, throttled=False),
    }
    taken: dict[str, list[Measured]] = {name: [] for name in fleets}
    for _ in range(rounds):
        for name, options in fleets.items():
            with running_bed() as bed:
                bed.reset(options)
                taken[name].append(Function(CHORE).invoke(bed, watching_event())[0])
    rows = []
    least = statistics.median(each.peak_mib for each in taken["none"])
    for name, runs in taken.items():
        wall, busy, peak = (
            statistics.median(getattr(each, figure) for each in runs)
            for figure in ("wall_seconds", "cpu_seconds", "peak_mib")
        )
        rows.append((name, f"{wall:.2f}", f"{busy:.2f}", f"{peak:.0f}", f"+{peak - least:.0f}"))
    head = ("instances", "wall s", "CPU s", "peak MiB", "more than none")
    table = Table(f"one run without latency, medians of {rounds} rounds", head, rows)
    return table, {name: [asdict(each) for each in runs] for name, runs in taken.items()}


def measure_deciding(few: int, many: int) -> tuple[Table, list[dict[str, Any]]]:
    """Decide on two sizes of a fleet, each with and without impaired instances."""
    sizes = [
        (n, n // share if share else 0) for share in (0, _IMPAIRED_ONE_IN) for n in (few, many)
    ]
    decided = [_decide(*size) for size in sizes]
    each = {
        (one["instances"], one["impaired"]): statistics.median(one["cpu_seconds"])
        / one["instances"]
        for one in decided
    }
    rows = [
        (
            f"{one['instances']}, {one['impaired']} impaired",
            f"{statistics.median(one['seconds']) * 1000:.1f}",
            f"{statistics.median(one['cpu_seconds']) * 1000:.1f}",
            f"{each[one['instances'], one['impaired']] * _MICROSECONDS:.2f}",
            ratio(
                each[one["instances"], one["impaired"]],
                each[few, one["impaired"] * few // one["instances"]],
            ),
            f"+{one['peak_mib'] - one['before_mib']:.0f}",
        )
        for one in decided
    ]
    head = ("decision on", "wall ms", "CPU ms", "CPU µs each", f"each / each of {few}", "MiB")
    title = f"the decision alone, medians of {_DECIDING_ROUNDS} rounds"
    return Table(title, head, rows), decided


def _decide(instances: int, impaired: int) -> dict[str, Any]:
    sizes = [str(instances), str(impaired), str(_DECIDING_ROUNDS)]
    command = [sys.executable, "-m", "bench.decide_instances", *sizes]
    said = subprocess.run(
        command, cwd=ROOT, env=environment(CHORE), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer
