"""The planner, or the judge: `python -m bench.fleet_decide WHAT FOLDER < GIVEN`.

WHAT is plan, prepare (the results of the children, into FOLDER, which is the bucket), or judge.
Prints JSON: seconds by the clock and of the processor, memory in MiB, sizes in bytes. To be run in
a fresh process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.decide import peak_mib, resident_mib
from bench.fleet_cells import Ended, answer_of
from bench.fleet_cloud import FleetCloud, Folder, Steps
from bench.fleet_machine import ended, write_ends
from bench.fleet_plan import facts_of, manifest_of, plan_of, request_of
from bench.fleet_size import Fleet

_UNANSWERED: Final = 100
"""One in so many."""
_TIMED_OUT: Final = {
    "Status": "FAILED",
    "Error": "Sandbox.Timedout",
    "Cause": '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 4f0f7d4e-0000 Error: '
    'Task timed out after 900.00 seconds"}',
}


def main() -> None:
    given = json.load(sys.stdin)
    do = {"plan": _plan, "prepare": _prepare, "judge": _judge}[sys.argv[1]]
    # Last of all, past whatever the handler logs.
    sys.stdout.write(f"\n{json.dumps(do(given, Path(sys.argv[2])))}")
    sys.stdout.flush()
    os._exit(0)


def _plan(given: dict[str, Any], _: Path) -> dict[str, Any]:
    facts, request = facts_of(Fleet(**given["fleet"]), given["shut"]), request_of(given)
    before, seconds, busy = resident_mib(), [], []
    plan = plan_of(facts, request)
    name = plan.id
    for _round in range(given["rounds"]):
        start, start_busy = time.perf_counter(), time.process_time()
        plan = plan_of(facts, request)
        name = plan.id
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
    peak = peak_mib()
    manifest = manifest_of(facts, request, given["run"])
    items = [manifest.item_of(cell) for cell in manifest.cells]
    return {
        "plan": name,
        "decisions": len(plan.decisions),
        "cells": len(plan.cells),
        "seconds": seconds,
        "cpu_seconds": busy,
        "before_mib": before,
        "peak_mib": peak,
        "manifest_bytes": len(json.dumps(manifest.as_document())),
        "wave_bytes": len(json.dumps(items)),
        "item_bytes": max(len(json.dumps(each)) for each in items),
        "answer_bytes": _answer_bytes(plan, manifest),
    }


def _answer_bytes(plan: Any, manifest: Any) -> int:
    """Return how long the starter's answer is, of which a person, or a schedule, hears."""
    from caretaker.decisions import Outcome, Result  # noqa: PLC0415
    from caretaker.report import Findings, Heading, answer_of  # noqa: PLC0415

    outcomes = [Outcome(each, Result.DONE) for each in plan.decisions]
    head = Heading("fleet", "bench", "act", "0" * 26, manifest.slot, "1" * 12, "eu-west-1")
    return len(json.dumps(answer_of(head, Findings(outcomes), report="", duration_ms=0)))


def _prepare(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write the manifest, one wave and what its children came to."""
    bucket, root = Folder(folder), f"fleet/runs/{given['run']}"
    facts, request = facts_of(Fleet(**given["fleet"]), given["shut"]), request_of(given)
    manifest = manifest_of(facts, request, given["run"])
    items = [manifest.item_of(cell) for cell in manifest.cells]
    bucket.put_json(f"{root}/manifest.json", manifest.as_document())
    bucket.put_json(f"{root}/wave-1.json", items)
    ends = [
        ended(f"{number}", item, _told(given, item, number)) for number, item in enumerate(items)
    ]
    write_ends(bucket, f"{root}/ended-1/{'0' * 36}", ends)
    return {"sizes": bucket.sizes()}


def _told(given: dict[str, Any], item: dict[str, Any], number: int) -> dict[str, Any]:
    case = given["case"]
    if case == "troubled" and number % _UNANSWERED == 0:
        return _TIMED_OUT
    status = "failed" if case == "all failed" else "ok"
    if case == "troubled" and number % _UNANSWERED == 1:
        status = "failed"
    answer = answer_of(given["chore"], item["event"], Ended(status, 12 * (status == "ok")))
    return {"Status": "SUCCEEDED", "Output": json.dumps(answer)}


def _judge(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    cloud = FleetCloud(folder)
    steps = Steps(cloud)
    for number in range(given["handed"]):
        _hand(cloud, given, number)
    before, took = resident_mib(), dict[str, float]()
    step = {"do": "judge", "run": given["run"], "after": 1}

    def play() -> None:
        start = time.perf_counter()
        steps.invoke({"policy": given["policy"], "step": step})
        took["seconds"] = time.perf_counter() - start

    cloud.stage.run(play)
    ledgers = [size for key, size in cloud.objects.sizes().items() if key.startswith("fleet/bench")]
    return {
        **steps.taken[0],
        **took,
        "status": steps.last["status"],
        "summary": steps.last["summary"],
        "before_mib": before,
        "peak_mib": peak_mib(),
        "ledger_bytes": max(ledgers),
        "calls": dict(cloud.bed.state_calls()),
    }


def _hand(cloud: FleetCloud, given: dict[str, Any], number: int) -> None:
    """Leave what a cell hands on: that its policy selects nothing."""
    from caretaker.incidents import Check, Origin  # noqa: PLC0415
    from caretaker.transitions import plan_transitions  # noqa: PLC0415

    account, region = Fleet(**given["fleet"]).cells()[number]
    now = datetime.now(UTC)
    origin = Origin(
        "caretaker", "bench", account, region, given["chore"], "daily", "0" * 26, "", "", ""
    )
    check = Check(kind="nothing_selected", resource="daily", healthy=False, what="selects nothing")
    changes = plan_transitions([], [check], judged=frozenset(), now=now, origin=origin)
    incident = changes.opened[0]
    item = {
        "pk": {"S": f"handed#{given['run']}"},
        "sk": {"S": f"{incident.full_key}#ALARM"},
        "turn": {"S": "ALARM"},
        "document": {"S": json.dumps(incident.as_document())},
        "urgent": {"N": "0"},
    }
    cloud.bed.put_item("state", item)


if __name__ == "__main__":
    main()
