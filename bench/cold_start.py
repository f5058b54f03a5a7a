"""Cold start: a fresh process per case and round, against a bare client of the same package."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.bed import ROOT
from bench.contenders import FUNCTION_ENVIRONMENT
from bench.ec2bed.options import REGION
from bench.tables import Table, ratio

BUILD: Final = ROOT / ".aws-sam/build"
_BARE: Final = "import boto3\nboto3.client('ec2')\n"
# All a cold invocation does before its first call to AWS: the module, the event, the client.
_HANDLER: Final = """
from functions.snapshot import app
from caretaker.aws.session import Place, account_at
from caretaker.request import parse_request
parse_request(app.CHORE.request, {"policy": "daily", "scheduled_time": "2026-11-21T03:00:00Z"})
account_at(Place("123456789012", "eu-west-1")).ec2
"""
_PARTS: Final = {
    "botocore.session": "import botocore.session\n",
    "botocore client": "from botocore.session import Session\nSession().create_client('ec2')\n",
    "pydantic": "import pydantic\npydantic.BaseModel\n",
    "powertools Logger": "from aws_lambda_powertools.logging import Logger\nLogger()\n",
    "the event's model": "from functions.snapshot.request import SnapshotRequest\n",
    "the handler's module": "from functions.snapshot import app\n",
}
_TIMED: Final = """
import sys, time
start = time.perf_counter()
sys.path[:0] = {folders!r}
{code}
import resource
took = (time.perf_counter() - start) * 1000
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Code to start with, and the folders it is imported from."""

    name: str
    code: str
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """Medians of a case."""

    milliseconds: float
    fastest: float
    peak_mib: float


def built_folders(build: Path) -> tuple[str, str]:
    """Return the folders of a build that Python imports from: the function's, the layer's."""
    function = next(build.glob("*/functions/snapshot/app.py")).parents[2]
    layer = next(build.glob("*/python/caretaker")).parent
    return str(function), str(layer)


def measure_cold_start(rounds: int) -> tuple[Table, dict[str, Any]]:
    """Start each case in turn, so that what else the machine does meets all alike."""
    if not BUILD.is_dir():
        raise SystemExit("nothing is built: run `make build` first")
    with TemporaryDirectory() as folder:
        plain = Path(folder, "build")
        # What `sam build` alone leaves: no bytecode, and nowhere to write any.
        shutil.copytree(BUILD, plain, ignore=shutil.ignore_patterns("__pycache__"))
        full, bare = built_folders(BUILD), built_folders(plain)
        cases = [
            Case("bare boto3 client", _BARE, full),
            Case("handler, event and client", _HANDLER, full),
            Case("the same from a plain `sam build`", _HANDLER, bare),
            *(Case(f"  {name} alone", code, full) for name, code in _PARTS.items()),
        ]
        started = _measure(cases, rounds)
    base, plain_start = started[cases[0].name], started[cases[2].name]
    rows = [
        (
            name,
            f"{case.milliseconds:.0f}",
            f"{case.fastest:.0f}",
            ratio(case.milliseconds, base.milliseconds),
            ratio(case.milliseconds, plain_start.milliseconds),
            f"{case.peak_mib:.0f}",
        )
        for name, case in started.items()
    ]
    head = ("fresh process", "median ms", "fastest ms", "/ bare client", "/ plain build", "MiB")
    table = Table(f"cold start, {rounds} interleaved rounds", head, rows)
    return table, {"rounds": rounds, "table": table.as_json()}


def _measure(cases: list[Case], rounds: int) -> dict[str, Started]:
    for case in cases:  # the first round warms the disk's cache
        _start(case)
    taken = [{case.name: _start(case) for case in cases} for _ in range(rounds)]
    return {
        case.name: Started(
            statistics.median(each[case.name][0] for each in taken),
            min(each[case.name][0] for each in taken),
            statistics.median(each[case.name][1] for each in taken),
        )
        for case in cases
    }


def _start(case: Case) -> tuple[float, float]:
    """Return the milliseconds from the first line to the last, and the peak memory in MiB."""
    environment = {
        **FUNCTION_ENVIRONMENT,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
    code = _TIMED.format(folders=list(case.folders), code=case.code)
    # -S: the packages must come from the build, not from the environment the bench runs in.
    command = [sys.executable, "-S", "-c", code]
    with TemporaryDirectory() as empty:
        answer = subprocess.run(
            command, cwd=empty, env=environment, capture_output=True, text=True, check=True
        )
    milliseconds, peak = answer.stdout.splitlines()[-1].split()
    return float(milliseconds), float(peak)
