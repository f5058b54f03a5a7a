"""Play Lambda once: `python -m bench.lambda_round CHORE ANSWER SECONDS < EVENT`, a fresh process.

The handler's answer goes to the file ANSWER; SECONDS is the function's timeout.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
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
    context = Context(chore, seconds)
    app = import_module(f"functions.{chore}.app")  # here, for its import is in the time
    answer.write_text(json.dumps(app.lambda_handler(json.load(sys.stdin), context)), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # Lambda freezes the process after an answer; it never takes its heap apart


if __name__ == "__main__":
    main()
