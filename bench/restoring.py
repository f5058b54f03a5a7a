"""A fleet brought back: beside what the buckets make the fewest calls wait, and a plain script.

Time is played (`bench.stage`): the handlers, the machine and the bed are as they are, and what this
machine's cores do meanwhile does not matter.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.bed import Bed, State
from bench.ec2bed.buckets import limits
from bench.ec2bed.options import Options
from bench.lambdas import environment
from bench.prices import RESTORE_GIB, price_of_restore
from bench.processes import measure
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.processes import Measured

PER_INSTANCE: Final = 3
_NEEDED: Final = ("CreateVolume", "DetachVolume", "AttachVolume")
"""Of which EC2 takes one volume a call; all else could be asked for many at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a fleet is brought back: at which pace, so many in a wave, and at the same time.

    `concurrency` is the default of the template's `RestoreConcurrency`.
    """

    name: str
    instances: int
    pace: float = 1.0
    wave: int = 100
    concurrency: int = 300
    check_minutes: int = 10
    by_script: bool = False

    @property
    def event(self) -> dict[str, Any]:
        """Return the event, to which mode and approval are still to come."""
        return {
            "policy": "daily",
            "select": {"everything": True},
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "how": "swap",
            "wave": self.wave,
            "check_minutes": self.check_minutes,
            "pace": self.pace,
        }

    @property
    def fleet(self) -> Options:
        """Return the account: every volume with a backup of last night."""
        volumes = PER_INSTANCE * self.instances
        return Options(
            volumes=volumes,
            volumes_per_instance=PER_INSTANCE,
            unattached=0,
            snapshots=volumes,
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """One way, how it went, and what came of it; a script's `figures` have its seconds alone."""

    way: Way
    measured: Measured
    figures: dict[str, Any]
    state: State

    @property
    def seconds(self) -> float:
        """Return the time from the start of the execution to its end."""
        return float(self.figures["seconds"])

    @property
    def needed(self) -> tuple[float, str]:
        """Return what buckets make the fewest calls wait, and which action's it is."""
        volumes = PER_INSTANCE * self.way.instances
        return max((self._wait(name, volumes), name) for name in _NEEDED)

    @property
    def made(self) -> tuple[float, str]:
        """Return what the calls that were made had to wait for their bucket, at this pace."""
        ec2 = ((name, n) for name, n in self.state.calls.items() if ":" not in name)
        return max((self._wait(name, calls), name) for name, calls in ec2)

    @property
    def gib_seconds(self) -> float:
        """Return what Lambda bills."""
        return float(self.figures.get("billed_ms", 0)) / 1000 * RESTORE_GIB

    @property
    def asleep(self) -> float:
        """Return which part of that workers waited for their turn in a bucket."""
        billed = self.figures.get("billed_ms", 0) / 1000
        return self.figures["slept_seconds"] / billed if billed else 0.0

    @property
    def usd(self) -> float:
        """Return the price of it all, but for the volumes."""
        return (
            price_of_restore(self.figures, self.state.calls) if "billed_ms" in self.figures else 0
        )

    def _wait(self, name: str, calls: int) -> float:
        burst, refill = limits(name)
        return max(0.0, (calls - burst * self.way.pace) / (refill * self.way.pace))

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "way": asdict(self.way),
            "measured": asdict(self.measured),
            "figures": self.figures,
            "state": asdict(self.state),
            "needed": self.needed,
            "made": self.made,
            "usd": self.usd,
        }


def compare(instances: int, rounds: int) -> tuple[Table, list[Trial]]:
    """Bring a fleet back in several ways; latencies differ from round to round.

    One alone is the first row: what it takes no pace and no number of workers makes shorter.
    """
    whole = Way(f"{instances}, one wave", instances, wave=instances)
    ways = [
        Way("one alone", 1),
        whole,
        replace(whole, name=f"{whole.name}, pace 0.5", pace=0.5),
        replace(whole, name=f"{instances}, waves of 100", wave=100),
        replace(whole, name=f"{instances}, waves of 10, pace 0.5", wave=10, pace=0.5),
        Way("a script, one by one", 2, by_script=True),
    ]
    trials = [try_one(way, seed) for seed in range(rounds) for way in ways]
    return table_of(trials), trials


def try_one(way: Way, seed: int = 0) -> Trial:
    """Bring one fleet back."""
    options = replace(way.fleet, seed=way.fleet.seed + seed)
    given = {**asdict(way), "event": way.event, "options": asdict(options)}
    with TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        command = [sys.executable, "-m", "bench.restore_round", str(answer)]
        around = {**Bed("http://127.0.0.1:1").environment(), **environment("restore")}
        measured = measure(command, around, json.dumps(given))
        figures = json.loads(answer.read_text(encoding="utf-8"))
    return Trial(way, measured, figures, State(**_counted(figures.pop("state"))))


def _counted(state: dict[str, Any]) -> dict[str, Any]:
    return {name: state[name] for name in ("world", "calls", "refused", "failed")}


def table_of(trials: Sequence[Trial]) -> Table:
    """Return a row for each way: medians, where it was gone more than once."""
    head = (
        "way", "volumes", "s", "wait s", "of", "s / wait", "(s - alone) / wait", "restored",
        "refused", "looks", "steps", "at once", "GB-s", "asleep", "transitions", "USD", "CPU s",
    )  # fmt: skip
    ways = list(dict.fromkeys(each.way for each in trials))
    alone = _median(each.seconds for each in trials if each.way == ways[0])
    rows = [_row([each for each in trials if each.way == way], alone) for way in ways]
    return Table(f"{PER_INSTANCE} volumes to an instance, status checks waited for", head, rows)


def _row(trials: Sequence[Trial], alone: float) -> tuple[str, ...]:
    one = trials[0]
    seconds = _median(each.seconds for each in trials)
    wait, scarce = one.needed
    looks = _median(each.state.calls["DescribeInstances"] for each in trials)
    return (
        one.way.name,
        str(PER_INSTANCE * one.way.instances),
        f"{seconds:.0f}",
        f"{wait:.0f}",
        scarce if wait else "-",
        ratio(seconds, wait),
        ratio(seconds - alone, wait),
        str(min(each.state.world["restored"] for each in trials)),
        f"{_median(sum(each.state.refused.values()) for each in trials):g}",
        f"{looks / one.way.instances:.1f}",
        f"{_median(each.figures.get('invocations', 0) for each in trials):g}",
        f"{_median(each.figures.get('most_running', 0) for each in trials):g}",
        f"{_median(each.gib_seconds for each in trials):.0f}",
        f"{_median(each.asleep for each in trials):.0%}",
        f"{_median(each.figures.get('transitions', 0) for each in trials):g}",
        f"{_median(each.usd for each in trials):.3f}",
        f"{_median(each.measured.cpu_seconds for each in trials):.0f}",
    )


def _median(figures: Iterable[float]) -> float:
    return statistics.median(list(figures))
