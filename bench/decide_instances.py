"""The pure decision on instances: `python -m bench.decide_instances INSTANCES IMPAIRED ROUNDS`.

Prints, as JSON, the seconds of each round by the clock and of the processor, and resident memory in
MiB before and at its peak.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, Final

from bench.decide import peak_mib, resident_mib
from bench.ec2bed.fleet import CASES, EBS, REMEDIATE, SYSTEM
from bench.ec2bed.options import REGION

_NOW: Final = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
_SLOT: Final = "2026-11-21T06:00Z"
_SLOT_BEFORE: Final = "2026-11-21T05:59Z"
_SINCE: Final = _NOW - timedelta(minutes=30)
_LAUNCHED: Final = _NOW - timedelta(days=90)


def main() -> None:
    instances, impaired, rounds = map(int, sys.argv[1:4])
    from functions.instance_health.plan import plan_health  # noqa: PLC0415 - not in the bench
    from functions.instance_health.request import InstanceHealthRequest  # noqa: PLC0415

    facts = _facts(instances, impaired)
    request = InstanceHealthRequest.model_validate({})
    before, reasons = resident_mib(), Counter[str]()
    seconds, busy = [], []
    for _ in range(rounds):
        start, start_busy = time.perf_counter(), time.process_time()
        plan = plan_health(facts, request, slot=_SLOT, now=_NOW)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
        reasons = Counter(f"{each.action}: {each.reason}" for each in plan.decisions)
        del plan
    answer = {
        "instances": instances,
        "impaired": impaired,
        "seconds": seconds,
        "cpu_seconds": busy,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "reasons": reasons,
    }
    sys.stdout.write(json.dumps(answer))


def _facts(instances: int, impaired: int) -> Any:
    """Return a fleet whose impaired instances were seen a minute before, spread as the bed does."""
    from functions.instance_health.facts import Facts, Machine, Status  # noqa: PLC0415
    from functions.instance_health.sightings import Sighting, Trouble  # noqa: PLC0415

    ids = [f"i-{number:017x}" for number in range(instances)]
    zones = [f"{REGION}{letter}" for letter in "abc"]
    chosen = {ids[number * instances // impaired] for number in range(impaired)}
    cases = dict(zip(sorted(chosen), cycle(CASES), strict=False))
    statuses, machines, sightings = [], {}, {}
    for number, each in enumerate(ids):
        zone = zones[number % len(zones)]
        case = cases.get(each)
        if case is None:
            statuses.append(Status(each, zone, "running", "ok", "ok", "ok"))
            continue
        system, ebs = ("impaired" if case.fails == check else "ok" for check in (SYSTEM, EBS))
        instance = "ok" if case.fails == EBS else "impaired"
        statuses.append(Status(each, zone, "running", system, instance, ebs, _SINCE))
        tags = {"Name": each, **({REMEDIATE: case.allowed} if case.allowed else {})}
        machines[each] = Machine(each, "running", zone, "m7g.large", _LAUNCHED, tags)
        sightings[each] = Sighting(Trouble.IMPAIRED, _SINCE, 2, _SLOT_BEFORE)
    return Facts(tuple(statuses), machines, sightings)


if __name__ == "__main__":
    main()
