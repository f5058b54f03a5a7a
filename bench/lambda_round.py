"""Play Lambda once: `python -m bench.lambda_round ANSWER SECONDS < EVENT`, in a fresh process.

The handler's answer goes to the file ANSWER; SECONDS is the function's timeout.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench.ec2bed.options import ACCOUNT, REGION

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:caretaker-snapshot"


@dataclass(slots=True)
class Context:
    """What the handler reads of Lambda's context."""

    timeout_seconds: float
    started: float = field(default_factory=time.monotonic)
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    invoked_function_arn: str = ARN
    function_name: str = "caretaker-snapshot"
    memory_limit_in_mb: int = 512

    def get_remaining_time_in_millis(self) -> int:
        return int((self.timeout_seconds - (time.monotonic() - self.started)) * 1000)


def main() -> None:
    answer, seconds = Path(sys.argv[1]), float(sys.argv[2])
    context = Context(seconds)
    from functions.snapshot.app import lambda_handler  # noqa: PLC0415 - its import is in the time

    answer.write_text(json.dumps(lambda_handler(json.load(sys.stdin), context)), encoding="utf-8")


if __name__ == "__main__":
    main()
