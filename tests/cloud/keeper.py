"""Runs one command and ends it, with all its children, when its starter ends in whatever way.

The starter holds the other end of standard input: when that closes, by `close()` or by the
starter's death, the command's whole process group is stopped and its scratch folder removed.
Usage: `python keeper.py SCRATCH COMMAND...`; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 3.0


def keep(scratch: str, command: list[str]) -> int:
    """Run the command until it ends or nobody wants it any more; return its exit code."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        signal.signal(signal.SIGTERM, lambda *_: _stop(child, signal.SIGTERM))
        threading.Thread(target=_wait_for_starter, args=(child,), daemon=True).start()
        try:
            return child.wait()
        finally:
            _stop(child, signal.SIGKILL)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _wait_for_starter(child: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    _stop(child, signal.SIGTERM)
    timer = threading.Timer(GRACE_SECONDS, _stop, (child, signal.SIGKILL))
    timer.daemon = True
    timer.start()


def _stop(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    # The group's number stays taken as long as any of its processes lives, so it is still ours.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, how)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(keep(sys.argv[1], sys.argv[2:]))
