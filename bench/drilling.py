"""Backups drilled by their blocks, and by volumes: time, calls, and price a snapshot."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.ec2bed.buckets import limits
from bench.ec2bed.options import Options
from bench.lambdas import Function
from bench.prices import (
    DRILL_GIB,
    price_of_blocks,
    price_of_lambda,
    price_of_state,
    price_of_volumes,
)
from bench.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.bed import State
    from bench.lambdas import Run

_CORES: Final = 512 / 1769
"""What Lambda gives a function of 512 MB.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""
_SCARCE: Final = ("CreateVolume", "GetSnapshotBlock", "ListSnapshotBlocks")
_LIVES_SECONDS: Final = 10
"""About what a volume is there for: made, looked at, deleted."""
_BY_BLOCKS: Final = "blocks"


@dataclass(frozen=True, slots=True)
class Drill:
    """So many snapshots of volumes of one size, all of them drilled."""

    name: str
    snapshots: int
    gib: int
    how: str = _BY_BLOCKS
    pace: float = 0.5

    @property
    def event(self) -> dict[str, Any]:
        """Return the event."""
        return {
            "policy": "daily",
            "scheduled_time": time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime()),
            "how": self.how,
            "sample": {"everything": True},
            "pace": self.pace,
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """One drill on one bed."""

    drill: Drill
    run: Run
    state: State

    @property
    def wait_seconds(self) -> float:
        """Return what the buckets make the calls wait at this pace."""
        pace, calls = self.drill.pace, self.state.calls
        waits = (
            (calls.get(name, 0) - burst * pace) / (refill * pace)
            for name in _SCARCE
            for burst, refill in [limits(name)]
        )
        return max(0.0, *waits)

    @property
    def lambda_seconds(self) -> float:
        """Return what it takes at least with the share of a core that the function has there."""
        measured = self.run.measured
        return max(measured.wall_seconds, measured.cpu_seconds / _CORES)

    @property
    def ebs_usd(self) -> float:
        """Return what EBS bills."""
        drill = self.drill
        if drill.how == _BY_BLOCKS:
            return price_of_blocks(self.state.calls)
        return price_of_volumes(drill.snapshots, drill.gib, _LIVES_SECONDS)

    @property
    def other_usd(self) -> float:
        """Return what Lambda, the state table and the reports cost."""
        gib_seconds = self.lambda_seconds * DRILL_GIB
        return price_of_lambda(self.run.rounds, gib_seconds) + price_of_state(self.state.calls)

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "drill": asdict(self.drill),
            "run": asdict(self.run),
            "state": asdict(self.state),
            "wait_seconds": self.wait_seconds,
            "lambda_seconds": self.lambda_seconds,
            "ebs_usd": self.ebs_usd,
            "other_usd": self.other_usd,
        }


def compare(snapshots: int, small_gib: int, large_gib: int) -> tuple[Table, list[Trial]]:
    """Drill one after the other: reading blocks is mostly the processor's work."""
    drills = (
        Drill(f"{snapshots} of {small_gib} GiB, blocks", snapshots, small_gib),
        Drill(f"{snapshots} of {small_gib} GiB, blocks, pace 1", snapshots, small_gib, pace=1.0),
        Drill(f"{snapshots // 10} of {large_gib} GiB, blocks", snapshots // 10, large_gib),
        Drill(f"{snapshots} of {small_gib} GiB, volume", snapshots, small_gib, "volume"),
    )
    trials = [_try_one(each) for each in drills]
    return table_of(trials), trials


def _try_one(drill: Drill) -> Trial:
    options = Options(
        volumes=drill.snapshots,
        volumes_per_instance=2,
        unattached=0,
        snapshots=drill.snapshots,
        gib=drill.gib,
    )
    with running_bed() as bed:
        bed.reset(options)
        return Trial(drill, Function("drill").run(bed, drill.event), bed.state())


def table_of(trials: Iterable[Trial]) -> Table:
    """Return a row for each."""
    head = (
        "drill", "proven", "wall s", "wait s", "runs", "calls", "lists", "refused", "CPU s",
        "ms each", "Lambda s", "MiB", "EBS USD / 1000", "other USD",
    )  # fmt: skip
    return Table("every backup drilled", head, [_row(each) for each in trials])


def _row(trial: Trial) -> Sequence[str]:
    number, measured, calls = trial.drill.snapshots, trial.run.measured, trial.state.calls
    of_ebs = sum(calls.get(name, 0) for name in (*_SCARCE, "DeleteVolume"))
    return (
        trial.drill.name,
        str(trial.run.claimed),
        f"{measured.wall_seconds:.0f}",
        f"{trial.wait_seconds:.0f}",
        str(trial.run.rounds),
        str(of_ebs),
        str(calls.get("ListSnapshotBlocks", 0)),
        str(sum(trial.state.refused.values())),
        f"{measured.cpu_seconds:.0f}",
        f"{measured.cpu_seconds / number * 1000:.0f}",
        f"{trial.lambda_seconds:.0f}",
        f"{measured.peak_mib:.0f}",
        f"{trial.ebs_usd / number * 1000:.3f}",
        f"{trial.other_usd / number * 1000:.3f}",
    )
