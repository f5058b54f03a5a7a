"""The starter by the clock on the wall: `python -m bench.fleet_start ANSWER FOLDER < GIVEN`.

The handler as it is, in a process of its own; an organization of that size answers in this process,
as slowly as the bed does. Its figures are written to the file ANSWER.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSResponse

from bench.decide import peak_mib
from bench.ec2bed.http import Answer, Request
from bench.fleet_cloud import FleetBed, Folder
from bench.fleet_size import REGIONS, Fleet, account_id
from bench.lambda_round import Context
from bench.lambda_stage import _Body as Body

if TYPE_CHECKING:
    from collections.abc import Callable

_OTHER_SECONDS: Final = 0.04
_READ_SECONDS: Final = 0.055
_PAGE: Final = 20
_ROOM: Final = {"AccountLimit": {"UnreservedConcurrentExecutions": 900}}
_JSON: Final = "application/x-amz-json-1.1"


def main() -> None:
    answer, given = Path(sys.argv[1]), json.load(sys.stdin)
    bed = OrganizationBed(Fleet(**given["fleet"]), Folder(Path(sys.argv[2])))
    places = import_module("caretaker.aws.places")
    places.own_session().register("before-send", bed.take)
    handler = import_module("functions.fleet.app").lambda_handler
    start, busy = time.perf_counter(), time.process_time()
    said = handler(given["event"], Context("fleet", 900))
    figures = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - busy,
        "peak_mib": peak_mib(),
        "bytes": len(json.dumps(said)),
        "status": said["status"],
        "errors": said["errors"],
        "summary": said["summary"],
        "calls": bed.state_calls(),
    }
    answer.write_text(json.dumps(figures), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)


class OrganizationBed(FleetBed):
    """The bed, and an organization; every account of it lets the role in."""

    def __init__(self, fleet: Fleet, objects: Folder) -> None:
        super().__init__(objects, time.monotonic)
        self._fleet = fleet
        self._lock = Lock()
        self._said: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "DescribeOrganization": lambda _: {"Organization": {"MasterAccountId": "1" * 12}},
            "ListAccounts": self._accounts,
            "ListTagsForResource": lambda _: {"Tags": [{"Key": "team", "Value": "a"}]},
        }

    def take(self, request: Any, **_: object) -> AWSResponse:
        """Answer a call of botocore's, after as long as AWS takes."""
        asked = _asked(request)
        with self._lock:
            answer = self.answer(asked)
        time.sleep(answer.delay)
        headers: Any = {"Content-Type": answer.content_type, **answer.headers}
        return AWSResponse(request.url, answer.status, headers, Body(answer.body))

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        target = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if request.service == "organizations":
            self._calls[f"organizations:{target}"] += 1
            return _as_json(self._said[target](json.loads(request.body)))
        if request.service == "lambda":
            self._calls[f"lambda:{request.path.rpartition('/')[2]}"] += 1
            return _as_json(_ROOM if "account-settings" in request.path else {})
        if request.service == "ec2":
            self._calls["DescribeRegions"] += 1
            return Answer(_regions(), 200, _READ_SECONDS)
        return super().answer(request)

    def _accounts(self, asked: dict[str, Any]) -> dict[str, Any]:
        start = int(asked.get("NextToken", 0))
        end = min(start + _PAGE, self._fleet.accounts)
        ids = [account_id(number) for number in range(start, end)]
        page = [{"Id": each, "Name": f"a-{each}", "State": "ACTIVE"} for each in ids]
        more = {"NextToken": str(end)} if end < self._fleet.accounts else {}
        return {"Accounts": page, **more}


def _as_json(content: object) -> Answer:
    return Answer(json.dumps(content).encode(), 200, _OTHER_SECONDS, _JSON)


def _regions() -> bytes:
    status = "<optInStatus>opt-in-not-required</optInStatus>"
    items = "".join(f"<item><regionName>{name}</regionName>{status}</item>" for name in REGIONS)
    listed = f"<regionInfo>{items}</regionInfo>"
    return f"<DescribeRegionsResponse>{listed}</DescribeRegionsResponse>".encode()


def _asked(sent: Any) -> Request:
    parts = urlsplit(sent.url)
    body = sent.body.read() if hasattr(sent.body, "read") else sent.body or b""
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in sent.headers.items()
    }
    content = body.encode() if isinstance(body, str) else body
    return Request(sent.method, unquote(parts.path), headers, content, parts.query)


if __name__ == "__main__":
    main()
