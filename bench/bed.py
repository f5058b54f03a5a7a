"""Starts the bed in a process of its own, and asks it what has happened."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from bench.ec2bed.options import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.ec2bed.options import Options

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class State:
    """What the bed has seen since its last reset: `world` counts what exists, the others calls."""

    world: dict[str, int]
    calls: dict[str, int]
    refused: dict[str, int]
    failed: dict[str, int]

    def ec2_calls(self) -> int:
        """Return all calls of EC2, refused ones too."""
        return sum(number for name, number in self.calls.items() if ":" not in name)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What the runs since the last reset have written, of the reports only the last one.

    `impaired`: the instances whose checks failed at first.
    """

    impaired: list[str]
    messages: list[str]
    items: list[dict[str, Any]]
    report: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bed:
    """A running bed."""

    address: str

    def reset(self, options: Options) -> State:
        """Begin again with another account."""
        return _state(self._ask("reset", asdict(options)))

    def state(self) -> State:
        """Return the counters."""
        return _state(self._ask("state"))

    def take_invocations(self) -> list[dict[str, Any]]:
        """Return the events of asynchronous invocations that nobody has taken yet."""
        taken: list[dict[str, Any]] = self._ask("invocations")
        return taken

    def advance(self, seconds: float) -> None:
        """Let time pass in the account at once."""
        self._ask("advance", {"seconds": seconds})

    def left_behind(self) -> LeftBehind:
        """Return what runs have written."""
        return LeftBehind(**self._ask("left-behind"))

    def environment(self) -> dict[str, str]:
        """Return the environment in which an AWS SDK talks to the bed and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def _ask(self, what: str, body: object = None) -> Any:
        request = Request(f"{self.address}/_bed/{what}", json.dumps(body or {}).encode())  # noqa: S310
        with urlopen(request, timeout=60) as answer:  # noqa: S310 - our own loopback address
            return json.load(answer)


@contextmanager
def running_bed() -> Iterator[Bed]:
    """Start a bed on a free port and stop it, whatever happens."""
    command = [sys.executable, "-m", "bench.ec2bed"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Bed(process.stdout.readline().strip() if process.stdout else "")
        finally:
            process.terminate()


def _state(answer: dict[str, Any]) -> State:
    return State(answer["world"], answer["calls"], answer["refused"], answer["failed"])
