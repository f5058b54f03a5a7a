"""Caretaker at work on a cloud on this machine: `make demo`, or `python -m tests.cloud.demo`.

Needs the built stack (`make build`). Ends with 0 only when everything that it showed was checked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tests.cloud.demo_scenes import SCENES
from tests.cloud.demo_screen import Screen, UnexpectedError
from tests.cloud.demo_workers import WorkerMissingError
from tests.cloud.demo_world import build_world
from tests.cloud.deployment import FunctionFailedError, NoAnswerError
from tests.cloud.processes import NotStartedError
from tests.cloud.remote import RemoteError
from tests.cloud.stack import NoticeRefusedError
from tests.cloud.subscribers import NotHeardError
from tests.cloud.tools import CommandFailedError, ToolMissingError

TROUBLE = (
    BotoCoreError,
    ClientError,
    CommandFailedError,
    FunctionFailedError,
    NoAnswerError,
    NotHeardError,
    NotStartedError,
    NoticeRefusedError,
    OSError,
    RemoteError,
    ToolMissingError,
    WorkerMissingError,
)
INTERRUPTED = 130


def main() -> int:
    """Play the scenes; return 0, or 1 when something was not as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloud.demo", description=__doc__)
    parser.add_argument("--svg", type=Path, metavar="PATH", help="write a picture of the demo too")
    asked = parser.parse_args()
    screen = Screen()
    try:
        with build_world(screen) as world:
            for scene in SCENES:
                scene(world)
    except UnexpectedError as unexpected:
        screen.fail(f"Not as expected. Expected was: {unexpected}.")
        return 1
    except TROUBLE as trouble:
        screen.fail(f"The demo could not go on: {trouble}")
        return 1
    except KeyboardInterrupt:
        screen.fail("Interrupted; everything that was started is stopped.")
        return INTERRUPTED
    if asked.svg:
        screen.save_picture(asked.svg, "make demo")
    screen.end("Everything shown was checked, and everything that was started is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
