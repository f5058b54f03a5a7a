"""Nothing in this folder may reach a network, not even the loopback."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Make opening a socket an error."""
