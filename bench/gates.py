"""A long history through the gates: a whole run that only reports, and the pure decision alone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import asdict
from typing import Any, Final

from bench.bed import ROOT, running_bed
from bench.contenders import retention_event
from bench.decide import KEEP
from bench.ec2bed.options import Options
from bench.lambdas import Function, environment
from bench.tables import Table

GOAL_MIB: Final = 256
_DECIDING_ROUNDS: Final = 5


def measure_gates(snapshots: int, volumes: int) -> tuple[Table, dict[str, Any]]:
    """Judge a history in report mode, beside AWS's buckets and latency, and without any of it."""
    options = Options(volumes=volumes, snapshots=snapshots, images=200, groups=20)
    with running_bed() as bed:
        bed.reset(options)
        event = retention_event(keep=KEEP, pace=0.5, mode="report")
        whole, answer = Function("retention").invoke(bed, event)
        state = bed.state()
    decided = _decide(snapshots, volumes)
    wall, busy = (statistics.median(decided[name]) for name in ("seconds", "cpu_seconds"))
    rows = [
        (
            "whole run, report",
            f"{whole.wall_seconds:.1f}",
            f"{whole.cpu_seconds:.1f}",
            f"{whole.peak_mib:.0f}",
            f"{whole.peak_mib / GOAL_MIB:.2f}",
        ),
        (
            "the decision alone",
            f"{wall:.1f}",
            f"{busy:.1f}",
            f"+{decided['peak_mib'] - decided['before_mib']:.0f}",
            "-",
        ),
    ]
    head = ("run", "wall s", "CPU s", "peak MiB", "/ goal")
    table = Table(f"{snapshots} snapshots of {volumes} volumes through the gates", head, rows)
    content = {
        "options": asdict(options),
        "whole": asdict(whole),
        "counts": answer["counts"],
        "state": asdict(state),
        "decided": decided,
    }
    return table, content


def _decide(snapshots: int, volumes: int) -> dict[str, Any]:
    sizes = [str(snapshots), str(volumes), str(_DECIDING_ROUNDS)]
    command = [sys.executable, "-m", "bench.decide", *sizes]
    said = subprocess.run(
        command, cwd=ROOT, env=environment("retention"), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer
