"""The strict cloud with the stack's own resources in it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import boto3
import pytest

from caretaker.run import Run
from functions.drill.units import WORKERS
from functions.instance_health import carrying
from tests.cloud import REGION, Account, ManualClock, StrictCloud, strict_moto
from tests.support.stack import FUNCTION, Stack
from tests.support.tour import Witness

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


@pytest.fixture
def lambda_knows_the_function(stack: Stack, cloud: StrictCloud) -> None:
    """Lambda takes invocations of the function; nothing comes of them by itself."""
    role = boto3.client("iam").create_role(RoleName="snapshot", AssumeRolePolicyDocument="{}")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("app.py", "")
    boto3.client("lambda", REGION).create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.lambda_handler",
        Code={"ZipFile": code.getvalue()},
    )
    cloud.calls.clear()


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one worker do all, so that calls and the clock keep their order."""
    monkeypatch.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
    monkeypatch.setattr(carrying, "WORKERS_PER_LANE", 1)
    for how in WORKERS:
        monkeypatch.setitem(WORKERS, how, 1)


@pytest.fixture(autouse=True)
def only_what_the_role_allows(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test whose runs called anything that the template's role does not name."""
    if "stack" not in request.fixturenames:
        yield
        return
    witness = Witness(request.getfixturevalue("cloud"))
    witness.attend(monkeypatch)
    yield
    assert witness.surprises() == {}
