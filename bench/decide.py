"""The pure decision alone: `python -m bench.decide SNAPSHOTS VOLUMES ROUNDS`, in a fresh process.

Prints, as JSON, the seconds of each round by the clock and of the processor, and resident memory in
MiB before and at its peak.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.ec2bed.options import ACCOUNT

KEEP: Final = {"daily": 14, "weekly": 8, "monthly": 12, "within_days": 3}
"""What the template keeps unless told otherwise."""
_NOW: Final = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
_KIB_PER_MIB: Final = 1024


def main() -> None:
    snapshots, volumes, rounds = map(int, sys.argv[1:4])
    from functions.retention.plan import plan_retention  # noqa: PLC0415 - not in the bench itself
    from functions.retention.request import RetentionRequest  # noqa: PLC0415

    facts = _facts(snapshots, volumes)
    request = RetentionRequest.model_validate({"keep": KEEP})
    before, seconds, actions = resident_mib(), [], Counter[str]()
    busy: list[float] = []
    for _ in range(rounds):
        start, start_busy = time.perf_counter(), time.process_time()
        plan = plan_retention(facts, request, now=_NOW)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
        actions = Counter(decision.action for decision in plan.decisions)
        del plan
    answer = {
        "seconds": seconds,
        "cpu_seconds": busy,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "actions": actions,
    }
    sys.stdout.write(json.dumps(answer))


def _facts(snapshots: int, volumes: int) -> Any:
    """Return a policy of a day's snapshot of each volume, as many days back as it takes."""
    from caretaker.ec2 import Snapshot, Volume  # noqa: PLC0415
    from functions.retention.facts import Facts  # noqa: PLC0415

    fleet = tuple(
        Volume(f"vol-{n:017x}", "in-use", _NOW - timedelta(days=90), 8, "gp3")
        for n in range(volumes)
    )
    made = []
    for number in range(snapshots):
        started = (_NOW - timedelta(days=1 + number // volumes)).replace(hour=3)
        slot = started.strftime("%Y-%m-%dT%H:%MZ")
        tags = {
            "caretaker:managed-by": "caretaker",
            "caretaker:policy": "daily",
            "caretaker:slot": slot,
        }
        made.append(
            Snapshot(
                id=f"snap-{number:017x}",
                volume_id=fleet[number % volumes].id,
                state="completed",
                started=started,
                owner_id=ACCOUNT,
                tags=tags,
                description=sys.intern(f"caretaker daily {slot}"),
                size_gib=5,
            )
        )
    return Facts(ACCOUNT, "caretaker", tuple(made), fleet)


def resident_mib() -> float:
    """Return what the process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / _KIB_PER_MIB**2


def peak_mib() -> float:
    """Return the most it ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB


if __name__ == "__main__":
    main()
