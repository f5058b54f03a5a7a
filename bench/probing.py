"""A thousand web servers probed: Caretaker beside bare pycurl and blackbox_exporter; whole runs."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.ec2bed.options import Options
from bench.probebed.farm import running_farm
from bench.probebed.hosts import hosts_of
from bench.probebed.invocation import invoke, write_targets
from bench.probebed.trial import BARE, FARM, PEER, contenders, try_one
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.probebed.farm import Farm
    from bench.probebed.trial import Trial
    from bench.processes import Measured

CASES: Final = ("plain", "tls", "mixed")
PERCENTILES: Final = (50, 95, 99)
GOALS_MIB: Final = {1000: 80, 10_000: 512}
_USUAL: Final = 50
_HOUR: Final = 3600
_MINUTE: Final = 60


def compare(hosts: int, rounds: int, at_once: Sequence[int]) -> tuple[Table, list[Trial]]:
    """Let each probe the hosts of each case in turn, so that what else goes on meets all alike.

    First the farm itself is looked at: how punctual it is when nothing is in the way.
    """
    with running_farm() as farm:
        most = max(at_once)
        trials = [try_one(FARM, farm, "plain", hosts, most) for _ in range(rounds)]
        trials += [
            try_one(one, farm, case, hosts, number)
            for case in CASES
            for number in at_once
            for _ in range(rounds)
            for one in contenders()
        ]
    head = (
        "case, at once", "contender", "wall s", "/ exporter", "/ bare",
        "CPU s", "CPU / exporter", "CPU / bare", "MiB", "right", "well",
        *(f"p{each} ms" for each in PERCENTILES),
    )  # fmt: skip
    groups: dict[tuple[str, int, str], list[Trial]] = {}
    for each in trials:
        groups.setdefault((each.case, each.at_once, each.contender), []).append(each)
    rows = [_row(group, groups) for group in groups.values()]
    return Table(f"{hosts} hosts probed, medians of {rounds} rounds", head, rows), trials


def _row(
    trials: Sequence[Trial], groups: dict[tuple[str, int, str], list[Trial]]
) -> tuple[str, ...]:
    first = trials[0]
    peers, bare = (groups.get((first.case, first.at_once, who), []) for who in (PEER, BARE))
    wall, busy, peak = (_median(trials, figure) for figure in (_wall, _busy, _peak))
    is_checked = first.contender == FARM
    return (
        f"{first.case}, {first.at_once}",
        first.contender,
        f"{wall:.2f}",
        "-" if is_checked else ratio(wall, _median(peers, _wall)),
        "-" if is_checked else ratio(wall, _median(bare, _wall)),
        f"{busy:.2f}",
        "-" if is_checked else ratio(busy, _median(peers, _busy)),
        "-" if is_checked else ratio(busy, _median(bare, _busy)),
        f"{peak:.0f}",
        f"{min(each.right for each in trials)}",
        f"{min(each.well for each in trials)}",
        *(f"{statistics.median(each.late_ms(p) for each in trials):.1f}" for p in PERCENTILES),
    )


def _median(trials: Sequence[Trial], figure: Callable[[Trial], float]) -> float:
    return statistics.median(map(figure, trials)) if trials else 0.0


def _wall(trial: Trial) -> float:
    return trial.result.wall_seconds


def _busy(trial: Trial) -> float:
    return trial.result.cpu_seconds


def _peak(trial: Trial) -> float:
    return trial.result.peak_mib


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of the handler with AWS's stand-ins: `run` says which."""

    run: str
    targets: int
    case: str
    measured: Measured
    handler_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it for the results file."""
        return asdict(self)


def measure_runs(*sizes: int) -> tuple[Table, list[Invocation]]:
    """Invoke the handler, a process each: with no past, with three months, and as the hour turns.

    Targets are read from an object of S3; stand-ins of AWS answer at once.
    """
    with running_farm() as farm:
        runs = [
            *_runs(farm, 1, "plain"),
            *(
                run
                for size in sizes
                for case in ("plain", "tls")
                for run in _runs(farm, size, case)
            ),
        ]
    rows = [
        (
            f"{each.targets}, {each.case}",
            each.run,
            f"{each.handler_seconds:.1f}",
            f"{each.measured.cpu_seconds:.1f}",
            f"{each.measured.peak_mib:.0f}",
            ratio(each.measured.peak_mib * 1.048576, GOALS_MIB.get(each.targets, 0)),
        )
        for each in runs
    ]
    head = ("targets", "run", "handler s", "CPU s", "peak MiB", "/ goal")
    return Table(f"whole invocations, {_USUAL} at once", head, rows), runs


def _runs(farm: Farm, targets: int, case: str) -> list[Invocation]:
    """Play the first run, one that finds a past, one an hour later, and one a minute later."""
    runs = []
    with running_bed() as bed:
        bed.reset(Options(volumes=0, latency=False, throttled=False))
        write_targets(bed, hosts_of(case, targets, farm.ports))
        for name, ahead, past in (
            ("the first", 0, True),
            ("three months later, on the hour", _HOUR, False),
            ("three months later", _HOUR + _MINUTE, False),
        ):
            took, answer = invoke(bed, farm, ahead_seconds=ahead, past=past, at_once=_USUAL)
            runs.append(Invocation(name, targets, case, took, answer["duration_ms"] / 1000))
    return runs
