"""An account that lives: instances break and people meddle; independent books say what holds."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3

from caretaker.aws import session
from caretaker.errors import CaretakerError
from functions.alerts import app as alerting
from tests.cloud import REGION, Account, ManualClock, strict_moto
from tests.support.crashes import KilledError
from tests.support.health_books import Books
from tests.support.health_crash import RepairWorld
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

QUIET_MINUTES: Final = 5
QUIET_POLLS: Final = 14
"""Longer than the longest wait between two starts, after the lease of one that was killed."""
INITIALIZING: Final = 90.0


class Life(RepairWorld):
    """One account from its first instance on; `books` hold every repair to its promises."""

    def __init__(self) -> None:
        session.forget()
        self._exits = ExitStack()
        clock = ManualClock()
        cloud = self._exits.enter_context(strict_moto(clock))
        self._plain = cloud.serve
        super().__init__(cloud, clock, Stack(clock), Account(cloud))
        cloud.extras.initializing_seconds = INITIALIZING
        self.books = Books(self)
        self._watched = cloud.serve
        self.cloud.serve = self._noted  # type: ignore[method-assign]

    def close(self) -> None:
        """Leave the cloud."""
        self._exits.close()
        session.forget()

    def machine(self, remediate: str | None = "stop-start", zone: str = "a", **launch: Any) -> str:
        """Add a running instance that allows these repairs."""
        tags = {} if remediate is None else {"caretaker:remediate": remediate}
        made: str = self.account.instance(tags=tags, zone=zone, **launch).id
        return made

    def watch(self, *, minutes: float = 1, request: str = "", **event: Any) -> dict[str, Any]:
        """Poll, deliver what is to be told, and let minutes pass."""
        self.books.begin()
        answer = self.run(request=request, **event)
        self.clock.advance(60 * minutes)
        return answer

    def watch_through(self) -> None:
        """Poll; a run that raised is one that Lambda repeats, and the next minute does it all."""
        try:
            self.watch()
        except CaretakerError:
            self.clock.advance(60)

    def killed(self, nth: int, *, effective: bool, operation: str = "") -> None:
        """Let a poll die at its nth call, of all or of one operation, and Lambda retry it."""
        serve, left, dead = self.cloud.serve, nth, False

        def fatal(call: Call, perform: Callable[[], Answer]) -> Answer:
            nonlocal left, dead
            if dead:
                raise KilledError
            left -= operation in {"", call.operation}
            if left > 0 or operation not in {"", call.operation}:
                return serve(call, perform)
            dead = True
            if effective:
                serve(call, perform)
            raise KilledError

        self.cloud.serve = fatal  # type: ignore[method-assign]
        self.books.is_disturbed = True
        self.books.begin()
        try:
            self.run(request="killed")
        except KilledError:
            pass
        finally:
            self.cloud.serve = serve  # type: ignore[method-assign]
        self.clock.advance(61)
        self.watch(request="killed")

    def stop_by_hand(self, instance_id: str) -> None:
        """Let somebody stop it; one that is down already stays whoever's it is."""
        if self.is_state(instance_id, "running"):
            self.account.put_down(instance_id)
            self.books.put_down_by_people(instance_id)

    def start_by_hand(self, instance_id: str) -> None:
        """Let somebody start it, a second after whatever came before."""
        self.clock.advance(1)
        if self.is_state(instance_id, "stopped"):
            self.cloud.serve = self._plain  # type: ignore[method-assign]
            boto3.client("ec2", REGION).start_instances(InstanceIds=[instance_id])
            self.cloud.serve = self._noted  # type: ignore[method-assign]

    def terminate_by_hand(self, instance_id: str) -> None:
        """Let somebody terminate it."""
        if instance_id in self.alive:
            self.account.terminate(instance_id)

    def is_state(self, instance_id: str, state: str) -> bool:
        """Tell whether an instance, if it is still listed, is in a state."""
        instances = self.account.backend.all_instances()
        return any(each.id == instance_id and each.state == state for each in instances)

    @property
    def alive(self) -> list[str]:
        """Return the instances that are not terminated."""
        ended = {"terminated", "shutting-down"}
        return [i.id for i in self.account.backend.all_instances() if i.state not in ended]

    def alive_in(self, zone: str) -> list[str]:
        """Return those of a zone."""
        there = {i.id for i in self.account.backend.all_instances() if i.placement.zone[-1] == zone}
        return [each for each in self.alive if each in there]

    def slot(self, *, minutes_ago: float) -> str:
        """Return the slot of a while ago."""
        then = self.clock.now() - timedelta(minutes=minutes_ago)
        return f"{then:%Y-%m-%dT%H:%M:00Z}"

    def check_promises(self) -> None:
        """Nothing that was promised is broken."""
        assert not self.books.problems, self.books.problems
        assert not self.unwritten, self.unwritten

    def settle(self) -> None:
        """Let trouble with calls and starts end, and poll quietly; then what is owed is done."""
        self.cloud.faults.clear()
        self.account.health.plans.clear()
        for _ in range(QUIET_POLLS):
            self.watch(minutes=QUIET_MINUTES)
        self.books.nothing_is_left_stopped()

    def recover(self) -> None:
        """Let everything be healthy and settle: every incident is over."""
        self.account.health.impairments.clear()
        self.settle()
        self.deliver()
        self.books.everything_was_closed()

    def deliver(self) -> None:
        """Let the alerts chore send what was not sent."""
        self.stack.run(alerting.CHORE, {})
        self.books.hear(self.stack.alerts())

    def _noted(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        self.books.before(call)
        return self._watched(call, perform)
