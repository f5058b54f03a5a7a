"""The pure decision on tags: `python -m bench.decide_tagging RESOURCES VIOLATIONS ROUNDS`.

Prints, as JSON, the seconds of each round by the clock and of the processor, and resident memory in
MiB before and at its peak.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.decide import peak_mib, resident_mib
from bench.ec2bed.options import ACCOUNT
from bench.ec2bed.tagging import COST_CENTRE, COST_CENTRES
from bench.judging import RULES

_NOW: Final = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
_SLOT: Final = "2026-11-21T06:00Z"
_CREATED: Final = _NOW - timedelta(days=90)
_TENTHS: Final = {"instance": 1, "volume": 3, "snapshot": 5, "network-interface": 1}
"""Of ten resources so many are of each type."""


def main() -> None:
    resources, violations, rounds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    from functions.tagging.plan import plan_tagging  # noqa: PLC0415 - not in the bench itself
    from functions.tagging.request import TaggingRequest  # noqa: PLC0415

    facts = _facts(resources, violations)
    request = TaggingRequest.model_validate({"rules": RULES})
    before, actions = resident_mib(), Counter[str]()
    seconds, busy = [], []
    for _ in range(rounds):
        start, start_busy = time.perf_counter(), time.process_time()
        plan = plan_tagging(facts, request, slot=_SLOT, now=_NOW)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
        actions = Counter(str(decision.action) for decision in plan.decisions)
        del plan
    answer = {
        "seconds": seconds,
        "cpu_seconds": busy,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "actions": actions,
    }
    sys.stdout.write(json.dumps(answer))


def _facts(resources: int, violations: float) -> Any:
    """Return resources of four types in their shares, spread violations as the bed does."""
    from functions.tagging.facts import Facts, Links, Resource  # noqa: PLC0415
    from functions.tagging.rules import Source  # noqa: PLC0415

    subnets = {f"subnet-{centre}": {COST_CENTRE: centre} for centre in COST_CENTRES}
    instances = resources * _TENTHS["instance"] // 10
    made: list[Resource] = []
    broken = 0
    for resource_type, tenths in _TENTHS.items():
        for number in range(resources * tenths // 10):
            tags = _tags(number)
            if int((len(made) + 1) * violations) > broken:
                _break(tags, broken)
                broken += 1
            instance = number % instances
            links = Links(
                instance="" if resource_type == "instance" else f"instance-{instance:017x}",
                subnet=f"subnet-{COST_CENTRES[instance % len(COST_CENTRES)]}",
            )
            name = f"{resource_type}-{number:017x}"
            made.append(Resource(name, resource_type, tags, 6, _CREATED, "", links))
    tags_of_instances = {each.id: each.tags for each in made[:instances]}
    sources: dict[Source, dict[str, Any]] = {
        Source.SUBNET: subnets,
        Source.INSTANCE: tags_of_instances,
        Source.VOLUME: {},
    }
    return Facts(tuple(made), sources=sources, account=ACCOUNT)


def _tags(number: int) -> dict[str, str]:
    return {
        COST_CENTRE: COST_CENTRES[number % len(COST_CENTRES)],
        "Owner": sys.intern(f"team-{number % 40}"),
        "Environment": ("prod", "stage", "test")[number % 3],
    }


def _break(tags: dict[str, str], broken: int) -> None:
    match broken % 4:
        case 0:
            del tags[COST_CENTRE]
        case 1:
            del tags["Owner"]
        case 2:
            tags["Environment"] = "unknown"
        case _:
            tags["environment"] = tags.pop("Environment")


if __name__ == "__main__":
    main()
