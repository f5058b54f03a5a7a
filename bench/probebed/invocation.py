"""Whole invocations of the uptime chore: its handler in a process, with AWS's stand-ins."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from bench.lambdas import LAMBDA_SECONDS, environment
from bench.probebed.measuring import BUNDLE, PAST
from bench.processes import ContenderError, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.bed import Bed
    from bench.probebed.farm import Farm
    from bench.probebed.hosts import Host
    from bench.processes import Measured

_CHORE: Final = "uptime"
_PLACE: Final = "lists/targets.json"
_SIGNED: Final = "AWS4-HMAC-SHA256 Credential=bench/20261121/eu-west-1/s3/aws4_request,"


def write_targets(bed: Bed, hosts: Sequence[Host]) -> None:
    """Put the list of targets where the chore reads it."""
    body = json.dumps({"targets": [host.as_target() for host in hosts]}).encode()
    request = Request(  # noqa: S310 - our own loopback address
        f"{bed.address}/{_PLACE}", body, {"Authorization": _SIGNED}, method="PUT"
    )
    with urlopen(request, timeout=60):  # noqa: S310 - ditto
        pass


def invoke(
    bed: Bed, farm: Farm, *, ahead_seconds: int = 0, past: bool = False, **more: Any
) -> tuple[Measured, dict[str, Any]]:
    """Play one process with the clock so far ahead; return its figures and its answer."""
    minute = time.gmtime(time.time() + ahead_seconds)
    event = {
        "scheduled_time": time.strftime("%Y-%m-%dT%H:%M:00Z", minute),
        "targets_from": f"s3://{_PLACE}",
        **more,
    }
    surroundings = {
        **bed.environment(),
        **environment(_CHORE),
        BUNDLE: str(farm.bundle),
        PAST: "1" if past else "",
    }
    with TemporaryDirectory() as folder:
        file = Path(folder, "answer.json")
        command = [sys.executable, "-m", "bench.probebed.handler", _CHORE, str(file)]
        figures = (str(LAMBDA_SECONDS), str(ahead_seconds), "1")
        measured = measure([*command, *figures], surroundings, json.dumps(event))
        answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if answer["status"] not in {"ok", "partial"}:
        raise ContenderError(f"the chore answered {answer['status']}: {answer}")
    return measured, answer
