"""A fleet watched for a minute, and impaired instances repaired minute by minute."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bench.bed import running_bed
from bench.contenders import (
    CaretakerWatches,
    CaretakerWatchesOn,
    CustodianWatches,
    custodian_python,
    watching_event,
)
from bench.ec2bed.fleet import SERVICE
from bench.ec2bed.options import Options
from bench.lambdas import Function
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.bed import LeftBehind, State
    from bench.contenders import Contender
    from bench.lambdas import Run
    from bench.processes import Measured

OURS: Final = CaretakerWatches()
WARM: Final = CaretakerWatchesOn()
PEER: Final = CustodianWatches()
CHORE: Final = "instance_health"
_PAGE: Final = 1000
_ZONES: Final = 3
_MINUTE: Final = 60
_KIND: Final = "instance_impaired"
_WORLD: Final = (
    "rebooted", "stopped", "restarted", "twice", "failing", "left_stopped", "unallowed",
)  # fmt: skip
_RESULTS: Final = ("deferred", "failed")


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender on one healthy fleet, in one round."""

    contender: Contender
    options: Options
    run: Run
    state: State

    @property
    def judging_calls(self) -> float:
        """Return a run's calls that tell of instances: of EC2, and of CloudWatch if asked."""
        metrics = self.state.calls.get("monitoring:GetMetricStatistics", 0)
        return (self.state.ec2_calls() + metrics) / self.run.rounds

    @property
    def other_calls(self) -> float:
        """Return the other calls of a run: of the state table, of reports, of names."""
        return sum(self.state.calls.values()) / self.run.rounds - self.judging_calls

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "contender": self.contender.name,
            "options": asdict(self.options),
            "run": asdict(self.run),
            "state": asdict(self.state),
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run has written: how many impaired instances its report has and people heard of."""

    decided: int
    reported: int
    told: int
    messages: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """A fleet over some minutes: what each run took and answered, and what came of it."""

    name: str
    options: Options
    measured: list[Measured] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the results file; of the answers what they count."""
        return {
            "name": self.name,
            "options": asdict(self.options),
            "measured": [asdict(each) for each in self.measured],
            "counts": [each["counts"] for each in self.answers],
            "states": [asdict(each) for each in self.states],
            "seen": [asdict(each) for each in self.seen],
        }


def fleet(instances: int, **more: Any) -> Options:
    """Return an account of instances with two volumes each, in three zones."""
    return Options(
        volumes=2 * instances, volumes_per_instance=2, unattached=0, zones=_ZONES, **more
    )


def compare(instances: int, rounds: int) -> tuple[Table, list[Trial]]:
    """Put Caretaker beside Custodian on a fleet of which every instance is well."""
    contenders: list[Contender] = [OURS, WARM, *([PEER] if custodian_python() else [])]
    # In turn, so that what else the machine does meets both alike.
    trials = [_try_one(each, fleet(instances)) for _ in range(rounds) for each in contenders]
    title = f"{instances} healthy instances, medians of {rounds} rounds"
    head = (
        "contender", "wall s", "/ Custodian", "calls", "/ pages", "refused", "calls of others",
        "CPU s", "MiB",
    )  # fmt: skip
    peers = [each for each in trials if each.contender == PEER]
    rows = [
        _row([each for each in trials if each.contender == one], peers, ceil(instances / _PAGE))
        for one in contenders
    ]
    return Table(title, head, rows), trials


def _try_one(contender: Contender, options: Options) -> Trial:
    with running_bed() as bed:
        bed.reset(options)
        return Trial(contender, options, contender.run(bed), bed.state())


def _row(trials: Sequence[Trial], peers: Sequence[Trial], pages: int) -> tuple[str, ...]:
    wall = _median(trials, lambda each: each.run.measured.wall_seconds)
    busy = _median(trials, lambda each: each.run.measured.cpu_seconds)
    peer_wall = _median(peers, lambda each: each.run.measured.wall_seconds) if peers else 0
    calls = _median(trials, lambda each: each.judging_calls)
    return (
        trials[0].contender.name,
        f"{wall:.2f}",
        ratio(wall, peer_wall, 3),
        f"{calls:g}",
        ratio(calls, pages),
        f"{_median(trials, lambda each: sum(each.state.refused.values())):g}",
        f"{_median(trials, lambda each: each.other_calls):g}",
        f"{busy:.2f}",
        f"{_median(trials, lambda each: each.run.measured.peak_mib):.0f}",
    )


