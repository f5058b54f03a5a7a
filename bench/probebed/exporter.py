"""blackbox_exporter in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from bench.probebed.farm import PACKAGES, NoFarmError
from bench.probebed.hosts import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM: Final = PACKAGES / "usr/bin/prometheus-blackbox-exporter"
_START_SECONDS: Final = 10.0
_MODULES: Final = f"""
modules:
  http:
    prober: http
    timeout: {TIMEOUT_SECONDS}s
    http: {{preferred_ip_protocol: ip4}}
"""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    address: str
    process_id: int


def has_exporter() -> bool:
    """Tell whether there is one to start."""
    return _PROGRAM.exists()


@contextmanager
def running_exporter(bundle: Path) -> Iterator[Exporter]:
    """Start one that trusts the bundle as its system's, and stop it, whatever happens.

    A bundle that is named in its configuration would be parsed again for every probe.
    """
    with TemporaryDirectory() as folder, socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{made.getsockname()[1]}"
        made.close()
        configuration = Path(folder, "modules.yml")
        configuration.write_text(_MODULES, "utf-8")
        command = [
            str(_PROGRAM), f"--config.file={configuration}", f"--web.listen-address={address}",
            "--log.level=error",
        ]  # fmt: skip
        surroundings = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(bundle)}
        with subprocess.Popen(command, env=surroundings) as process:
            try:
                _await(address, process)
                yield Exporter(f"http://{address}", process.pid)
            finally:
                process.terminate()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            socket.create_connection((host, int(port))).close()
            return
        time.sleep(0.05)
    raise NoFarmError("blackbox_exporter did not start")
