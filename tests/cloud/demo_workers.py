"""Kills the process that runs a deployed function, as a host that fails would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tests.cloud.deployment import Json, Stack

_SECONDS = 30.0
_FOLDER = "ministack-lambda-{}-"
"""What the folder of a function's worker is called; its process is started with a path in it."""


class WorkerMissingError(Exception):
    """No process runs the function, or it never came so far."""


def scheduled_event(stack: Stack, function: str) -> Json:
    """Return what the schedule of a function sends it in this minute."""
    event = json.loads(stack.schedule(mode="act", function=function)["Target"]["Input"])
    return {**event, "scheduled_time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def kill_when(stack: Stack, function: str, has_come: Callable[[], bool]) -> Json:
    """Start a run as its schedule does, and kill it when the moment has come.

    Lambda itself tries again what was killed, here at once: returns that answer.
    """
    started, event = datetime.now(UTC), scheduled_event(stack, function)
    stack.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    end = time.monotonic() + _SECONDS
    while not has_come():
        if time.monotonic() > end:
            raise WorkerMissingError(f"{function} never came to where it was to be killed")
        time.sleep(0.05)
    kill_worker(function)
    return stack.wait_for_answer(function, started)


def kill_worker(function: str) -> None:
    """Kill whatever runs a function just now; nothing of its run is finished."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    lines = (line.split(maxsplit=1) for line in listed.splitlines())
    found = [int(pid) for pid, command in lines if _FOLDER.format(function) in command]
    if not found:
        raise WorkerMissingError(f"no process runs {function}")
    for pid in found:
        os.kill(pid, signal.SIGKILL)
