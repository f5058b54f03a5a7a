"""Snapshots that are due go: against the bucket's own wait, and Cloud Custodian."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.contenders import KEPT_DAYS, CaretakerDeletes, CustodianDeletes, custodian_python
from bench.ec2bed.buckets import limits
from bench.ec2bed.options import Options
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.bed import State
    from bench.contenders import Contender
    from bench.lambdas import Run

GRACE_SECONDS: Final = 3.0
"""What starting, listing, judging and reporting may take beside the bucket's wait."""
FULL: Final = CaretakerDeletes("Caretaker, pace 1.0")
USUAL: Final = CaretakerDeletes("Caretaker, pace 0.5", 0.5)
_APART_SECONDS: Final = 4
"""Between two starts, which are all work and no waiting."""
_DUE_DAYS: Final = 10
_DELETE: Final = "DeleteSnapshot"


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender on one bed."""

    contender: Contender
    options: Options
    run: Run
    state: State

    @property
    def wait_seconds(self) -> float:
        """Return what the bucket alone makes the deletions wait, at the contender's pace."""
        left = min(1 - self.options.share, getattr(self.contender, "pace", 1.0))
        burst, refill = limits(_DELETE)
        return max(0.0, (self.state.world["due"] - burst * left) / (refill * left))

    @property
    def refused_share(self) -> float:
        """Return which part of the deleting calls was refused by rate."""
        sent = self.state.calls.get(_DELETE, 0)
        return self.state.refused.get(_DELETE, 0) / sent if sent else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "contender": self.contender.name,
            "options": asdict(self.options),
            "run": asdict(self.run),
            "state": asdict(self.state),
            "wait_seconds": self.wait_seconds,
            "refused_share": self.refused_share,
        }


def fleet(due: int, **more: Any) -> Options:
    """Return an account where ten snapshots of each volume are due and twelve stay."""
    volumes = due // _DUE_DAYS
    snapshots = volumes * (_DUE_DAYS + KEPT_DAYS)
    return Options(volumes=volumes, snapshots=snapshots, due=due, images=20, groups=5, **more)


def compare(due: int, *, usual: bool = True) -> tuple[Table, list[Trial]]:
    """Put Caretaker beside Custodian on a quiet account."""
    contenders = [FULL, *([USUAL] if usual else []), *_peers()]
    trials = _try_all((contender, fleet(due)) for contender in contenders)
    return _table(f"{due} deletions, the account to itself", trials), trials


def with_faults(due: int, few: int) -> tuple[Table, list[Trial]]:
    """See what is left while others eat half the buckets, calls fail, and snapshots are locked."""
    shared = fleet(due, share=0.5)
    broken = fleet(due, error_rate=0.01)
    locked, surprised = fleet(few, locked=4), fleet(few, locked=4, locks_listed=False)
    trials = _try_all(
        [
            (USUAL, shared),
            *(
                (each, options)
                for options in (shared, broken, locked, surprised)
                for each in (FULL, *_peers())
            ),
        ]
    )
    return _table(f"{due} and {few} deletions, with faults", trials), trials


def in_rounds(due: int, timeout_seconds: float) -> tuple[Table, list[Trial]]:
    """See that a run which does not fit into one invocation stops in time and goes on."""
    short = CaretakerDeletes(f"timeout {timeout_seconds:g} s", 1.0, timeout_seconds)
    trials = _try_all([(short, fleet(due))])
    return _table(f"{due} deletions, more than one invocation can make", trials), trials


def _peers() -> list[Contender]:
    return [CustodianDeletes()] if custodian_python() else []


def _try_all(trials: Iterable[tuple[Contender, Options]]) -> list[Trial]:
    """Run all beside each other, each on a bed of its own: once begun, all of them mostly wait."""
    wanted = list(trials)
    with ThreadPoolExecutor(len(wanted)) as pool:
        running = []
        for each in wanted:
            running.append(pool.submit(_try_one, *each))
            time.sleep(_APART_SECONDS)
        return [trial.result() for trial in running]


def _try_one(contender: Contender, options: Options) -> Trial:
    with running_bed() as bed:
        bed.reset(options)
        run = contender.run(bed)
        return Trial(contender, options, run, bed.state())


def _table(title: str, trials: Sequence[Trial]) -> Table:
    peers = {
        trial.options: trial.run.measured.wall_seconds
        for trial in trials
        if isinstance(trial.contender, CustodianDeletes)
    }
    head = (
        "contender", "fault", "wall s", "wait s", "(wall - 3 s) / wait", "/ Custodian", "calls",
        "refused", "% of deletions", "rounds", "deleted", "harmed", "claimed", "CPU s", "MiB",
    )  # fmt: skip
    return Table(title, head, [_row(trial, peers.get(trial.options)) for trial in trials])


def _row(trial: Trial, peer_seconds: float | None) -> tuple[str, ...]:
    measured, world = trial.run.measured, trial.state.world
    wall = measured.wall_seconds
    return (
        trial.contender.name,
        _fault(trial.options),
        f"{wall:.1f}",
        f"{trial.wait_seconds:.0f}",
        ratio(wall - GRACE_SECONDS, trial.wait_seconds),
        ratio(wall, peer_seconds or 0),
        str(trial.state.ec2_calls()),
        str(sum(trial.state.refused.values())),
        f"{trial.refused_share:.1%}",
        str(trial.run.rounds),
        f"{world['deleted']}/{world['due']}",
        str(world["harmed"]),
        "-" if trial.run.claimed is None else str(trial.run.claimed),
        f"{measured.cpu_seconds:.1f}",
        f"{measured.peak_mib:.0f}",
    )


def _fault(options: Options) -> str:
    hidden = "" if options.locks_listed else ", found late"
    faults = {
        f"share {options.share:g}": options.share,
        f"{options.locked} locked{hidden}": options.locked,
        f"{options.error_rate:.0%} errors": options.error_rate,
    }
    return ", ".join(name for name, value in faults.items() if value) or "-"
