"""Snapshots of a fleet: against the buckets' own wait, the least calls, and Cloud Custodian."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.contenders import Adaptive, Caretaker, Custodian, custodian_python
from bench.ec2bed.buckets import limits
from bench.ec2bed.options import Options
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.bed import State
    from bench.contenders import Contender
    from bench.lambdas import Run

GRACE_SECONDS: Final = 3.0
"""What starting, listing and reporting may take beside the buckets' wait."""
SETS: Final = Caretaker("Caretaker, in sets", "instance")
SINGLES: Final = Caretaker("Caretaker, singly", "volume")
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender on one bed."""

    contender: Contender
    options: Options
    run: Run
    state: State

    @property
    def wait_seconds(self) -> float:
        """Return what the buckets alone make the fewest creating calls wait."""
        share = 1 - self.options.share
        return max(
            max(0.0, (calls - burst * share) / (refill * share))
            for name, calls in self._creating_calls().items()
            for burst, refill in [limits(name)]
        )

    @property
    def fewest_calls(self) -> int:
        """Return the fewest calls: the creating ones, and one listing of the volumes."""
        return ceil(self.options.volumes / _PAGE) + sum(self._creating_calls().values())

    def _creating_calls(self) -> dict[str, int]:
        volumes, options = self.options.volumes, self.options
        if getattr(self.contender, "consistency", "volume") == "volume":
            return {"CreateSnapshot": volumes}
        loose = round(volumes * options.unattached)
        sets = ceil((volumes - loose) / options.volumes_per_instance)
        return {"CreateSnapshots": sets, "CreateSnapshot": loose}

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "contender": self.contender.name,
            "options": asdict(self.options),
            "run": asdict(self.run),
            "state": asdict(self.state),
            "wait_seconds": self.wait_seconds,
            "fewest_calls": self.fewest_calls,
        }


def try_one(contender: Contender, options: Options) -> Trial:
    """Run one contender on a bed of its own."""
    with running_bed() as bed:
        bed.reset(options)
        run = contender.run(bed)
        return Trial(contender, options, run, bed.state())


def try_all(trials: Iterable[tuple[Contender, Options]]) -> list[Trial]:
    """Run all at the same time, each on a bed of its own: all of them mostly wait."""
    started = list(trials)
    with ThreadPoolExecutor(len(started)) as pool:
        return [trial.result() for trial in [pool.submit(try_one, *each) for each in started]]


def compare(volumes: int, *, adaptive: bool = True) -> tuple[Table, list[Trial]]:
    """Put Caretaker beside its peers on a quiet account."""
    contenders = _contenders()
    if adaptive:
        contenders += [Adaptive("adaptive, in sets"), Adaptive("adaptive, singly", "volume")]
    options = Options(volumes=volumes)
    trials = try_all((contender, options) for contender in contenders)
    return _table(f"{volumes} volumes, the account to itself", trials), trials


def with_faults(volumes: int) -> tuple[Table, list[Trial]]:
    """See what is lost while others eat half the buckets, volumes vanish and calls fail."""
    shared = Options(volumes=volumes, share=0.5)
    broken = Options(volumes=volumes, gone=4, error_rate=0.01)
    trials = try_all((each, faults) for faults in (shared, broken) for each in _contenders())
    return _table(f"{volumes} volumes, with faults", trials), trials


def in_rounds(volumes: int, timeout_seconds: float) -> tuple[Table, list[Trial]]:
    """See that a run which does not fit into one invocation stops in time and goes on."""
    short = Caretaker(f"singly, timeout {timeout_seconds:g} s", "volume", timeout_seconds)
    trials = [try_one(short, Options(volumes=volumes))]
    return _table(f"{volumes} volumes, more than one invocation can take", trials), trials


def _contenders() -> list[Contender]:
    return [SETS, SINGLES, *([Custodian()] if custodian_python() else [])]


def _table(title: str, trials: Sequence[Trial]) -> Table:
    peers = {
        trial.options: trial.run.measured.wall_seconds
        for trial in trials
        if isinstance(trial.contender, Custodian)
    }
    head = (
        "contender", "fault", "wall s", "wait s", "(wall - 3 s) / wait", "/ Custodian", "calls",
        "/ fewest", "refused", "rounds", "done", "doubled", "claimed", "CPU s", "MiB",
    )  # fmt: skip
    return Table(title, head, [_row(trial, peers.get(trial.options)) for trial in trials])


def _row(trial: Trial, peer_seconds: float | None) -> tuple[str, ...]:
    measured, world = trial.run.measured, trial.state.world
    wall, calls = measured.wall_seconds, trial.state.ec2_calls()
    return (
        trial.contender.name,
        _fault(trial.options),
        f"{wall:.1f}",
        f"{trial.wait_seconds:.0f}",
        ratio(wall - GRACE_SECONDS, trial.wait_seconds),
        ratio(wall, peer_seconds or 0),
        str(calls),
        ratio(calls, trial.fewest_calls, 3),
        str(sum(trial.state.refused.values())),
        str(trial.run.rounds),
        f"{world['done']}/{world['volumes']}",
        str(world["doubled"]),
        "-" if trial.run.claimed is None else str(trial.run.claimed),
        f"{measured.cpu_seconds:.1f}",
        f"{measured.peak_mib:.0f}",
    )


def _fault(options: Options) -> str:
    faults = {
        f"share {options.share:g}": options.share,
        f"{options.gone} gone": options.gone,
        f"{options.error_rate:.0%} errors": options.error_rate,
    }
    return ", ".join(name for name, value in faults.items() if value) or "-"
