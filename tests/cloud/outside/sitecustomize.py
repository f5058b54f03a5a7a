"""Plays the internet in any Python process: names, and addresses that lead to this machine.

Python imports this by itself where the folder is on its path, as in the workers of the local cloud;
`tests.cloud.internet` does so in tests. Standard library only, and nothing else may stand in this
folder: it comes before what was built. Where `PLAYED_INTERNET` names a JSON file, what it says
holds as soon as pycurl is imported, and anew whenever it has changed::

    {"names": {"shop.example.com": ["93.184.215.10"]}, "ports": {"80": 40123},
     "places": {"93.184.215.66": {"80": 40127}}, "ca": "-----BEGIN ..."}

A name has addresses, or lists of them in turn (the last one stays), or the word `again` (the
resolver fails for now). A public address and port lead to the port of this machine that `places`
says of the address, else `ports`; where neither does, nobody listens. libcurl connects to loopback,
but who opens its sockets is told the public address, as on the internet. `ca` is the one authority
that is trusted by default.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, cast

VARIABLE = "PLAYED_INTERNET"
_RESOLVE = re.compile(r"\+?(?P<host>.+):(?P<port>\d+):(?P<address>\[[0-9a-fA-F.:]+\]|[0-9.]+)")
_NOBODY = 1
_real_getaddrinfo = socket.getaddrinfo


class World:
    """What there is, as the module says; `dialled` holds every address that was connected to."""

    def __init__(
        self,
        names: dict[str, Any] | None = None,
        ports: dict[int, int] | None = None,
        places: dict[str, dict[int, int]] | None = None,
        ca: str = "",
    ) -> None:
        self.names = names or {}
        self.ports = ports or {}
        self.places = places or {}
        self.ca = ca
        self.dialled: list[tuple[str, int]] = []
        self.asked: list[str] = []

    def place(self, address: str, port: int) -> tuple[str, int]:
        """Return where on this machine a public address and port are."""
        known = {str(key): place for key, place in self.places.get(address, self.ports).items()}
        return "::1" if ":" in address else "127.0.0.1", int(known.get(str(port), _NOBODY))

    def addresses(self, host: str) -> list[str]:
        """Return the addresses of a name; `gaierror` where it has none."""
        name = host.lower().rstrip(".")
        self.asked.append(name)
        found = self.names.get(name, [])
        if found == "again":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if found and isinstance(found[0], list | tuple):
            turn = min(self.asked.count(name), len(found)) - 1
            found = found[turn]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [found] if isinstance(found, str) else list(found)


class WrittenWorld(World):
    """The same, read from a file whenever that has changed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._read = 0

    def place(self, address: str, port: int) -> tuple[str, int]:
        self._refresh()
        return super().place(address, port)

    def addresses(self, host: str) -> list[str]:
        self._refresh()
        return super().addresses(host)

    def _refresh(self) -> None:
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._read:
            text = json.loads(self._path.read_text())
            self.names, self.ports = text.get("names", {}), text.get("ports", {})
            self.places, self.ca = text.get("places", {}), text.get("ca", "")
            self.asked.clear()
            self._read = changed


def resolver(world: World) -> Any:
    """Return the `getaddrinfo` of a world; an address in any spelling is itself."""

    def getaddrinfo(
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        numeric = flags | socket.AI_NUMERICHOST
        if host is None or host in {"localhost", ""}:
            return _real_getaddrinfo(host, port, family, type, proto, flags)
        try:
            return _real_getaddrinfo(host, port, family, type, proto, numeric)
        except socket.gaierror:
            text = host.decode() if isinstance(host, bytes) else host
        found = [
            each
            for address in world.addresses(text)
            if family in {0, socket.AF_INET6 if ":" in address else socket.AF_INET}
            for each in _real_getaddrinfo(address, port, 0, type, proto, numeric)
        ]
        if not found:
            nothing = getattr(socket, "EAI_NODATA", socket.EAI_NONAME)
            raise socket.gaierror(nothing, "No address associated with hostname")
        return found

    return getaddrinfo


class _Handle:
    """Connects to this machine where a public address is meant, and owns up to the latter."""

    _world: World
    _curl: Any

    def __init__(self) -> None:
        super().__init__()
        self._meant: dict[tuple[str, int], tuple[str, int]] = {}

    def setopt(self, option: int, value: Any, **more: Any) -> None:
        """Set an option; some of them mean something else here."""
        curl, handle = self._curl, cast("Any", super())
        if option == curl.RESOLVE:
            handle.setopt(curl.CONNECT_TO, [self._led_here(each) for each in value])
        if option == curl.OPENSOCKETFUNCTION:
            value = self._asking(value)
        if option == curl.CAINFO and self._world.ca:
            option, value = curl.CAINFO_BLOB, self._world.ca
        handle.setopt(option, value, **more)

    def getinfo(self, option: int) -> Any:
        """Tell what became of it, and of the address the public one."""
        curl, handle = self._curl, cast("Any", super())
        found = handle.getinfo(option)
        if option == curl.PRIMARY_IP:
            here = found, handle.getinfo(curl.PRIMARY_PORT)
            return self._meant.get(here, here)[0]
        return found

    def _led_here(self, entry: str) -> str:
        read = _RESOLVE.fullmatch(entry)
        if read is None:
            raise ValueError(entry)
        port, address = int(read["port"]), read["address"].strip("[]")
        here = self._world.place(address, port)
        self._meant[here] = address, port
        return f"{_shown(read['host'])}:{port}:{_shown(here[0])}:{here[1]}"

    def _asking(self, opens: Any) -> Any:
        """Return what opens sockets and asks the given callback about the public address."""

        def opened(purpose: int, target: Any) -> Any:
            family, kind, protocol, (address, port, *rest) = target
            meant = self._meant.get((address, port))
            if meant is None:  # libcurl goes where it was not sent
                return self._curl.SOCKET_BAD
            made = opens(purpose, type(target)(family, kind, protocol, (*meant, *rest)))
            if made != self._curl.SOCKET_BAD:
                self._world.dialled.append(meant)
            return made

        return opened


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def handles(world: World, curl: Any) -> Any:
    """Return the `Curl` of a world."""
    return type("Curl", (_Handle, curl.Curl), {"_world": world, "_curl": curl})


class _Finder:
    """Plays as soon as pycurl is imported."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "pycurl":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            run = loader.exec_module

            def execute(module: Any) -> None:
                run(module)
                module.Curl = handles(self._world, module)
                socket.getaddrinfo = resolver(self._world)

            loader.exec_module = execute
        return spec


if os.environ.get(VARIABLE):
    sys.meta_path.insert(0, _Finder(WrittenWorld(Path(os.environ[VARIABLE]))))
