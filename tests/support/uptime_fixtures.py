"""The world of the chore `uptime`, as fixtures: one farm for all tests of a process.

A test file takes them by `pytest_plugins`.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from functions.uptime import app, probing
from tests.cloud.internet import internet
from tests.farm import Farm, running_farm
from tests.support.uptime_world import NAMES, UptimeWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture(scope="session")
def uptime_farm() -> Iterator[Farm]:
    """Servers that stay up for all tests."""
    with running_farm() as farm:
        yield farm


@pytest.fixture
def uptime(
    uptime_farm: Farm,
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[UptimeWorld]:
    """A shop that is well, in a process that is warm, and whose tries follow at once."""
    monkeypatch.setattr(probing, "PAUSES", (0.01, 0.02))
    monkeypatch.setattr(app, "_RUNS", count(1))
    uptime_farm.reset()
    ports = {80: uptime_farm.port("http"), 443: uptime_farm.port("https")}
    with internet(NAMES, ports, ca=uptime_farm.ca) as net:
        yield UptimeWorld(cloud, clock, stack, uptime_farm, net)
