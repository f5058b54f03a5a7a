"""Play Lambda for the uptime chore upon a farm: as `bench.lambda_round`, with the farm's names.

Beside what `ours` changes, names are looked up here, in as long as a resolver takes. Where
`PAST` is set, what the run remembers is written as if it had run for three months.
"""

from __future__ import annotations

import inspect
import os
import socket
import time
from contextlib import ExitStack
from typing import Any

from bench import lambda_round
from bench.probebed.hosts import DOMAIN, HOSTS, address_of
from bench.probebed.measuring import BUNDLE, LOOK_UP_SECONDS, PAST
from bench.probebed.ours import changed, within_farm
from functions.uptime.memory import Memory
from functions.uptime.records import Closed
from functions.uptime.shelves import DAYS_KEPT, HOURS_KEPT, Past
from functions.uptime.spans import DAY, HOUR, Sum


def main() -> None:
    with ExitStack() as stack:
        stack.enter_context(within_farm(os.environ[BUNDLE]))
        stack.enter_context(changed(socket, "getaddrinfo", _resolver()))
        if os.environ.get(PAST):
            stack.enter_context(changed(Memory, "remember", _remembering()))
        lambda_round.main()


def _resolver() -> Any:
    """Return a `getaddrinfo` that knows the hosts of the farm; there are fewer addresses."""
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        name = str(host)
        if not name.endswith(DOMAIN):
            return real(host, port, *more, **named)
        time.sleep(LOOK_UP_SECONDS)
        number = int(name.partition(".")[0].removeprefix("h")) % HOSTS
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address_of(number), 0))]

    return look_up


def _remembering() -> Any:
    """Return a `Memory.remember` that writes a past of the longest kind for each target."""
    remember = Memory.remember
    signature = inspect.signature(remember)

    def written(memory: Memory, *given: Any, **named: Any) -> Any:
        bound = signature.bind(memory, *given, **named)
        seconds = int(memory.run.scene.now.timestamp())
        bound.arguments["past"] = {
            name: _past(seconds, len(name)) for name in bound.arguments["records"]
        }
        return remember(*bound.args, **bound.kwargs)

    return written


def _past(seconds: int, odd: int) -> Past:
    """Return three months of days and a day of hours, no two sums of them alike."""

    def closed(length: int, number: int) -> list[Closed]:
        last = seconds - seconds % length - length
        return [
            Closed(length, last - back * length, _sum(length, back, odd)) for back in range(number)
        ]

    return Past().after([*closed(HOUR, HOURS_KEPT), *closed(DAY, DAYS_KEPT)])


def _sum(length: int, back: int, odd: int) -> Sum:
    return Sum(length - back, back, 0, length // 60, 70_000 + back, 900 + odd)


if __name__ == "__main__":
    main()
