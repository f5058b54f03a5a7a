"""Play cells in one process, as a warm environment does: `python -m bench.fleet_cell CHORE ANSWER`.

The events of the cells are read as a JSON list. What each took, by the clock and of the processor,
and its last answer are written to the file ANSWER. To be run in a fresh process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench.lambda_round import Context

_TIMEOUT_SECONDS: Final = 900
_MOST_ROUNDS: Final = 20


def main() -> None:
    chore, answer = sys.argv[1], Path(sys.argv[2])
    handler = import_module(f"functions.{chore}.app").lambda_handler
    cells = [_play(chore, handler, event) for event in json.load(sys.stdin)]
    answer.write_text(json.dumps(cells), "utf-8")
    sys.stdout.flush()
    os._exit(0)


def _play(chore: str, handler: Any, event: dict[str, Any]) -> dict[str, Any]:
    """Ask for a cell, and again while its answer names a next event."""
    start, busy, rounds = time.perf_counter(), time.process_time(), 0
    following: dict[str, Any] | None = event
    said: dict[str, Any] = {}
    while following and rounds < _MOST_ROUNDS:
        said = handler(following, Context(chore, _TIMEOUT_SECONDS))
        following, rounds = said.get("next"), rounds + 1
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    return {"seconds": seconds, "cpu_seconds": cpu, "rounds": rounds, "answer": said}


if __name__ == "__main__":
    main()
