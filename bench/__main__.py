"""Run the benchmarks: `python -m bench [quick|full|NAME …]`.

quick: a minute or two on a laptop, small fleets; full: the fleets of docs/performance.md, most of
an hour, nearly all of it waiting. A name alone runs that part in full, `quick NAME` the small one.
The results also go to bench/results/ as JSON.
"""

from __future__ import annotations

import argparse
import platform
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bench import (
    cold_start,
    drilling,
    fleet,
    fleet_checked,
    fleet_rivals,
    gates,
    instances,
    judging,
    memory,
    probing,
    restoring,
    retention,
    snapshots,
    tagging,
    watching,
)
from bench.contenders import custodian_python
from bench.fleet_size import Fleet
from bench.probebed.exporter import has_exporter
from bench.probebed.farm import has_farm
from bench.tables import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.tables import Table

type Part = tuple[str, Callable[[], tuple[Table, Any]]]

_SMALL: Final = 120
_FEW: Final = 200
_LARGE: Final = (1000, 5000)
_TO_TAG: Final = 500
_TO_JUDGE: Final = 200_000
_ROUNDS: Final = 3
_IMPAIRED_ONE_IN: Final = 50
_MINUTES: Final = 24
_TO_DECIDE: Final = 100_000
_AT_ONCE: Final = (50, 200)
_SHORT_TIMEOUT_SECONDS: Final = 90
_TO_RESTORE: Final = 300
_TO_DRILL: Final = 1000
_SMALL_GIB: Final = 8
_LARGE_GIB: Final = 100
_FEW_ACCOUNTS: Final = Fleet(accounts=20, items=4000)


def main() -> None:
    choices = ("quick", "full", *_SUITES)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", help=", ".join(choices))
    wanted = parser.parse_args().what or ["quick"]
    unknown = sorted(set(wanted) - set(choices))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if custodian_python() is None:
        print("Cloud Custodian is not installed (`make bench` does it): no ratios against it")
    for suite in [name for name in _SUITES if name in wanted] or list(_SUITES):
        for name, part in _SUITES[suite](quick="quick" in wanted):
            _show(name, part)


def _cold(*, quick: bool) -> Iterator[Part]:
    yield "cold-start", partial(cold_start.measure_cold_start, 3 if quick else 15)


def _memory(*, quick: bool) -> Iterator[Part]:
    volumes, history = (400, 5000) if quick else (5000, 100_000)
    yield "memory", partial(memory.measure_memory, volumes, history)


def _snapshots(*, quick: bool) -> Iterator[Part]:
    if quick:
        yield "snapshots", _trials(snapshots.compare, _SMALL, adaptive=False)
        return
    for volumes in _LARGE:
        yield f"snapshots-{volumes}", _trials(snapshots.compare, volumes)


def _faults(*, quick: bool) -> Iterator[Part]:
    yield "faults", _trials(snapshots.with_faults, _SMALL if quick else _LARGE[0])


def _rounds(*, quick: bool) -> Iterator[Part]:
    """Yield a run of more calls than one invocation can make: a short timeout stands for 900 s."""
    volumes = 300 if quick else 1000
    yield "rounds", _trials(snapshots.in_rounds, volumes, _SHORT_TIMEOUT_SECONDS)
    yield "rounds-retention", _trials(retention.in_rounds, volumes, _SHORT_TIMEOUT_SECONDS)


def _retention(*, quick: bool) -> Iterator[Part]:
    if quick:
        yield "retention", _trials(retention.compare, _SMALL, usual=False)
        return
    for due in _LARGE:
        yield f"retention-{due}", _trials(retention.compare, due)


def _retention_faults(*, quick: bool) -> Iterator[Part]:
    due, few = (_SMALL, _SMALL) if quick else (_LARGE[0], _FEW)
    yield "retention-faults", _trials(retention.with_faults, due, few)


def _gates(*, quick: bool) -> Iterator[Part]:
    snapshots_of_volumes = (5000, 250) if quick else (100_000, 5000)
    yield "gates", partial(gates.measure_gates, *snapshots_of_volumes)


