"""A chore's scenario, run again and again with another call going wrong."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.support.snapshots import MAX_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from caretaker.run import Chore
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

FIRST: Final = "0c0ffee0-0000-4000-8000-000000000001"
SECOND: Final = "0c0ffee0-0000-4000-8000-000000000002"
THIRD: Final = "0c0ffee0-0000-4000-8000-000000000003"
RETRY_SECONDS: Final = (61, 121)
"""Lambda waits a minute before the first retry of an event, two before the second."""
FAULTS: Final = (
    "answer_lost",
    "never_arrived",
    "throttled",
    "internal_error",
    "unavailable",
    "denied",
)
UNCLEAR_FAULTS: Final = ("answer_lost", "internal_error", "denied")
"""Those that leave most behind; the others are met by the retry."""


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more, its error handling neither."""


@dataclass
class World:
    """An account in a cloud, and the chore that is let loose on it."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account

    chore: ClassVar[Chore[Any]]
    event: ClassVar[Mapping[str, Any]]
    settled: ClassVar[Mapping[str, Any]]
    """Counts of a run that finds nothing left to do."""

    def run(self, request: str = FIRST) -> dict[str, Any] | None:
        """Run once; None when the run raised, as Lambda would see it."""
        try:
            answer = self.stack.run(self.chore, self.event, request=request)
        except (KilledError, Exception):  # noqa: BLE001 - Lambda does not look at the kind either
            return None
        self.hold_to_truth(answer)
        return answer

    def hold_to_truth(self, answer: dict[str, Any]) -> None:
        """An answer is JSON within its bounds, and what it calls done is done (G9)."""
        assert len(json.dumps(answer)) < MAX_ANSWER
        self.check_answer(answer)

    def check_answer(self, answer: dict[str, Any]) -> None:
        """What it calls done is done (G9)."""
        raise NotImplementedError

    def check_truth(self) -> None:
        """The account is as it has to be in the end, however it got there."""
        raise NotImplementedError

    def photograph(self) -> Any:
        """Return what a further run must not change."""
        raise NotImplementedError

    def check_messages(self) -> None:
        """A run has at most one ALARM and one OK; where an answer got lost, one may come twice."""
        told = {json.dumps(each, sort_keys=True): each for each in self.stack.alerts()}
        turns = [(each["run"], each["state"]) for each in told.values()]
        assert len(turns) == len(set(turns))

    def assert_good(self) -> None:
        """All is done, a further run changes nothing, and people heard what they had to."""
        self.check_truth()
        before = self.photograph()
        again = self.run(THIRD)
        assert again is not None
        assert again["counts"] == self.settled
        assert self.photograph() == before
        self.check_messages()


def strike(world: World, operation: str, nth: int, kind: str) -> dict[str, Any] | None:
    """Let one call fail in one way, and Lambda retry; return what the first run answered."""
    fault = world.cloud.faults.add(kind, operation=operation, nth=nth)
    first = world.run(FIRST)
    assert fault.fired == 1
    again = world.run(FIRST)
    if again is not None and again["status"] == "skipped":
        assert operation == "DeleteItem", "only a lease that was not given back may be met"
        world.clock.advance(RETRY_SECONDS[0])
        world.run(FIRST)
    return first


def strike_and_go_on(world: World, operation: str, nth: int, kind: str) -> None:
    """Let one call fail in one way; the next that happens is another event."""
    world.cloud.faults.add(kind, operation=operation, nth=nth)
    world.run(FIRST)
    world.clock.advance(RETRY_SECONDS[0])
    world.run(SECOND)


def kill(world: World, operation: str, nth: int, *, effective: bool) -> None:
    """Let the run die at one call, before or after it took effect, and Lambda retry."""
    with killed_at(world.cloud, operation, nth, effective=effective):
        assert world.run(FIRST) is None
    for seconds in RETRY_SECONDS:
        world.clock.advance(seconds)
        if world.run(FIRST) is not None:
            break


@contextmanager
def killed_at(cloud: StrictCloud, operation: str, nth: int, *, effective: bool) -> Iterator[None]:
    """Kill the process at its nth call of an operation; from then on it makes no call at all."""
    serve, seen, dead = cloud.serve, 0, False

    def fatal(call: Call, perform: Callable[[], Answer]) -> Answer:
        nonlocal seen, dead
        if dead:
            raise KilledError
        seen += call.operation == operation
        if seen != nth or call.operation != operation:
            return serve(call, perform)
        dead = True
        if effective:
            serve(call, perform)
        raise KilledError

    cloud.serve = fatal  # type: ignore[method-assign]
    try:
        yield
    finally:
        cloud.serve = serve  # type: ignore[method-assign]
    assert dead, f"there was no call {nth} of {operation}"


def at_call(cloud: StrictCloud, operation: str, act: Callable[[], Any], nth: int = 1) -> None:
    """Let something happen right before the nth call of an operation."""
    serve, lock, seen = cloud.serve, threading.Lock(), 0

    def served(call: Any, perform: Any) -> Any:
        nonlocal seen
        with lock:
            seen += call.operation == operation
            due = call.operation == operation and seen == nth
        if due:
            act()
        return serve(call, perform)

    cloud.serve = served  # type: ignore[method-assign]
