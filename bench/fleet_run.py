"""Ways to run a fleet, each played in a process of its own."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.bed import Bed
from bench.fleet_checked import ROLE
from bench.fleet_size import Fleet
from bench.lambdas import environment
from bench.processes import measure

if TYPE_CHECKING:
    from bench.processes import Measured

_MACHINE: Final = "arn:aws:states:eu-west-1:123456789012:stateMachine:caretaker-fleet"
RUN: Final = "bench-20261121T0300Z"


@dataclass(frozen=True, slots=True)
class Way:
    """How a fleet is run: which chore over what, and how many cells at the same time.

    `model` is the kind of cell. `crashes` is the share of invocations that die, `shut` are accounts
    that let nobody in. `quick` leaves out what is only assumed of the engine.
    """

    name: str
    fleet: Fleet
    concurrency: int = 100
    chore: str = "snapshot"
    model: str = "snapshot"
    mode: str = "act"
    express: bool = False
    largest_first: bool = False
    crashes: float = 0.0
    shut: tuple[str, ...] = ()
    quick: bool = False
    policy: str = "bench"
    run: str = field(default=RUN)


@dataclass(frozen=True, slots=True)
class Trial:
    """A way and what came of it; `measured` is this machine's, `figures` are the played ones."""

    way: Way
    measured: Measured
    figures: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the trial for the results file."""
        return {
            "way": asdict(self.way),
            "measured": asdict(self.measured),
            "figures": self.figures,
        }


def environment_of_steps() -> dict[str, str]:
    """Return the environment of the fleet function, in a process that calls nobody."""
    chores = {
        name: f"arn:aws:lambda:eu-west-1:123456789012:function:caretaker-{name}"
        for name in ("drill", "retention", "snapshot", "tagging")
    }
    return {
        **Bed("http://127.0.0.1:1").environment(),
        **environment("fleet"),
        **ROLE,
        "CARETAKER_FLEET_CHORES": json.dumps(chores),
        "CARETAKER_FLEET_MACHINE": _MACHINE,
    }


def try_one(way: Way) -> Trial:
    """Play one way."""
    with TemporaryDirectory() as folder:
        answer, bucket = Path(folder, "answer.json"), Path(folder, "bucket")
        bucket.mkdir()
        command = [sys.executable, "-m", "bench.fleet_round", str(answer), str(bucket)]
        measured = measure(command, environment_of_steps(), json.dumps(asdict(way)))
        return Trial(way, measured, json.loads(answer.read_text(encoding="utf-8")))
