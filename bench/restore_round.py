"""Play one way to bring a fleet back: `python -m bench.restore_round ANSWER < WAY`.

The chore's own is planned, approved and carried out by the state machine; a script's is planned by
the chore, too. How it went is written to the file ANSWER. To be run in a fresh process.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final

from botocore.session import Session

from bench.ec2bed.http import Request
from bench.lambda_stage import Cloud, Lambda
from bench.machine import Machine, MachineError, definition
from bench.one_by_one import bring_back

_TIMEOUT_SECONDS: Final = 300
"""The function's own, in the template."""


def main() -> None:
    try:
        _play(Path(sys.argv[1]), json.load(sys.stdin))
        status = 0
    except Exception:  # noqa: BLE001 - whatever it was is told
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # time stands still now: who waits for it would wait for ever


def _play(answer: Path, given: dict[str, Any]) -> None:
    cloud = Cloud()
    _ask(cloud, "reset", given["options"])
    figures: dict[str, Any] = {}
    play = _by_script if given["by_script"] else _by_machine
    cloud.stage.run(lambda: figures.update(play(cloud, given)))
    figures["state"] = _ask(cloud, "state", {})
    answer.write_text(json.dumps(figures), encoding="utf-8")


def _by_machine(cloud: Cloud, given: dict[str, Any]) -> dict[str, Any]:
    function, event, stage = Lambda(cloud, "restore", _TIMEOUT_SECONDS), given["event"], cloud.stage
    plan = function.invoke({**event, "mode": "report"})
    planned = stage.seconds
    started = function.invoke({**event, "mode": "act", "approve": plan["plan_id"]})
    if started["status"] != "ok":
        raise MachineError(f"not started: {started}")
    begun = stage.seconds
    machine = Machine(definition(given["concurrency"]), function.invoke, stage)
    machine.play({"plan": plan["plan_id"], "policy": event["policy"], "pace": event["pace"]})
    return {
        "planning_seconds": planned,
        "starting_seconds": begun - planned,
        "seconds": stage.seconds - begun,
        "invocations": function.invocations,
        "billed_ms": function.billed_ms,
        "slept_seconds": function.slept_seconds,
        "starts": function.starts,
        "most_running": function.most_running,
        "errors": function.errors,
        "summary": plan["summary"],
        **{name: machine.counted[name] for name in ("transitions", "retries", "executions")},
    }


def _by_script(cloud: Cloud, given: dict[str, Any]) -> dict[str, Any]:
    function = Lambda(cloud, "restore", _TIMEOUT_SECONDS)
    plan = function.invoke({**given["event"], "mode": "report"})
    session = Session()
    cloud.attach(session)
    begun = cloud.stage.seconds
    for each in plan["outcomes"]:
        bring_back(session.create_client("ec2"), each["target"], each["detail"]["volumes"])
    return {"seconds": cloud.stage.seconds - begun}


def _ask(cloud: Cloud, what: str, body: object) -> Any:
    answer = cloud.bed.answer(Request("POST", f"/_bed/{what}", {}, json.dumps(body).encode()))
    return json.loads(answer.body)


if __name__ == "__main__":
    main()