def _median(trials: Sequence[Trial], figure: Callable[[Trial], float]) -> float:
    return statistics.median(figure(each) for each in trials)


def repair(instances: int, impaired: int, minutes: int) -> tuple[Table, list[Minutes]]:
    """Play minutes of a fleet with impaired instances: quiet, shared, within budgets, with errors.

    Shared: half of every bucket is used by others. By service: every impaired instance is of one of
    a few services, of which a tenth may be repaired at once. Errors: one call in twenty fails, half
    of them having done their work. The fleet's clock is set forward by a minute between two runs,
    and so is the function's; nothing waits for it.
    """
    shared = fleet(instances, impaired=impaired, share=0.5)
    cases = [
        Minutes("quiet", fleet(instances, impaired=impaired)),
        Minutes("shared", shared),
        Minutes(f"shared, by {SERVICE}", shared),
        Minutes("shared, errors", replace(shared, error_rate=0.05)),
    ]
    for case in cases:
        _play(case, minutes, {"group_by": SERVICE} if SERVICE in case.name else {})
    title = f"{instances} instances, {impaired} of them impaired, {minutes} runs a minute apart"
    head = (
        "fault", "run", "wall s", "CPU s", "calls", "refused", "sent", "decided", "told",
        "at work", "rebooted", "stopped", "started", "twice", "failing", "down", "wrong",
        *_RESULTS,
    )  # fmt: skip
    return Table(title, head, [row for case in cases for row in _minute_rows(case)]), cases


def _play(case: Minutes, minutes: int, more: dict[str, Any]) -> None:
    with running_bed() as bed:
        bed.reset(case.options)
        for number in range(minutes):
            ahead = number * _MINUTE
            event = watching_event(ahead, **more)
            measured, answer = Function(CHORE, ahead_seconds=ahead).invoke(bed, event)
            case.measured.append(measured)
            case.answers.append(answer)
            case.states.append(bed.state())
            _note(case, bed.left_behind())
            bed.advance(_MINUTE)


def _note(case: Minutes, left: LeftBehind) -> None:
    """Note which impaired instances the report decided on, and of which people have heard."""
    targets = {line["target"] for line in left.report if "target" in line}
    heard = {
        document["resource"]
        for document in map(_incident_of, left.items)
        if document.get("told") and document["kind"] == _KIND
    }
    case.seen.append(
        Seen(
            decided=sum(each in targets for each in left.impaired),
            reported=len(targets),
            told=sum(each in heard for each in left.impaired),
            messages=len(left.messages),
        )
    )


def _incident_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of the state table as the incident it holds, open or over, if it is one."""
    if not item["pk"]["S"].startswith(("incidents#", "resolved#")) or "document" not in item:
        return {}
    document: dict[str, Any] = json.loads(item["document"]["S"])
    return document


def _minute_rows(case: Minutes) -> list[tuple[str, ...]]:
    """Render a row for each run after which something was otherwise, and for the last one.

    Calls, refusals and messages sent are those of one run, the rest says how it stands after it.
    """
    rows: list[tuple[str, ...]] = []
    stood: tuple[str, ...] = ()
    calls_before, refused_before, messages_before = 0, 0, 0
    runs = zip(case.measured, case.answers, case.states, case.seen, strict=True)
    for number, (took, answer, state, seen) in enumerate(runs, start=1):
        calls, refused = state.ec2_calls(), sum(state.refused.values())
        results = _results(answer)
        stands = (
            str(seen.decided),
            str(seen.told),
            str(answer["summary"]["under_repair"]),
            *(str(state.world[name]) for name in _WORLD),
            *(str(results.get(name, 0)) for name in _RESULTS),
        )
        row = (
            case.name,
            str(number),
            f"{took.wall_seconds:.2f}",
            f"{took.cpu_seconds:.2f}",
            str(calls - calls_before),
            str(refused - refused_before),
            str(seen.messages - messages_before),
            *stands,
        )
        if stands != stood or number == len(case.answers):
            rows.append(row)
        calls_before, refused_before, messages_before = calls, refused, seen.messages
        stood = stands
    return rows


def _results(answer: dict[str, Any]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for by_result in answer["counts"].values():
        counted.update(by_result)
    return counted
