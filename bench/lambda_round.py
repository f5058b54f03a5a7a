"""Play Lambda: `python -m bench.lambda_round CHORE ANSWER SECONDS AHEAD TIMES < EVENT`.

The handler is invoked so many TIMES, its last answer goes to the file ANSWER; SECONDS is the
function's timeout, AHEAD how many seconds its clock is ahead of ours. To be run in a fresh process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from uuid import uuid4

from bench.ec2bed.options import ACCOUNT, REGION


@dataclass(slots=True)
class Context:
    """What the handler reads of Lambda's context."""

    chore: str
    timeout_seconds: float
    started: float = field(default_factory=time.monotonic)
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    memory_limit_in_mb: int = 512

    @property
    def function_name(self) -> str:
        return f"caretaker-{self.chore}"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.timeout_seconds - (time.monotonic() - self.started)) * 1000)


def main() -> None:
    chore, answer, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    if ahead := float(sys.argv[4]):
        _set_clock(timedelta(seconds=ahead))
    app = import_module(f"functions.{chore}.app")  # here, for its import is in the time
    event = json.load(sys.stdin)
    for _ in range(int(sys.argv[5])):
        said = app.lambda_handler(event, Context(chore, seconds))
        answer.write_text(json.dumps(said), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # Lambda freezes the process after an answer; it never takes its heap apart


def _set_clock(ahead: timedelta) -> None:
    from caretaker import clock  # noqa: PLC0415 - its import is in the time

    class ClockAhead(clock.SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + ahead

    clock.SystemClock = ClockAhead  # type: ignore[misc]


if __name__ == "__main__":
    main()
