"""One scenario, run again and again with another call going wrong."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from functions.snapshot import app
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.snapshots import (
    BACKUP,
    DAILY,
    MAX_ANSWER,
    good_in_slot,
    in_slot,
    ours,
    the_account,
)
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cloud import StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

FIRST: Final = "0c0ffee0-0000-4000-8000-000000000001"
SECOND: Final = "0c0ffee0-0000-4000-8000-000000000002"
RETRY_SECONDS: Final = (61, 121)
"""Lambda waits a minute before the first retry of an event, two before the second."""


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more, its error handling neither."""


@dataclass
class World:
    """The scenario: what is selected, what is not, and what belongs to somebody else."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account
    selected: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    foreign: dict[str, Any] = field(default_factory=dict)

    def run(self, request: str = FIRST) -> dict[str, Any] | None:
        """Run once; None when the run raised, as Lambda would see it."""
        try:
            answer = self.stack.run(app.CHORE, DAILY, request=request)
        except (KilledError, Exception):  # noqa: BLE001 - Lambda does not look at the kind either
            return None
        self.check_answer(answer)
        return answer

    def check_answer(self, answer: dict[str, Any]) -> None:
        """The answer is JSON within its bounds, and what it calls done is there (G9)."""
        assert len(json.dumps(answer)) < MAX_ANSWER
        for item in answer["outcomes"]:
            if item["result"] == "done":
                good = good_in_slot(self.account, item["target"])
                assert item["detail"]["snapshot_id"] in good, item

    def check_truth(self) -> None:
        """One good snapshot for each volume and slot (G1), none for others, others' untouched."""
        found = {each: len(good_in_slot(self.account, each)) for each in self.selected}
        assert found == dict.fromkeys(self.selected, 1)
        assert not any(in_slot(self.account, each) for each in self.others)
        left = {i: s for i, s in the_account(self.account).items() if i in self.foreign}
        assert left == self.foreign

    def check_messages(self) -> None:
        """A run has at most one ALARM and one OK; where an answer got lost, one may come twice."""
        told = {json.dumps(each, sort_keys=True): each for each in self.stack.alerts()}
        turns = [(each["run"], each["state"]) for each in told.values()]
        assert len(turns) == len(set(turns))


@contextmanager
def world() -> Iterator[World]:
    """Build the scenario in a cloud of its own: a set of two, two single ones, one to retake.

    One of the selected volumes has a snapshot that is stuck, so that each run has something to
    tell people of.
    """
    clock = ManualClock()
    with strict_moto(clock, page_size=2) as cloud:
        stack, account = Stack(clock), Account(cloud)
        together = account.instance({}, {}, tags=BACKUP)
        root, single = account.instance({}, BACKUP).volume_ids
        lone, retaken = account.volume(tags=BACKUP), account.volume(tags=BACKUP)
        account.snapshot(retaken, tags=ours(), state="error", message="key not accessible")
        account.snapshot(lone, tags=ours("2026-11-19T20:00Z"), state="pending", age_hours=31)
        foreign = [
            account.snapshot(lone, tags={**ours(), "caretaker:managed-by": "another-stack"}),
            account.snapshot(single, tags={"Name": "by hand"}, state="error"),
        ]
        made = World(cloud, clock, stack, account, (*together.volume_ids, single, lone, retaken))
        made.others = (root,)
        made.foreign = {i: s for i, s in the_account(account).items() if i in foreign}
        cloud.calls.clear()
        yield made


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


def at_call(cloud: StrictCloud, operation: str, act: Callable[[], Any]) -> None:
    """Let something happen right before the first call of an operation."""
    serve, acted = cloud.serve, threading.Event()

    def served(call: Any, perform: Any) -> Any:
        if call.operation == operation and not acted.is_set():
            acted.set()
            act()
        return serve(call, perform)

    cloud.serve = served  # type: ignore[method-assign]
