"""Runs those who probe, each in a process of its own, on one farm."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT
from bench.lambdas import environment
from bench.probebed.exporter import has_exporter, running_exporter
from bench.probebed.hosts import BAD_KINDS, FIRST_BYTE_MS, QUICK_KINDS, hosts_of, right, wrong
from bench.probebed.measuring import Result, Task, read_result
from bench.processes import ContenderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.probebed.farm import Farm
    from bench.probebed.hosts import Host

OURS: Final = "Caretaker"
BARE: Final = "bare pycurl"
PEER: Final = "blackbox_exporter"
FARM: Final = "the farm itself"
_PROGRAMS: Final = {OURS: "ours", BARE: "bare", FARM: "checking"}
_LONGEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender, once over all hosts of a case; an exporter's asking client is not counted."""

    contender: str
    case: str
    at_once: int
    hosts: Sequence[Host]
    result: Result

    @property
    def right(self) -> int:
        """Return how many verdicts are right, the class of a failure included."""
        return right(self.hosts, [each.said for each in self.result.answers])

    @property
    def well(self) -> int:
        """Return how many are rightly called well or not, whatever the class."""
        return sum(
            (host.kind in BAD_KINDS) == bool(each.said)
            for host, each in zip(self.hosts, self.result.answers, strict=True)
        )

    def late_ms(self, percent: int) -> float:
        """Return a percentile of what was measured until the first byte over what it was."""
        late = sorted(
            abs(each.first_byte_ms - FIRST_BYTE_MS)
            for host, each in zip(self.hosts, self.result.answers, strict=True)
            if host.kind in QUICK_KINDS and each.first_byte_ms is not None
        )
        return late[min(len(late) - 1, len(late) * percent // 100)] if late else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the results file."""
        return {
            "contender": self.contender,
            "case": self.case,
            "hosts": len(self.hosts),
            "at_once": self.at_once,
            "wall_seconds": self.result.wall_seconds,
            "cpu_seconds": self.result.cpu_seconds,
            "peak_mib": self.result.peak_mib,
            "right": self.right,
            "well": self.well,
            "wrong": wrong(self.hosts, [each.said for each in self.result.answers]),
            "late_ms": {percent: self.late_ms(percent) for percent in (50, 95, 99)},
        }


def contenders() -> list[str]:
    """Return who is there to be measured."""
    return [OURS, BARE, *([PEER] if has_exporter() else [])]


def try_one(contender: str, farm: Farm, case: str, number: int, at_once: int) -> Trial:
    """Let one of them probe the hosts of a case."""
    hosts = hosts_of(case, number, farm.ports)
    task = Task(hosts, at_once, str(farm.bundle))
    if contender != PEER:
        return Trial(contender, case, at_once, hosts, _play(_PROGRAMS[contender], task))
    with running_exporter(farm.bundle) as exporter:
        asking = replace(task, exporter=exporter.address, works=str(exporter.process_id))
        return Trial(contender, case, at_once, hosts, _play("asking", asking))


def _play(program: str, task: Task) -> Result:
    command = [sys.executable, "-m", f"bench.probebed.{program}"]
    surroundings = {"PATH": os.environ["PATH"], **environment("uptime")}
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings, input=task.as_json(), capture_output=True, text=True,
        timeout=_LONGEST_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ContenderError(f"{program}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return read_result(done.stdout)
