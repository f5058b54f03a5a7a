"""The built functions and the layer under Lambda's own runtime client, without Docker."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.cloud.deployment import Json, Stack
from tests.cloud.processes import KeptServer, free_port
from tests.cloud.stack import LocalCloud
from tests.cloud.tools import BUILD, machine_architecture, tool
from tests.contract.template import function_of
from tests.e2e.conftest import Fleet

LAYER = BUILD / "CommonLayer" / "python"
CHORES = (
    *("snapshot", "retention", "tagging", "instance_health", "uptime", "service_repair"),
    "alerts",
)
RUNTIME = ("awslambdaric", "simplejson", "snapshot_restore_py.py", "runtime_client.*.so")
RIE_ACCOUNT = "012345678912"
"""The emulator makes this account up."""

NEEDED = frozenset(
    {
        *("annotated_types", "aws_lambda_powertools", "botocore", "caretaker", "dateutil"),
        *("functions", "jmespath", "pydantic", "pydantic_core", "six", "typing_extensions"),
        *("typing_inspection", "urllib3"),
    }
)
"""Packages that a cold start may import; boto3 and s3transfer, which the layer holds, are not."""
NEEDED_BY = {"uptime": frozenset({"certifi", "pycurl"})}
"""Packages that one function brings for itself."""
UNNEEDED = frozenset({"asyncio", "multiprocessing", "sqlite3", "unittest", "xmlrpc"})
_IMPORTED = "import functions.{}.app, sys; print(*sys.modules)"

type Answers = Callable[[str, Json], Json]


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
def answer_of(
    cloud: LocalCloud, stack: Stack, runtime_client: Path, emulator: Path
) -> Iterator[Answers]:
    """Send an event to a chore's built handler behind the emulator; return its answer.

    Its environment is that of the deployed function.
    """
    with ExitStack() as servers:

        def answer(chore: str, event: Json) -> Json:
            name = stack.outputs[f"{function_of(chore)}Name"]
            settings = stack.client("lambda").get_function_configuration(FunctionName=name)
            environment = {
                **cloud.environment(),
                **settings["Environment"]["Variables"],
                "PYTHONPATH": f"{LAYER}:{runtime_client}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_LAMBDA_FUNCTION_TIMEOUT": "900",
            }
            port = free_port()
            command = _emulated(emulator, port, chore)
            servers.callback(KeptServer(f"runtime-{chore}", command, environment).stop)
            _wait_until_open(port)
            return _sent(port, event)

        yield answer


def _emulated(emulator: Path, port: int, chore: str) -> list[str]:
    handler = f"functions.{chore}.app.lambda_handler"
    return [
        str(emulator),
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{free_port()}",
        "/bin/sh",
        "-c",
        f'cd "{_built(chore)}" && exec "{sys.executable}" -S -m awslambdaric {handler}',
    ]


def _sent(port: int, event: Json) -> Json:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    request = Request(url, data=json.dumps(event).encode())
    with urlopen(request, timeout=60) as reply:  # noqa: S310 - ditto
        return dict(json.load(reply))


def _built(chore: str) -> Path:
    return BUILD / function_of(chore)


def _wait_until_open(port: int, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise AssertionError("the emulator does not listen")


def test_the_built_snapshot_function_answers_under_lambdas_own_runtime_client(
    answer_of: Answers, fleet: Fleet
) -> None:
    answer = answer_of("snapshot", {"policy": fleet.policy, "mode": "report"})

    assert (answer["status"], answer["account"]) == ("ok", RIE_ACCOUNT)
    planned = {e["target"] for e in answer["outcomes"] if e["result"] == "planned"}
    assert planned == fleet.volumes


def test_the_built_retention_function_does_too(answer_of: Answers) -> None:
    answer = answer_of("retention", {"policy": "runtime", "keep": {"last": 1}})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "report")
    assert answer["summary"]["recycle_bin_days"] == 14


def test_the_built_tagging_function_does_too(answer_of: Answers, fleet: Fleet) -> None:
    """Its rules are matched by pydantic's own engine, which the built layer has to bring."""
    rule = {"pattern": f"of-{fleet.policy}", "from": ["instance"], "applies_to": ["volume"]}

    answer = answer_of("tagging", {"policy": fleet.policy, "rules": {"Part": rule}})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "report")
    judged = {each["target"]: each["reason"] for each in answer["outcomes"]}
    assert {judged[volume] for volume in fleet.volumes} == {"missing"}


def test_the_built_instance_health_function_does_too(answer_of: Answers) -> None:
    """Its windows are read by the time zones that the built layer has to bring."""
    window = {"start": "22:00", "duration_minutes": 60, "zone": "Europe/Dublin"}

    answer = answer_of("instance_health", {"maintenance_windows": [window]})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "report")


def test_the_built_uptime_function_does_too_and_does_not_probe_its_own_runtime(
    answer_of: Answers,
) -> None:
    """It speaks by the native library that its own build has to bring."""
    own = {"name": "own", "url": "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"}

    answer = answer_of("uptime", {"targets": [own]})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "report")
    assert [each["detail"]["fault"] for each in answer["outcomes"]] == ["blocked"]


def test_the_built_service_repair_function_does_too(answer_of: Answers) -> None:
    answer = answer_of("service_repair", {})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "report")


def test_the_built_alerts_function_does_too(answer_of: Answers) -> None:
    answer = answer_of("alerts", {})

    assert (answer["status"], answer["account"], answer["mode"]) == ("ok", RIE_ACCOUNT, "act")


@pytest.mark.parametrize("chore", CHORES)
def test_a_cold_start_imports_nothing_that_the_function_does_not_need(chore: str) -> None:
    output = subprocess.run(
        [sys.executable, "-S", "-c", _IMPORTED.format(chore)],
        cwd=_built(chore),
        env={
            "PYTHONPATH": str(LAYER),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_FUNCTION_NAME": chore,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    imported = {module.partition(".")[0] for module in output.split()}
    known = NEEDED | NEEDED_BY.get(chore, frozenset())
    assert {each for each in imported - sys.stdlib_module_names if each[0] != "_"} <= known
    assert imported & UNNEEDED == set()
    others = {f"functions.{each}" for each in CHORES if each != chore}
    assert set(output.split()) & others == set()


def test_every_module_of_the_build_has_bytecode_that_is_not_checked_against_its_source() -> None:
    for folder in (LAYER, *map(_built, CHORES)):
        for source in folder.rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            head = compiled.read_bytes()[:8]
            assert head == MAGIC_NUMBER + b"\x01\x00\x00\x00", source
