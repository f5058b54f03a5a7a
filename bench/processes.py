"""Runs a contender in a process of its own and measures it from outside."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.bed import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KIB_PER_MIB: Final = 1024


class ContenderError(RuntimeError):
    """A contender ended otherwise than well: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of wall time and of CPU, and the peak of resident memory in MiB."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float

    def then(self, other: Measured) -> Measured:
        """Return the figures of both, one after the other."""
        return Measured(
            self.wall_seconds + other.wall_seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_mib, other.peak_mib),
        )


def measure(command: Sequence[str], environment: Mapping[str, str], text: str = "") -> Measured:
    """Run a command with this environment alone; `ContenderError` when it fails."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    # communicate() would reap the process itself, and its figures would be gone.
    with process.stdin as given, process.stderr as errors:  # type: ignore[union-attr]
        given.write(text)
        given.close()
        said = errors.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ContenderError(f"{command[:3]}: exit {process.returncode}\n{said[-2000:]}")
    return Measured(
        time.monotonic() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / _KIB_PER_MIB,
    )
