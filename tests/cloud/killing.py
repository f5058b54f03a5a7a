"""Kills the process at the other end of a connection, as a host that fails would."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def kill_caller(port: int) -> None:
    """Kill the process of this machine whose end of a connection has this port."""
    for pid in _owners(port) - {os.getpid()}:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _owners(port: int) -> set[int]:
    if _PROC.joinpath("net/tcp").exists():
        return _by_proc(port)
    command = ["lsof", "-nP", f"-iTCP:{port}", "-t"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {int(line) for line in listed.split()}


def _by_proc(port: int) -> set[int]:
    """Find who holds the socket with this local port.

    https://docs.kernel.org/networking/proc_net_tcp.html
    """
    rows = (_PROC / "net/tcp").read_text(encoding="ascii").splitlines()[1:]
    columns = [row.split() for row in rows]
    inodes = {each[9] for each in columns if int(each[1].rpartition(":")[2], 16) == port}
    sockets = {f"socket:[{inode}]" for inode in inodes - {"0"}}
    found: set[int] = set()
    for handle in _PROC.glob("[0-9]*/fd/*"):
        # Processes end, and others' may not be looked into.
        with suppress(OSError):
            if str(handle.readlink()) in sockets:
                found.add(int(handle.parts[2]))
    return found
