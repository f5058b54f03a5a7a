"""The model of a cell beside the chores themselves, on the bed and by the clock on the wall."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.bed import running_bed
from bench.ec2bed.options import ACCOUNT, Options
from bench.fleet_model import CHORES, Place, rounds_of
from bench.fleet_size import REGIONS, account_id
from bench.lambdas import environment
from bench.processes import measure
from bench.tables import Table, ratio

_WARM: Final = 2
"""Cells before those that count."""
_KEPT_DAYS: Final = 12
ROLE: Final = {
    "CARETAKER_TARGET_ROLE_NAME": "caretaker-member",
    "CARETAKER_TARGET_EXTERNAL_ID": "bench",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A chore in cells of so many items; `cells` are played one after the other."""

    chore: str
    items: int
    cells: int = 5

    @property
    def options(self) -> Options:
        """Return the account and region that all cells stand for."""
        if self.chore == "snapshot":
            return Options(volumes=self.items)
        kept = (_KEPT_DAYS + 1) * self.items
        return Options(volumes=self.items, snapshots=kept, due=self.items)

    def events(self) -> list[dict[str, Any]]:
        """Return what the cells are asked, the last one what counts."""
        return [self._event(n, self.cells) for n in range(_WARM + self.cells)]

    def _event(self, number: int, cells: int) -> dict[str, Any]:
        """Return the event of a cell. The bed is one account: a slot, or a policy, sets them apart.

        Retention sees the snapshots of their owner alone, so its cells are regions of that.
        """
        slot = datetime.now(UTC).replace(second=0, microsecond=0)
        event: dict[str, Any] = {
            "policy": "daily",
            "caller": {"run": "bench-20261121T0300Z", "fleet": "bench"},
        }
        if self.chore == "snapshot":
            target = {"account": account_id(number), "region": "eu-west-1"}
            slot -= timedelta(days=_WARM + cells - number)
        else:
            target = {"account": ACCOUNT, "region": REGIONS[number]}
            event |= {"keep": {"daily": _KEPT_DAYS}, "blast_radius": {"percent": 50}}
            event["policy"] = "daily" if number == _WARM + cells - 1 else "idle"
        return {**event, "scheduled_time": slot.isoformat(), "target": target}


SAMPLES: Final = (
    Sample("snapshot", 0),
    Sample("snapshot", 12),
    Sample("snapshot", 400),
    Sample("retention", 0),
    Sample("retention", 12, 1),
    Sample("retention", 120, 1),
)


def check_model(samples: tuple[Sample, ...]) -> tuple[Table, list[dict[str, Any]]]:
    """Play the chores on the bed and the model of them beside it, with a whole core for each."""
    measured = [_measure(sample) for sample in samples]
    head = (
        "cell", "s", "model s", "model / s", "CPU s", "model CPU s", "changes", "model",
        "answer bytes",
    )  # fmt: skip
    table = Table("cells of the chores on the bed, a whole core", head, [_row(m) for m in measured])
    return table, measured


def _measure(sample: Sample) -> dict[str, Any]:
    around = {**environment(sample.chore), **ROLE}
    with running_bed() as bed, TemporaryDirectory() as folder:
        bed.reset(sample.options)
        answer = Path(folder, "answer.json")
        command = [sys.executable, "-m", "bench.fleet_cell", sample.chore, str(answer)]
        measure(command, {**bed.environment(), **around}, json.dumps(sample.events()))
        cells = json.loads(answer.read_text(encoding="utf-8"))[_WARM:]
        state = bed.state()
    modelled = rounds_of(CHORES[sample.chore], sample.items, Place(share=1.0))
    return {
        "sample": asdict(sample),
        "seconds": statistics.median(each["seconds"] for each in cells),
        "cpu_seconds": statistics.median(each["cpu_seconds"] for each in cells),
        "answers": [each["answer"] for each in cells],
        "calls": state.calls,
        "refused": state.refused,
        "modelled": [asdict(each) for each in modelled],
    }


def _row(measured: dict[str, Any]) -> tuple[str, ...]:
    sample, modelled, calls = measured["sample"], measured["modelled"], measured["calls"]
    seconds = sum(each["seconds"] for each in modelled)
    cells = _WARM + sample["cells"]
    changing = sum(n for name, n in calls.items() if name.startswith(("Create", "Delete")))
    # What only the last of them changed is not divided by all.
    changed_by = cells if sample["chore"] == "snapshot" else 1
    return (
        f"{sample['chore']}, {sample['items']}",
        f"{measured['seconds']:.2f}",
        f"{seconds:.2f}",
        ratio(seconds, measured["seconds"]),
        f"{measured['cpu_seconds']:.2f}",
        f"{sum(each['cpu_seconds'] for each in modelled):.2f}",
        f"{changing / changed_by:g}",
        f"{sum(each['changes'] for each in modelled):g}",
        str(len(json.dumps(measured["answers"][-1]))),
    )
