"""Run the benchmarks: `python -m bench [quick|full|cold|memory|snapshots|faults|rounds …]`.

quick: a laptop's minute or two, small fleets; full: the fleets of docs/performance.md, about an
hour, nearly all of it waiting. The results also go to bench/results/ as JSON.
"""

from __future__ import annotations

import argparse
import platform
import sys
from typing import TYPE_CHECKING, Any, Final

from bench import cold_start, memory, snapshots
from bench.contenders import custodian_python
from bench.tables import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.tables import Table

type Part = tuple[str, Callable[[], tuple[Table, Any]]]

_SMALL: Final = 120
_LARGE: Final = (1000, 5000)
_SHORT_TIMEOUT_SECONDS: Final = 90


def _cold(*, quick: bool) -> Iterator[Part]:
    yield "cold-start", lambda: cold_start.measure_cold_start(3 if quick else 15)


def _memory(*, quick: bool) -> Iterator[Part]:
    volumes, history = (400, 5000) if quick else (5000, 100_000)
    yield "memory", lambda: memory.measure_memory(volumes, history)


def _snapshots(*, quick: bool) -> Iterator[Part]:
    if quick:
        yield "snapshots", lambda: _trials(snapshots.compare(_SMALL, beside=True, adaptive=False))
        return
    for volumes in _LARGE:
        yield (
            f"snapshots-{volumes}",
            lambda volumes=volumes: _trials(snapshots.compare(volumes, beside=True)),
        )


def _faults(*, quick: bool) -> Iterator[Part]:
    volumes = _SMALL if quick else _LARGE[0]
    yield "faults", lambda: _trials(snapshots.with_faults(volumes, beside=True))


def _rounds(*, quick: bool) -> Iterator[Part]:
    """Yield a run of more calls than one invocation can make: a short timeout stands for 900 s."""
    volumes = 300 if quick else 1000
    yield "rounds", lambda: _trials(snapshots.in_rounds(volumes, _SHORT_TIMEOUT_SECONDS))


def _trials(result: tuple[Table, list[snapshots.Trial]]) -> tuple[Table, Any]:
    table, trials = result
    return table, [trial.as_json() for trial in trials]


_SUITES: Final = {
    "cold": _cold,
    "memory": _memory,
    "snapshots": _snapshots,
    "faults": _faults,
    "rounds": _rounds,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", default=["quick"], help=f"quick, full, {', '.join(_SUITES)}"
    )
    wanted = parser.parse_args().what
    unknown = set(wanted) - {"quick", "full", *_SUITES}
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if custodian_python() is None:
        print("Cloud Custodian is not installed (`make bench` does it): no ratios against it")
    quick = "quick" in wanted
    for suite in [name for name in wanted if name in _SUITES] or list(_SUITES):
        for name, part in _SUITES[suite](quick=quick):
            _show(name, part)


def _show(name: str, part: Callable[[], tuple[Table, Any]]) -> None:
    table, content = part()
    table.show()
    machine = {"python": sys.version, "system": platform.platform()}
    file = write(name, {"machine": machine, "table": table.as_json(), "results": content})
    print(f"kept in {file.relative_to(file.parents[2])}\n")


if __name__ == "__main__":
    main()
