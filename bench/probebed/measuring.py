"""What a program that probes is given and prints, and how it measures itself."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.probebed.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOK_UP_SECONDS: Final = 0.015
"""How long a resolver takes."""
BUNDLE: Final = "CARETAKER_BENCH_BUNDLE"
"""The variable that tells a handler which authorities to trust."""
PAST: Final = "CARETAKER_BENCH_PAST"
"""The variable that tells it to write a long past, where it is not empty."""
_KIB_PER_MIB: Final = 1024
_TICKS: Final = os.sysconf("SC_CLK_TCK")
SELF: Final = "self"


@dataclass(frozen=True, slots=True)
class Task:
    """Hosts to probe, so many at a time; `exporter` is where that listens, if it is asked.

    `works` is the process that is measured, as /proc calls it.
    """

    hosts: Sequence[Host]
    at_once: int
    bundle: str
    exporter: str = ""
    works: str = SELF

    def as_json(self) -> str:
        """Return it for a program's input."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a prober says of a host: the fault, empty if it is well, and its milliseconds."""

    said: str
    first_byte_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What probing them all took; answers are in the order of the hosts."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    answers: Sequence[Answer] = field(default_factory=list)


def read_result(text: str) -> Result:
    """Read what a program printed."""
    said = json.loads(text)
    return Result(**{**said, "answers": [Answer(**each) for each in said["answers"]]})


def play(probe_all: Callable[[Task], Sequence[Answer]]) -> None:
    """Probe them all twice and print the second: a process runs every minute, not once."""
    given = json.load(sys.stdin)
    task = Task(**{**given, "hosts": [Host(**each) for each in given["hosts"]]})
    probe_all(task)
    wall, busy = time.perf_counter(), _cpu_seconds(task.works)
    answers = probe_all(task)
    wall, busy = time.perf_counter() - wall, _cpu_seconds(task.works) - busy
    print(json.dumps(asdict(Result(wall, busy, _peak_mib(task.works), answers))))


def _cpu_seconds(process: str) -> float:
    """Return what a process has used since it started."""
    if process == SELF:
        return time.process_time()
    after_name = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def _peak_mib(process: str) -> float:
    """Return the peak of a process's resident memory."""
    lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / _KIB_PER_MIB
