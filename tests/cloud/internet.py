"""Plays the internet: names and public addresses that lead to servers on this machine.

The product refuses to probe loopback and knows of no test mode, so what it meets is changed::

    names = {"shop.example.com": "93.184.215.10", "both.example.com": ["93.184.215.11", "2a00::1"]}
    with running_farm() as farm, internet(names, {80: farm.port("http")}) as net:
        net.places["93.184.215.11"] = {80: farm.port("refused")}
        ...                                   # probe http://shop.example.com/
        assert net.dialled == [("93.184.215.10", 80)]

`outside/sitecustomize.py` says how it is done, and does the same for the workers of the local
cloud, to which `LocalCloud.internet` writes what there is.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pycurl

from tests.cloud.outside.sitecustomize import VARIABLE, World, handles, resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

type Addresses = str | Sequence[str] | Sequence[Sequence[str]]
"""Of a name: one, some, or lists in turn; `again` where the resolver fails for now."""
type Ports = Mapping[int, int]

OUTSIDE = Path(__file__).with_name("outside")
"""What is put on the path of Python processes that are to be within."""


@contextmanager
def internet(
    names: Mapping[str, Addresses],
    ports: Ports,
    *,
    places: Mapping[str, Ports] | None = None,
    ca: str = "",
) -> Iterator[World]:
    """Let names and addresses in this process lead to these ports; yield what can be changed."""
    world = World(_lists(names), dict(ports), _dicts(places), ca)
    with (
        patch.object(socket, "getaddrinfo", resolver(world)),
        patch.object(pycurl, "Curl", handles(world, pycurl)),
    ):
        yield world


def write_internet(
    path: Path,
    names: Mapping[str, Addresses],
    ports: Ports,
    *,
    places: Mapping[str, Ports] | None = None,
    ca: str = "",
) -> None:
    """Write what there is for processes that were started with `environment_within`."""
    text = json.dumps({"names": _lists(names), "ports": ports, "places": places or {}, "ca": ca})
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def environment_within(path: Path) -> dict[str, str]:
    """Return what makes a Python process live in the internet that is written at `path`."""
    return {"PYTHONPATH": str(OUTSIDE), VARIABLE: str(path)}


def _lists(names: Mapping[str, Addresses]) -> dict[str, Any]:
    return {
        name: each if each == "again" else [each] if isinstance(each, str) else list(each)
        for name, each in names.items()
    }


def _dicts(places: Mapping[str, Ports] | None) -> dict[str, dict[int, int]]:
    return {address: dict(ports) for address, ports in (places or {}).items()}
