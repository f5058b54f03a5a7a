"""Peak memory of one invocation: a large fleet, and a long history of snapshots."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.bed import running_bed
from bench.ec2bed.options import Options
from bench.lambdas import Function
from bench.tables import Table

if TYPE_CHECKING:
    from bench.processes import Measured

GOALS_MIB = {"fleet": 100, "history": 256}


def measure_memory(volumes: int, snapshots: int) -> tuple[Table, list[dict[str, Any]]]:
    """Run over a fleet without history, and over a small one with a long history.

    The history is read in report mode: taking snapshots adds nothing to it.
    """
    fleet = Options(volumes=volumes, latency=False, throttled=False)
    history = Options(volumes=volumes, snapshots=snapshots, latency=False, throttled=False)
    runs = [
        ("nothing to do", Options(latency=False), "report", None),
        (f"{volumes} volumes, in sets", fleet, "act", GOALS_MIB["fleet"]),
        (f"{snapshots} snapshots of {volumes} volumes", history, "report", GOALS_MIB["history"]),
    ]
    measured = [(name, _one(options, mode), options, goal) for name, options, mode, goal in runs]
    rows = [
        (
            name,
            f"{m.peak_mib:.0f}",
            f"{m.peak_mib / goal:.2f}" if goal else "-",
            f"{m.cpu_seconds:.1f}",
        )
        for name, m, _, goal in measured
    ]
    table = Table("memory of one invocation", ("run", "peak MiB", "/ goal", "CPU s"), rows)
    return table, [
        {"run": name, "measured": asdict(m), "options": asdict(options), "goal_mib": goal}
        for name, m, options, goal in measured
    ]


def _one(options: Options, mode: str) -> Measured:
    with running_bed() as bed:
        bed.reset(options)
        event = {"mode": mode, "scheduled_time": "2026-11-21T03:00:00Z", "pace": 1.0}
        return Function("snapshot").invoke(bed, event)[0]
