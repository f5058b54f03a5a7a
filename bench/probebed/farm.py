"""A farm of a thousand hosts: nginx on loopback addresses, and ports at which nothing happens."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from certifi import where

from bench.bed import ROOT
from bench.probebed.hosts import DOMAIN, HOSTS, address_of, hosts_of
from tests.farm.certificates import Forge

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES: Final = ROOT / ".venvs/bench-probes"
"""Where `make bench` unpacks nginx and its module `echo`."""

_NGINX: Final = PACKAGES / "usr/sbin/nginx"
_ECHO: Final = PACKAGES / "usr/lib/nginx/modules/ngx_http_echo_module.so"
_LISTENED: Final = ("http", "https", "self_signed")
_FILES: Final = 16_384
_START_SECONDS: Final = 10.0
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_LOCATIONS: Final = """
    keepalive_timeout 60; keepalive_requests 1000000;
    location = /quick { echo_sleep 0.05; echo hello; }
    location = /late { echo_sleep 0.3; echo hello; }
    location = /error { echo_status 500; echo_sleep 0.05; echo oops; }
    location = /slow { echo_sleep 0.05; echo hello; echo_flush; echo_sleep 0.4; echo again; }
    location = /hop1 { return 302 /hop2; }
    location = /hop2 { return 301 /hop3; }
    location = /hop3 { return 307 /quick; }
"""


class NoFarmError(RuntimeError):
    """There is no nginx to start, or it does not start."""


@dataclass(frozen=True, slots=True)
class Farm:
    """A running farm; `bundle` is a file of the usual authorities and the farm's own."""

    ports: dict[str, int]
    bundle: Path


def has_farm() -> bool:
    """Tell whether there is what a farm is made of."""
    return _NGINX.exists() and _ECHO.exists()


@contextmanager
def running_farm(hosts: int = HOSTS) -> Iterator[Farm]:
    """Start a farm on free ports and stop it, whatever happens."""
    if not has_farm():
        raise NoFarmError("there is no nginx: `make bench` unpacks Debian's")
    _allow_files()
    with TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        ports = {name: _free_port() for name in _LISTENED}
        ports |= _holes(stack, hosts)
        farm = Farm(ports, _bundle(folder))
        (folder / "nginx.conf").write_text(_configuration(folder, ports, hosts), "utf-8")
        process = stack.enter_context(_nginx(folder))
        stack.callback(process.terminate)
        _await(ports, process)
        yield farm


def _allow_files() -> None:
    """Raise the number of files that this process and its children may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _nginx(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([_NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"])


def _bundle(folder: Path) -> Path:
    """Make the certificates; return the authorities to trust, of the usual number."""
    for kind in ("good", "self_signed"):
        (folder / kind).mkdir()
    forge = Forge(folder / "good")
    forge.context(f"*.{DOMAIN}")
    Forge(folder / "self_signed").context(f"*.{DOMAIN}", "self_signed")
    bundle = folder / "bundle.pem"
    bundle.write_text(Path(where()).read_text("utf-8") + forge.ca, "utf-8")
    return bundle


def _configuration(folder: Path, ports: dict[str, int], hosts: int) -> str:
    temporary = "\n".join(f"{each}_temp_path {folder}/{each};" for each in _TEMPORARY)
    servers = "\n".join(
        f"server {{ {_listen(ports[name], hosts, secured=name != 'http')}\n"
        f"{_certificate(folder, name)}{_LOCATIONS} }}"
        for name in _LISTENED
    )
    return f"""
daemon off; worker_processes 2; pid {folder}/pid;
error_log stderr crit; load_module {_ECHO}; {"user root;" if os.getuid() == 0 else ""}
events {{ worker_connections 12288; }}
http {{ access_log off; absolute_redirect off; tcp_nodelay on; {temporary}
ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
{servers} }}
"""


def _listen(port: int, hosts: int, *, secured: bool) -> str:
    more = " ssl" if secured else ""
    return " ".join(f"listen {address_of(each)}:{port}{more};" for each in range(hosts))


def _certificate(folder: Path, name: str) -> str:
    if name == "http":
        return ""
    (file,) = (folder / ("good" if name == "https" else name)).glob("*.pem")
    return f"ssl_certificate {file}; ssl_certificate_key {file};"


def _free_port() -> int:
    with socket.socket() as made:
        made.bind((address_of(0), 0))
        port: int = made.getsockname()[1]
        return port


def _holes(stack: ExitStack, hosts: int) -> dict[str, int]:
    """Return ports at which nobody listens, nobody answers, and nobody takes a connection.

    The last two are listened at on the addresses of those hosts alone that are of that kind.
    """
    closed = stack.enter_context(socket.socket())
    closed.bind((address_of(0), 0))
    ports = {"refused": closed.getsockname()[1], "silent": _free_port(), "black_hole": _free_port()}
    for host in hosts_of("mixed", hosts, dict.fromkeys(_LISTENED, 0) | ports):
        if host.kind == "silent":
            _listener(stack, host.address, ports["silent"], 64)
        elif host.kind == "black hole":
            _fill(stack, _listener(stack, host.address, ports["black_hole"], 0))
    return ports


def _listener(stack: ExitStack, address: str, port: int, backlog: int) -> socket.socket:
    made = stack.enter_context(socket.socket())
    made.bind((address, port))
    made.listen(backlog)
    return made


def _fill(stack: ExitStack, full: socket.socket) -> None:
    """Fill a queue of connections that nobody takes: what comes then is dropped."""
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)  # noqa: FBT003 - its only argument
        with suppress(BlockingIOError):
            waiting.connect(full.getsockname())


def _await(ports: dict[str, int], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            for name in _LISTENED:
                socket.create_connection((address_of(0), ports[name])).close()
            return
        time.sleep(0.05)
    raise NoFarmError("nginx did not start")
