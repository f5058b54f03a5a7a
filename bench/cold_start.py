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
from bench.ec2bed.options import REGION
from bench.lambdas import environment
from bench.tables import Table, ratio

BUILD: Final = ROOT / ".aws-sam/build"
_EC2_ALONE: Final = "bare boto3 client, EC2"
_DYNAMODB_ALONE: Final = "bare boto3 client, DynamoDB"
_BARE: Final = "import boto3\nboto3.client('ec2')\n"
_BARE_STATE: Final = "import boto3\nboto3.client('dynamodb')\n"
_EC2: Final = """
from caretaker.aws.places import Place
from caretaker.aws.session import account_at
account_at(Place("123456789012", "eu-west-1")).ec2
"""
_STATE: Final = 'from caretaker.aws.session import home\nhome("eu-west-1").dynamodb\n'
_TIME: Final = "2026-11-21T03:00:00Z"
_EVENTS: Final[dict[str, dict[str, object]]] = {
    "snapshot": {"policy": "daily", "scheduled_time": _TIME},
    "retention": {"policy": "daily", "scheduled_time": _TIME, "keep": {"daily": 14, "weekly": 8}},
    "tagging": {
        "scheduled_time": _TIME,
        "rules": {
            "CostCenter": {"pattern": "[0-9]{4}", "from": ["instance", "subnet"]},
            "Owner": {"escalate": True},
            "Environment": {"values": ["prod", "stage", "test"], "case": "normalise"},
        },
    },
    "instance_health": {
        "scheduled_time": _TIME,
        "maintenance_windows": [
            {"start": "02:30", "duration_minutes": 90, "zone": "Europe/Berlin", "weekdays": ["sun"]}
        ],
    },
    "alerts": {"scheduled_time": _TIME},
    "uptime": {
        "scheduled_time": _TIME,
        "targets": [{"name": "shop", "url": "https://shop.example.com/health"}],
    },
    "service_repair": {
        "scheduled_time": _TIME,
        "repair": {
            "ecs_service": {"cluster": "prod", "service": "shop"},
            "incident": "caretaker/123456789012/eu-west-1/uptime/default/target_down/shop",
            "target": "shop",
        },
    },
}
_CALL_THE_TABLE_FIRST: Final = ("alerts", "uptime", "service_repair")
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
start, start_busy = time.perf_counter(), time.process_time()
sys.path[:0] = {folders!r}
{code}
import resource
took = (time.perf_counter() - start) * 1000
busy = (time.process_time() - start_busy) * 1000
print(took, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Code to start with, and the folders it is imported from."""

    name: str
    code: str
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """Medians of a case; `busy` is time of the processor, which other work lengthens less."""

    milliseconds: float
    fastest: float
    busy: float
    peak_mib: float


def handler(chore: str) -> str:
    """Return all that a cold invocation does before its first call: module, event, client."""
    return (
        f"from functions.{chore} import app\n"
        "from caretaker.request import parse_request\n"
        f"parse_request(app.CHORE.request, {_EVENTS[chore]!r})\n"
        f"{_STATE if chore in _CALL_THE_TABLE_FIRST else _EC2}"
    )


def built_folders(build: Path, chore: str) -> tuple[str, str]:
    """Return the folders of a build that Python imports from: the function's, the layer's."""
    function = next(build.glob(f"*/functions/{chore}/app.py")).parents[2]
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
        full = built_folders(BUILD, "snapshot")
        cases = [
            Case(_EC2_ALONE, _BARE, full),
            Case(_DYNAMODB_ALONE, _BARE_STATE, full),
            *(Case(chore, handler(chore), built_folders(BUILD, chore)) for chore in _EVENTS),
            *(
                Case(f"{chore}, plain `sam build`", handler(chore), built_folders(plain, chore))
                for chore in _EVENTS
            ),
            *(Case(f"  {name} alone", code, full) for name, code in _PARTS.items()),
        ]
        started = _measure(cases, rounds)
    rows = [
        (
            name,
            f"{case.milliseconds:.0f}",
            f"{case.fastest:.0f}",
            f"{case.busy:.0f}",
            ratio(case.milliseconds, _bare(name, started).milliseconds),
            ratio(case.busy, _bare(name, started).busy),
            _against_plain(name, started),
            f"{case.peak_mib:.0f}",
        )
        for name, case in started.items()
    ]
    head = (
        "fresh process", "median ms", "fastest ms", "CPU ms", "/ bare client", "CPU / bare",
        "/ plain build", "MiB",
    )  # fmt: skip
    table = Table(f"cold start, {rounds} interleaved rounds", head, rows)
    return table, {"rounds": rounds, "table": table.as_json()}


def _bare(name: str, started: dict[str, Started]) -> Started:
    """Return the bare client to compare with: the one of the service that is called first."""
    return started[_DYNAMODB_ALONE if name.startswith(_CALL_THE_TABLE_FIRST) else _EC2_ALONE]


def _against_plain(name: str, started: dict[str, Started]) -> str:
    plain = started.get(f"{name}, plain `sam build`")
    return ratio(started[name].milliseconds, plain.milliseconds) if plain else "-"


def _measure(cases: list[Case], rounds: int) -> dict[str, Started]:
    for case in cases:  # the first round warms the disk's cache
        _start(case)
    taken = [{case.name: _start(case) for case in cases} for _ in range(rounds)]
    return {
        case.name: Started(
            statistics.median(each[case.name][0] for each in taken),
            min(each[case.name][0] for each in taken),
            statistics.median(each[case.name][1] for each in taken),
            statistics.median(each[case.name][2] for each in taken),
        )
        for case in cases
    }


def _start(case: Case) -> tuple[float, float, float]:
    """Return milliseconds by the clock and of the processor, and the peak memory in MiB."""
    surroundings = {
        **environment("snapshot"),
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
            command, cwd=empty, env=surroundings, capture_output=True, text=True, check=True
        )
    milliseconds, busy, peak = map(float, answer.stdout.splitlines()[-1].split())
    return milliseconds, busy, peak
