"""A large account judged by tag rules: whole runs and their memory, and the pure decision alone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT, running_bed
from bench.ec2bed.options import Options
from bench.ec2bed.tagging import COST_CENTRE, COST_CENTRES
from bench.lambdas import Function, environment
from bench.tables import Table

if TYPE_CHECKING:
    from bench.processes import Measured

GOAL_MIB: Final = 256
RULES: Final[dict[str, dict[str, object]]] = {
    COST_CENTRE: {
        "values": list(COST_CENTRES),
        "from": ["instance", "volume", "subnet"],
        "default": COST_CENTRES[0],
    },
    "Owner": {"pattern": "team-[0-9]{1,3}"},
    "Environment": {"values": ["prod", "stage", "test"]},
}
"""Three keys for everything: one is set where it is missing, two are only reported."""
_DECIDING_ROUNDS: Final = 5


def account(resources: int, violations: float) -> Options:
    """Return an account: half snapshots, three volumes an instance, the rest images and networks.

    Resources are counted without VPCs and subnets.
    """
    volumes, rest = resources * 3 // 10, resources // 10
    return Options(
        volumes=volumes,
        volumes_per_instance=3,
        unattached=0,
        snapshots=resources // 2,
        images=rest * 15 // 100,
        security_groups=rest * 20 // 100,
        addresses=rest * 5 // 100,
        interfaces=rest * 60 // 100,
        groups=min(20, rest * 15 // 100),
        tagging="mixed",
        violations=violations,
        latency=False,
        throttled=False,
    )


def measure_judging(resources: int) -> tuple[Table, dict[str, Any]]:
    """Judge the account with few and with only violations, in report mode and in act mode."""
    few, all_wrong = account(resources, 0.05), account(resources, 1.0)
    runs = [
        ("5 % violate, report", few, "report"),
        ("all violate, report", all_wrong, "report"),
        ("all violate, act", all_wrong, "act"),
    ]
    measured = [(name, options, *_judge(options, mode)) for name, options, mode in runs]
    decided = {name: _decide(resources, share) for name, share in (("5 %", 0.05), ("all", 1.0))}
    rows = [
        *(_run_row(name, took) for name, _, took, _ in measured),
        *(_decided_row(name, one) for name, one in decided.items()),
    ]
    head = ("run", "wall s", "CPU s", "peak MiB", "/ goal")
    table = Table(f"{resources} resources judged by {len(RULES)} rules", head, rows)
    content = {
        "runs": [
            {"run": name, "options": asdict(options), "measured": asdict(took), "counts": counts}
            for name, options, took, counts in measured
        ],
        "decided": decided,
    }
    return table, content


def _judge(options: Options, mode: str) -> tuple[Measured, Any]:
    event = {"mode": mode, "scheduled_time": "2026-11-21T06:00:00Z", "rules": RULES, "pace": 1.0}
    with running_bed() as bed:
        bed.reset(options)
        measured, answer = Function("tagging").invoke(bed, event)
        return measured, {"counts": answer["counts"], "state": asdict(bed.state())}


def _decide(resources: int, violations: float) -> dict[str, Any]:
    sizes = [str(resources), str(violations), str(_DECIDING_ROUNDS)]
    command = [sys.executable, "-m", "bench.decide_tagging", *sizes]
    said = subprocess.run(
        command, cwd=ROOT, env=environment("tagging"), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def _run_row(name: str, took: Measured) -> tuple[str, ...]:
    return (
        name,
        f"{took.wall_seconds:.1f}",
        f"{took.cpu_seconds:.1f}",
        f"{took.peak_mib:.0f}",
        f"{took.peak_mib / GOAL_MIB:.2f}",
    )


def _decided_row(name: str, decided: dict[str, Any]) -> tuple[str, ...]:
    wall, busy = (statistics.median(decided[key]) for key in ("seconds", "cpu_seconds"))
    more = decided["peak_mib"] - decided["before_mib"]
    return f"the decision alone, {name}", f"{wall:.1f}", f"{busy:.1f}", f"+{more:.0f}", "-"
