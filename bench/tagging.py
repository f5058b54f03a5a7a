"""A fleet gets the tag it lacks: against the fewest calls there can be, and Cloud Custodian."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.contenders import CaretakerTags, CustodianTags, custodian_python
from bench.ec2bed.options import Options
from bench.ec2bed.tagging import COST_CENTRES, ONLY_COST_CENTRES
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.bed import State
    from bench.contenders import Contender
    from bench.lambdas import Run

OURS: Final = CaretakerTags()
PEER: Final = CustodianTags()
COPYING: Final = CustodianTags("Cloud Custodian, copying", copied=True)
_PER_INSTANCE: Final = 2.5
_CREATE: Final = "CreateTags"
_MOST_IDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender on one bed, in one round."""

    contender: Contender
    options: Options
    run: Run
    state: State

    @property
    def calls(self) -> int:
        """Return the CreateTags calls, refused ones too."""
        return self.state.calls.get(_CREATE, 0)

    @property
    def fewest(self) -> int:
        """Return the fewest CreateTags: one for each tag set and 1,000 resources."""
        of_one_set = ceil(self.state.world["to_tag"] / len(COST_CENTRES))
        return len(COST_CENTRES) * ceil(of_one_set / _MOST_IDS)

    @property
    def untagged(self) -> int:
        """Return how many resources that are there did not get the tag they want."""
        return self.state.world["to_tag"] - self.state.world["tagged"]

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "contender": self.contender.name,
            "options": asdict(self.options),
            "run": asdict(self.run),
            "state": asdict(self.state),
            "fewest": self.fewest,
            "untagged": self.untagged,
        }


def fleet(instances: int, **more: Any) -> Options:
    """Return an account of instances with two or three volumes each, all without the tag."""
    return Options(
        volumes=round(instances * _PER_INSTANCE),
        volumes_per_instance=_PER_INSTANCE,
        unattached=0,
        tagging=ONLY_COST_CENTRES,
        **more,
    )


def compare(instances: int, rounds: int, *, copying: bool = True) -> tuple[Table, list[Trial]]:
    """Put Caretaker beside Custodian on a quiet account, with a vanished volume, and shared."""
    quiet, gone = fleet(instances), fleet(instances, gone=1)
    shared = fleet(instances, share=0.5)
    cases: list[tuple[Contender, Options]] = [
        (each, options) for options in (quiet, gone, shared) for each in (OURS, *_peers())
    ]
    # In turn, so that what else the machine does meets all alike, and none meets another's work.
    trials = [_try_one(*case) for _ in range(rounds) for case in cases]
    if copying and custodian_python():  # two minutes, nearly all of it waiting: once is enough
        cases.append((COPYING, quiet))
        trials.append(_try_one(COPYING, quiet))
    title = f"{instances} instances and {quiet.volumes} volumes to tag, medians of {rounds} rounds"
    return _table(title, cases, trials), trials


def _peers() -> list[Contender]:
    return [PEER] if custodian_python() else []


def _try_one(contender: Contender, options: Options) -> Trial:
    with running_bed() as bed:
        bed.reset(options)
        run = contender.run(bed)
        return Trial(contender, options, run, bed.state())


def _table(
    title: str, cases: Sequence[tuple[Contender, Options]], trials: Sequence[Trial]
) -> Table:
    head = (
        "contender", "fault", "wall s", "/ Custodian", "CreateTags", "/ fewest", "refused",
        "all calls", "untagged", "mistagged", "claimed", "CPU s", "MiB",
    )  # fmt: skip
    rows = []
    for contender, options in cases:
        own, peer = (
            [each for each in trials if (each.contender, each.options) == (one, options)]
            for one in (contender, PEER)
        )
        rows.append(_row(own, _median(peer, _wall) if peer else 0))
    return Table(title, head, rows)


def _row(trials: Sequence[Trial], peer_seconds: float) -> tuple[str, ...]:
    """Render the medians; what was left undone is the most of any round."""
    one, wall = trials[0], _median(trials, _wall)
    calls = _median(trials, lambda each: each.calls)
    return (
        one.contender.name,
        _fault(one.options),
        f"{wall:.2f}",
        ratio(wall, peer_seconds),
        f"{calls:g}",
        ratio(calls, one.fewest),
        f"{_median(trials, lambda each: sum(each.state.refused.values())):g}",
        f"{_median(trials, lambda each: each.state.ec2_calls()):g}",
        f"{max(each.untagged for each in trials)}/{one.state.world['to_tag']}",
        str(max(each.state.world["mistagged"] for each in trials)),
        "-"
        if one.run.claimed is None
        else f"{_median(trials, lambda each: each.run.claimed or 0):g}",
        f"{_median(trials, lambda each: each.run.measured.cpu_seconds):.1f}",
        f"{_median(trials, lambda each: each.run.measured.peak_mib):.0f}",
    )


def _wall(trial: Trial) -> float:
    return trial.run.measured.wall_seconds


def _median(trials: Sequence[Trial], figure: Callable[[Trial], float]) -> float:
    return statistics.median(figure(each) for each in trials)


def _fault(options: Options) -> str:
    faults = {f"{options.gone} gone": options.gone, f"share {options.share:g}": options.share}
    return ", ".join(name for name, value in faults.items() if value) or "-"
