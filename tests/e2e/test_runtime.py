"""The built function and layer under Lambda's own runtime client, without Docker."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.cloud.deployment import Stack
from tests.cloud.processes import KeptServer, free_port
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.tools import BUILD, machine_architecture, tool
from tests.e2e.conftest import Fleet

HANDLER = "functions.snapshot.app.lambda_handler"
RUNTIME = ("awslambdaric", "simplejson", "snapshot_restore_py.py", "runtime_client.*.so")
RIE_ACCOUNT = "012345678912"
"""The emulator makes this account up."""


@pytest.fixture
def runtime_client(tmp_path: Path) -> Path:
    """Lambda's runtime client alone: nothing else of this environment may serve the function."""
    found_at = find_spec("awslambdaric")
    assert found_at is not None
    assert found_at.origin is not None
    packages = Path(found_at.origin).parents[1]
    alone = tmp_path / "runtime"
    alone.mkdir()
    for pattern in RUNTIME:
        for found in packages.glob(pattern):
            (alone / found.name).symlink_to(found)
    return alone


@pytest.fixture
def emulator(tmp_path: Path) -> Path:
    """The emulator of Lambda's runtime API that the SAM CLI brings along."""
    sam = tool("CARETAKER_SAM", ".venvs/sam/bin/sam").parents[1]
    name = {"arm64": "arm64", "x86_64": "x86_64"}[machine_architecture()]
    (shipped,) = sam.glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{name}")
    copied = Path(shutil.copy(shipped, tmp_path))
    copied.chmod(0o755)
    return copied


@pytest.fixture
def function(
    cloud: LocalCloud, stack: Stack, runtime_client: Path, emulator: Path
) -> Iterator[str]:
    """The built handler behind the emulator, with the environment of the deployed one."""
    name = stack.outputs["SnapshotFunctionName"]
    settings = stack.client("lambda").get_function_configuration(FunctionName=name)
    layer = BUILD / "CommonLayer" / "python"
    environment = {
        **cloud.environment(),
        **settings["Environment"]["Variables"],
        "PYTHONPATH": f"{layer}:{runtime_client}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "900",
    }
    port, api_port = free_port(), free_port()
    command = [
        str(emulator),
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{api_port}",
        "/bin/sh",
        "-c",
        f'cd "{BUILD}/SnapshotFunction" && exec "{sys.executable}" -S -m awslambdaric {HANDLER}',
    ]
    server = KeptServer("lambda-runtime", command, environment)
    try:
        _wait_until_open(port)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        server.stop()


def _wait_until_open(port: int, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise AssertionError("the emulator does not listen")


def test_the_built_function_answers_under_lambdas_own_runtime_client(
    function: str, ec2: RemoteCloud, fleet: Fleet
) -> None:
    event = {"policy": fleet.policy, "mode": "report"}

    request = Request(function, data=json.dumps(event).encode())  # noqa: S310 - loopback
    with urlopen(request, timeout=60) as reply:  # noqa: S310 - ditto
        answer = json.load(reply)

    assert (answer["status"], answer["account"]) == ("ok", RIE_ACCOUNT)
    planned = {e["target"] for e in answer["outcomes"] if e["result"] == "planned"}
    assert planned == fleet.volumes


def test_every_module_of_the_build_has_bytecode_that_is_not_checked_against_its_source() -> None:
    for folder in ("CommonLayer", "SnapshotFunction"):
        for source in (BUILD / folder).rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            head = compiled.read_bytes()[:8]
            assert head == MAGIC_NUMBER + b"\x01\x00\x00\x00", source
