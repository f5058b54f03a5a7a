"""An account that lives: things happen to backups, and independent books say what must hold."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws import session
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.crashes import KilledError
from tests.support.retention_ledger import MARK
from tests.support.retention_world import RetentionWorld
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

START: Final = datetime(2026, 10, 22, 23, 30, tzinfo=UTC)
"""Clocks go back in Europe on the 25th, in America on the 1st."""
KEPT: Final = 2
ORPHANS_DAYS: Final = 12
EVENT: Final = {
    "keep": {"last": KEPT},
    "orphans_keep_days": ORPHANS_DAYS,
    "blast_radius": {"count": 3, "percent": 0},
}


@dataclass
class Needs:
    """Why snapshots must stay, as those know who arranged it."""

    images: dict[str, str] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    shared_once: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    locks: dict[str, datetime] = field(default_factory=dict)

    def at(self, now: datetime) -> dict[str, str]:
        """Return, by snapshot, what it is needed for."""
        locked = {each for each, until in self.locks.items() if now < until}
        why = (
            ("an image", set(self.images.values())),
            ("a share", self.shared),
            ("caretaker:keep", self.kept),
            ("the archive", self.archived),
            ("a lock", locked),
        )
        return {each: reason for reason, ids in why for each in ids}


class Life(RetentionWorld):
    """One account from its first volume on."""

    def __init__(self) -> None:
        session.forget()
        self._exits = ExitStack()
        clock = ManualClock(START)
        cloud = self._exits.enter_context(strict_moto(clock))
        super().__init__(cloud, clock, Stack(clock), Account(cloud))
        self.needs = Needs()
        self.volumes: list[str] = []
        self.taken: dict[str, dict[str, datetime]] = {}
        self.restored: set[str] = set()
        self.plans: list[str] = []

    def close(self) -> None:
        """Leave the cloud."""
        self._exits.close()
        session.forget()

    def act(self, **event: Any) -> dict[str, Any]:
        """Run, and hold the account to the books."""
        self.ledger.needed = self.needs.at(self.clock.now())
        answer = self.sweep(**{**EVENT, **event})
        if answer["reason"] == "blast_radius":
            self.plans.append(answer["plan_id"])
        if answer["status"] == "ok" and answer["mode"] == "act" and "approve" not in event:
            self.check_that_it_was_done()
        return answer

    def killed(self, nth: int, *, effective: bool) -> None:
        """Let a run die at its nth call, whichever that is."""
        self.ledger.needed = self.needs.at(self.clock.now())
        serve, left, dead = self.cloud.serve, nth, False

        def fatal(call: Call, perform: Callable[[], Answer]) -> Answer:
            nonlocal left, dead
            left -= 1
            if dead or left > 0:
                if dead:
                    raise KilledError
                return serve(call, perform)
            dead = True
            if effective:
                serve(call, perform)
            raise KilledError

        self.cloud.serve = fatal  # type: ignore[method-assign]
        try:
            self.ledger.forget_done()
            self.stack.run(self.chore, EVENT)
        except KilledError:
            pass
        finally:
            self.cloud.serve = serve  # type: ignore[method-assign]
        self.clock.advance(61)

    def good(self, volume_id: str) -> list[str]:
        """Return what we made of a volume and can be restored from, newest first."""
        found = [
            (snapshot.started, each)
            for each, snapshot in self.ledger.snapshots().items()
            if each in self.ledger.made
            and snapshot.volume == volume_id
            and snapshot.state == "completed"
        ]
        return [each for _, each in sorted(found, reverse=True)]

    def check_promises(self) -> None:
        """The newest stay, whoever asked for what; and nothing that was promised is broken."""
        assert not self.ledger.problems, self.ledger.problems
        for volume_id in set(self.volumes) - self.restored:
            assert self.expected[volume_id] <= set(self.good(volume_id)), volume_id
        self.check_messages()

    @property
    def expected(self) -> dict[str, set[str]]:
        """By volume, the newest that must be there; one alone once it is gone for long."""
        there = set(self.account.backend.volumes)
        long_ago = self.clock.now() - timedelta(days=ORPHANS_DAYS)
        expected = {}
        for volume_id in self.volumes:
            newest = sorted(self.taken.get(volume_id, {}).items(), key=itemgetter(1), reverse=True)
            alive = volume_id in there or not newest or newest[0][1] > long_ago
            expected[volume_id] = {each for each, _ in newest[: KEPT if alive else 1]}
        return expected

    def take(self, volume_id: str, state: str) -> str:
        """Let the snapshot chore take one now."""
        made = self.backup(volume_id, 0, state=state)
        if state == "completed":
            self.taken.setdefault(volume_id, {})[made] = self.clock.now()
        return made

    def check_that_it_was_done(self) -> None:
        """After a run that ended well, all that is spared by nothing is marked or gone."""
        now, there = self.clock.now(), self.ledger.snapshots()
        spared = {*self.needs.at(now), *self.needs.shared_once}
        for volume_id in set(self.volumes) - self.restored:
            for each in set(self.good(volume_id)) - self.expected[volume_id] - spared:
                if now - there[each].started >= timedelta(days=1):
                    assert MARK in there[each].tags, f"{each} is due and has no mark"
