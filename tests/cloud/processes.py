"""Servers on this machine that end when the process that started them ends."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEEPER = Path(__file__).with_name("keeper.py")
STOP_SECONDS = 60.0
"""A keeper removes its scratch folder too, and that may hold a hundred megabytes of small files."""


class NotStartedError(Exception):
    """A server ended early or never answered; the text holds the end of its output."""


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class KeptServer:
    """One server process under a keeper: it dies with us, whatever happens to us."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it in a scratch folder of its own, which is its TMPDIR and HOME too."""
        self.name = name
        self._scratch = Path(tempfile.mkdtemp(prefix=f"caretaker-{name}-"))
        self._log = self._scratch / "output.log"
        places = {"TMPDIR": str(self._scratch), "HOME": str(self._scratch)}
        with self._log.open("wb") as output:
            self._keeper = subprocess.Popen(
                [sys.executable, str(KEEPER), str(self._scratch), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, **places},
                start_new_session=True,
            )

    def wait_until_healthy(self, url: str, seconds: float = 60.0) -> None:
        """Wait until `url` answers; raise NotStartedError when it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._keeper.poll() is not None:
                raise NotStartedError(f"{self.name} ended at once")
            try:
                with urlopen(url, timeout=2):  # noqa: S310 - our own loopback server
                    return
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        output = self.output()[-2000:]
        self.stop()
        raise NotStartedError(f"{self.name} did not answer within {seconds} s:\n{output}")

    def output(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def stop(self) -> None:
        """End it and everything it started; harmless when it is gone already."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.terminate()
            self._keeper.wait(STOP_SECONDS)
