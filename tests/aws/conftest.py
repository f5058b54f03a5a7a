"""The strict cloud with the stack's own resources in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cloud import Account, ManualClock, StrictCloud, strict_moto
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> ManualClock:
    """Stands at 2026-11-21 03:00 UTC."""
    return ManualClock()


@pytest.fixture
def cloud(clock: ManualClock) -> Iterator[StrictCloud]:
    """Moto, made as strict as AWS, in pages of two."""
    with strict_moto(clock, page_size=2) as strict:
        yield strict


@pytest.fixture
def account(cloud: StrictCloud) -> Account:
    """An empty account to put resources into."""
    return Account(cloud)


@pytest.fixture
def stack(cloud: StrictCloud, clock: ManualClock) -> Stack:
    """What the template would have deployed."""
    made = Stack(clock)
    cloud.calls.clear()
    return made