def _tagging(*, quick: bool) -> Iterator[Part]:
    """Yield the fleet as it is in both cases, since it is small: quick leaves out repetitions."""
    rounds = 1 if quick else _ROUNDS
    yield "tagging", _trials(tagging.compare, _TO_TAG, rounds, copying=not quick)


def _judging(*, quick: bool) -> Iterator[Part]:
    yield "judging", partial(judging.measure_judging, 20_000 if quick else _TO_JUDGE)


def _instances(*, quick: bool) -> Iterator[Part]:
    rounds, small, large = (1, 200, 1000) if quick else (_ROUNDS, *_LARGE)
    for size in (small,) if quick else _LARGE:
        yield f"instances-{size}", _trials(instances.compare, size, rounds)
    impaired, minutes = large // _IMPAIRED_ONE_IN, 3 if quick else _MINUTES
    yield "instances-impaired", _trials(instances.repair, large, impaired, minutes)
    yield "instances-memory", partial(watching.measure_memory, large, 10 * large, rounds)
    yield "instances-deciding", partial(watching.measure_deciding, _LARGE[-1], _TO_DECIDE)


def _probing(*, quick: bool) -> Iterator[Part]:
    """Yield nothing where there is no farm to probe."""
    if not has_farm():
        print("nginx is not there (`make bench` unpacks Debian's): nothing to probe")
        return
    if not has_exporter():
        print("blackbox_exporter is not there (`make bench` unpacks Debian's): no ratios to it")
    hosts, rounds = (_FEW, 1) if quick else (_LARGE[0], _ROUNDS)
    yield "probing", _trials(probing.compare, hosts, rounds, _AT_ONCE)
    sizes = (_LARGE[0],) if quick else (_LARGE[0], 10 * _LARGE[0])
    yield "probing-runs", _trials(probing.measure_runs, *sizes)


def _restoring(*, quick: bool) -> Iterator[Part]:
    yield "restoring", _trials(restoring.compare, 12 if quick else _TO_RESTORE, 1)


def _drilling(*, quick: bool) -> Iterator[Part]:
    snapshots = _TO_DRILL // 20 if quick else _TO_DRILL
    yield "drilling", _trials(drilling.compare, snapshots, _SMALL_GIB, _LARGE_GIB)


def _fleet(*, quick: bool) -> Iterator[Part]:
    of, samples = (_FEW_ACCOUNTS, 2) if quick else (Fleet(), len(fleet_checked.SAMPLES))
    yield "fleet-cells", partial(fleet_checked.check_model, fleet_checked.SAMPLES[:samples])
    yield "fleet-starting", partial(fleet.measure_starting, of, by_tags=not quick)
    yield "fleet-planning", partial(fleet.measure_planning, of, 1 if quick else _ROUNDS)
    yield "fleet-runs", _trials(fleet.measure_runs, of)
    yield "fleet-tails", _trials(fleet.measure_tails, of)
    yield "fleet-rivals", partial(fleet_rivals.compare, of)


def _trials(
    compare: Callable[..., tuple[Table, list[Any]]], *given: object, **options: object
) -> Callable[[], tuple[Table, Any]]:
    def run() -> tuple[Table, Any]:
        table, trials = compare(*given, **options)
        return table, [trial.as_json() for trial in trials]

    return run


_SUITES: Final = {
    "cold": _cold,
    "memory": _memory,
    "snapshots": _snapshots,
    "faults": _faults,
    "rounds": _rounds,
    "retention": _retention,
    "retention-faults": _retention_faults,
    "gates": _gates,
    "tagging": _tagging,
    "judging": _judging,
    "instances": _instances,
    "probing": _probing,
    "restoring": _restoring,
    "drilling": _drilling,
    "fleet": _fleet,
}


def _show(name: str, part: Callable[[], tuple[Table, Any]]) -> None:
    table, content = part()
    table.show()
    machine = {"python": sys.version, "system": platform.platform()}
    file = write(name, {"machine": machine, "table": table.as_json(), "results": content})
    print(f"kept in bench/results/{file.name}\n", flush=True)


if __name__ == "__main__":
    main()
