"""A chore over every account and region: its planner, its judge, and whole runs in played time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT
from bench.fleet_costs import costs_of
from bench.fleet_machine import PAYLOAD_BYTES, START_RATES
from bench.fleet_run import RUN, Trial, Way, environment_of_steps, try_one
from bench.processes import measure
from bench.tables import Table, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.fleet_size import Fleet

_SHUT: Final = 100
"""One account in so many lets nobody in."""
_HOT: Final = 5_000
_GIVEN: Final = {
    "run": RUN, "policy": "bench", "chore": "snapshot", "concurrency": 100, "mode": "act",
    "express": False, "case": "well", "handed": 0,
}  # fmt: skip


def measure_planning(fleet: Fleet, rounds: int) -> tuple[Table, dict[str, Any]]:
    """Plan the fleet, and judge what its children came to, each in a fresh process."""
    planned = _decide("plan", "/", fleet, rounds=rounds)
    cases = [("well", 0), ("troubled", 0), ("all failed", 0), ("well", planned["cells"] * 7 // 10)]
    judged = [_judged(fleet, case, handed, rounds) for case, handed in cases]
    head = ("what", "wall s", "CPU s", "peak MiB", "more MiB", "ledger KiB", "answer / 256 KiB")
    rows = [
        (
            f"plan of {planned['cells']} cells",
            f"{statistics.median(planned['seconds']):.2f}",
            f"{statistics.median(planned['cpu_seconds']):.2f}",
            f"{planned['peak_mib']:.0f}",
            f"+{planned['peak_mib'] - planned['before_mib']:.0f}",
            "-",
            ratio(planned["answer_bytes"], PAYLOAD_BYTES),
        ),
        *(_judge_row(*case, runs) for case, runs in zip(cases, judged, strict=True)),
    ]
    title = f"{fleet.accounts} accounts x {fleet.regions} regions, 1 account in {_SHUT} shut"
    return Table(title, head, rows), {"planned": planned, "judged": judged}


def _judged(fleet: Fleet, case: str, handed: int, rounds: int) -> list[dict[str, Any]]:
    runs = []
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            made = _decide("prepare", folder, fleet, case=case)
            answer = _decide("judge", folder, fleet, case=case, handed=handed)
        runs.append({**answer, "case": case, "handed": handed, "sizes": made["sizes"]})
    return runs


def _judge_row(case: str, handed: int, runs: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    def median(name: str) -> float:
        return float(statistics.median(each[name] for each in runs))

    return (
        f"judge, {case}{f', {handed} incidents handed on' if handed else ''}",
        f"{median('seconds'):.2f}",
        f"{median('cpu_seconds'):.2f}",
        f"{median('peak_mib'):.0f}",
        f"+{median('peak_mib') - median('before_mib'):.0f}",
        f"{median('ledger_bytes') / 1024:.0f}",
        ratio(median("bytes"), PAYLOAD_BYTES),
    )


def _decide(what: str, folder: str, fleet: Fleet, **more: object) -> dict[str, Any]:
    shut = max(1, fleet.accounts // _SHUT)
    said = subprocess.run(
        [sys.executable, "-m", "bench.fleet_decide", what, folder],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment_of_steps()},
        input=json.dumps({**_GIVEN, "fleet": asdict(fleet), "shut": shut, **more}),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return answer


def measure_starting(fleet: Fleet, *, by_tags: bool) -> tuple[Table, list[dict[str, Any]]]:
    """Start a run by the handler itself: every account is asked, and where wanted its tags."""
    choices: dict[str, dict[str, Any]] = {"all accounts": {}}
    if by_tags:
        choices["all accounts by their tags"] = {"tags": ["team=*"]}
    started = [{"choice": name, **_started(fleet, choice)} for name, choice in choices.items()]
    head = (
        "start",
        "wall s",
        "CPU s",
        "peak MiB",
        "AssumeRole",
        "Organizations",
        "answer / 256 KiB",
    )
    rows = [
        (
            each["choice"],
            f"{each['seconds']:.1f}",
            f"{each['cpu_seconds']:.1f}",
            f"{each['peak_mib']:.0f}",
            str(each["calls"]["sts:AssumeRole"]),
            str(sum(n for name, n in each["calls"].items() if name.startswith("organizations:"))),
            ratio(each["bytes"], PAYLOAD_BYTES),
        )
        for each in started
    ]
    return Table(f"{fleet.accounts} accounts asked for their regions", head, rows), started


def _started(fleet: Fleet, choice: dict[str, Any]) -> dict[str, Any]:
    event = {
        "policy": "bench",
        "chore": "snapshot",
        "event": {"policy": "daily"},
        "scheduled_time": "2026-11-21T03:00:00Z",
        "accounts": {"organization": True, **choice},
        "regions": {"enabled": True},
    }
    given = {"fleet": asdict(fleet), "event": event}
    with TemporaryDirectory() as folder:
        answer, bucket = Path(folder, "answer.json"), Path(folder, "bucket")
        bucket.mkdir()
        command = [sys.executable, "-m", "bench.fleet_start", str(answer), str(bucket)]
        measure(command, environment_of_steps(), json.dumps(given))
        figures: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return figures


def measure_runs(fleet: Fleet) -> tuple[Table, list[Trial]]:
    """Play whole runs: so many at once, with faults, in waves, read-only by both kinds of child."""
    report = Way("read-only, 200 at once", fleet, 200, model="report", mode="report")
    plain = Way("100 at once", fleet)
    ways = [
        replace(plain, name="50 at once", concurrency=50),
        plain,
        replace(plain, name="200 at once", concurrency=200),
        replace(plain, name="100 at once, no delays", quick=True),
        replace(plain, name="100 at once, 1 % die", crashes=0.01),
        replace(plain, name="retention, waves, 100", chore="retention", model="retention"),
        report,
        replace(report, name="Express, 200 at once", express=True),
        replace(report, name="Express, 800 at once", express=True, concurrency=800),
    ]
    trials = [try_one(way) for way in ways]
    title = f"{fleet.number} cells with {fleet.items} volumes"
    return table_of(title, trials), trials


def measure_tails(fleet: Fleet) -> tuple[Table, list[Trial]]:
    """Play fleets whose cells differ: the largest last, first, or wherever its account stands."""
    hot = replace(fleet, hot=min(_HOT, fleet.items // 2))
    uneven = replace(fleet, shape="uneven")
    ways = []
    for name, each, model in (
        ("hot cell, last", hot, "snapshot singly"),
        ("hot cell, last, in sets", hot, "snapshot"),
        ("hot cell, middle, in sets", replace(hot, hot_at=0.5), "snapshot"),
        ("uneven, in sets", uneven, "snapshot"),
    ):
        way = Way(name, each, model=model)
        ways += [way, replace(way, name=f"{name}; largest first", largest_first=True)]
    first = replace(hot, hot_at=0.0)
    ways.append(Way("hot cell is the canary, in sets", first))
    trials = [try_one(way) for way in ways]
    title = f"{fleet.number} cells with {fleet.items} volumes, not all alike"
    return table_of(title, trials), trials


def table_of(title: str, trials: Sequence[Trial]) -> Table:
    """Return a row for each way: `again` are retries, `steps` transitions, all of it in USD."""
    head = (
        "way", "s", "limit", "of", "s / limit", "longest", "rounds", "again", "steps", "GB-s",
        "engine", "Lambda", "rest", "USD", "payload",
    )  # fmt: skip
    return Table(title, head, [_row(each) for each in trials])


def limits_of(trial: Trial) -> tuple[float, str]:
    """Return what a run takes at least, wave by wave, and of what most of that is.

    A wave takes no less than its children need to be started, than their work on so many
    environments, and than the longest of them.
    """
    of: dict[str, float] = {}
    for each in trial.figures["maps"]:
        needed = {
            "starts": each["items"] / START_RATES[each["kind"]],
            "concurrency": each["work"] / trial.way.concurrency,
            "longest": each["longest"],
        }
        name = max(needed, key=lambda key: needed[key])
        of[name] = of.get(name, 0.0) + needed[name]
    return sum(of.values()), max(of, key=lambda key: of[key])


def _row(trial: Trial) -> tuple[str, ...]:
    figures, counted = trial.figures, trial.figures["counted"]
    limit, scarce = limits_of(trial)
    costs = costs_of(figures, trial.way.model)
    return (
        trial.way.name,
        f"{figures['seconds']:.0f}",
        f"{limit:.0f}",
        scarce,
        ratio(figures["seconds"], limit),
        f"{max(each['longest'] for each in figures['maps']):.1f}",
        str(figures["cells"]["invocations"] - counted.get("retries", 0)),
        str(counted.get("retries", 0)),
        str(counted.get("transitions STANDARD", 0)),
        f"{figures['billed_ms'] / 2000:.0f}",
        f"{costs['standard'] + costs['express']:.3f}",
        f"{costs['lambda']:.3f}",
        f"{costs['state'] + costs['s3']:.3f}",
        f"{sum(costs.values()):.2f}",
        ratio(max(figures["largest"].values()), PAYLOAD_BYTES),
    )
