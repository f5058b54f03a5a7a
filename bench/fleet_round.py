"""Play a fleet's run, or one way without: `python -m bench.fleet_round ANSWER FOLDER < RUN`.

The planner, the machine and its steps are the real ones, the cells a model; the bucket lies in
FOLDER. What came of it is written to the file ANSWER. To be run in a fresh process.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.fleet_cells import Cells
from bench.fleet_cloud import FleetCloud, Steps
from bench.fleet_machine import STEP, FleetMachine
from bench.fleet_plan import facts_of, manifest_of, request_of
from bench.fleet_size import Fleet


def main() -> None:
    try:
        answer, folder = Path(sys.argv[1]), Path(sys.argv[2])
        answer.write_text(json.dumps(_play(folder, json.load(sys.stdin))), encoding="utf-8")
        status = 0
    except Exception:  # noqa: BLE001 - whatever it was is told
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # time stands still now: who waits for it would wait for ever


def _play(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    fleet, cloud = Fleet(**given["fleet"]), FleetCloud(folder)
    steps = Steps(cloud)
    sizes = dict(zip(fleet.cells(), fleet.sizes(), strict=True))
    manifest = manifest_of(facts_of(fleet), request_of(given), given["run"])
    cells = Cells(cloud.stage, given, sizes)
    if given["largest_first"]:
        # The first cell is the canary, for which all others wait: that is to stay the same.
        ordered = sorted(manifest.cells, key=lambda cell: -sizes[tuple(cell)])
        manifest = replace(manifest, cells=tuple(ordered), canary=manifest.cells[0])
    cloud.objects.put_json(f"fleet/runs/{given['run']}/manifest.json", manifest.as_document())

    def invoke(function: str, payload: dict[str, Any]) -> dict[str, Any]:
        return steps.invoke(payload) if function == STEP else cells.invoke(payload)

    machine = FleetMachine(invoke, cloud.objects, cloud.stage, quick=given["quick"])
    begun = cloud.stage.seconds
    event = {"policy": given["policy"], "wave": {"number": 0}}
    cloud.stage.run(lambda: machine.play(given["run"], event))
    return {
        "seconds": cloud.stage.seconds - begun,
        "counted": dict(machine.counted),
        "largest": dict(machine.largest),
        "child_seconds": machine.child_seconds,
        "maps": [
            {**each, **cells.needed(cloud.objects.get_json(each.pop("key")))}
            for each in machine.maps
        ],
        "steps": steps.taken,
        "summary": steps.last["summary"],
        "status": steps.last["status"],
        "objects": cloud.objects.sizes(),
        "s3": dict(cloud.bed.counted),
        **cells.figures(),
    }


if __name__ == "__main__":
    main()
