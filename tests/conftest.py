"""Every test starts from the same environment and without cached clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caretaker.aws import session
from tests.support.stack import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def function_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function's environment and nothing of the machine's own AWS settings."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "CARETAKER_", "POWERTOOLS_"))]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    session.forget()
    yield
    session.forget()
