"""An account that lives: people and the chore work on it, and independent books say what holds."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws import session
from functions.alerts import app as alerting
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.crashes import KilledError
from tests.support.stack import Stack
from tests.support.tagging_ledger import MARK
from tests.support.tagging_world import TaggingWorld, steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.tagging_ledger import Tags

GROUP: Final = "aws:autoscaling:groupName"
IGNORE: Final = "caretaker:ignore"
VALUES: Final = ("prod", "dev")
MOST: Final = 2
DAYS: Final = 3
EVENT: Final[dict[str, Any]] = {
    "rules": {
        "Owner": {"escalate": True, "applies_to": ["instance"]},
        "Env": {
            "values": list(VALUES),
            "case": "normalise",
            "default": "dev",
            "escalate": True,
            "applies_to": ["instance"],
        },
        "Team": {"from": ["instance"], "applies_to": ["instance", "volume"]},
    },
    "stop_after_days": DAYS,
    "blast_radius": {"count": MOST, "percent": 0},
}


class Life(TaggingWorld):
    """One account from its first instance on."""

    def __init__(self) -> None:
        session.forget()
        self._exits = ExitStack()
        clock = ManualClock()
        cloud = self._exits.enter_context(strict_moto(clock))
        super().__init__(cloud, clock, Stack(clock), Account(cloud))
        self.owner("ann")
        self.account.scaling_group(self.account.launch_template(), "1", name="web")
        self.ledger.exempt = lambda _, tags: is_right(tags)
        self.plans: list[str] = []
        self.approved = 0

    def close(self) -> None:
        """Leave the cloud."""
        self._exits.close()
        session.forget()

    def act(self, **event: Any) -> dict[str, Any]:
        """Run, and hold the account to the books."""
        answer = self.run_once(**{**EVENT, **event})
        if answer["reason"] == "blast_radius":
            self.plans.append(answer["plan_id"])
        elif answer["mode"] == "act":
            bound = len(self.ledger.machines()) if "approve" in event or self.approved else MOST
            assert len(self.ledger.done["mark"]) <= bound
            assert len(self.ledger.done["stop"]) <= bound
        if answer["status"] == "ok" and answer["mode"] == "act" and "birth" not in event:
            self.check_memory(answer)
        return answer

    def killed(self, nth: int, *, effective: bool) -> None:
        """Let a run die at its nth call, whichever that is, and Lambda retry it."""
        serve, left, dead = self.cloud.serve, nth, False

        def fatal(call: Call, perform: Callable[[], Answer]) -> Answer:
            nonlocal left, dead
            left -= 1
            if dead:
                raise KilledError
            if left > 0:
                return serve(call, perform)
            dead = True
            if effective:
                serve(call, perform)
            raise KilledError

        self.cloud.serve = fatal  # type: ignore[method-assign]
        event: dict[str, Any] = {**EVENT, "scheduled_time": time_of(self, 0)}
        try:
            self.run_once(**event)
        except KilledError:
            pass
        finally:
            self.cloud.serve = serve  # type: ignore[method-assign]
        self.clock.advance(61)
        self.run_once(**event)

    def check_promises(self) -> None:
        """Nothing that was promised is broken."""
        assert not self.ledger.problems, self.ledger.problems

    def check_memory(self, answer: dict[str, Any]) -> None:
        """After a run that ended well memory, marks and books say the same, and all is undone."""
        machines, memory = self.ledger.machines(), self.remembered
        left_alone = {each for each, action, reason in steps(answer) if reason == "ignored"}
        for each in machines.keys() & memory.keys() - left_alone:
            step, tags = memory[each], machines[each].tags
            assert each in self.ledger.told, f"{each} is remembered and nobody was told"
            assert not is_right(tags) or machines[each].state == "stopping", f"{each} is right"
            marked = self.ledger.marked.get(each)
            assert (
                not int(step["marked_until"])
                or marked is None
                or (int(step["marked_until"]) == int(marked.timestamp()))
            ), f"{each}: {step} and {marked}"
        for each, machine in machines.items():
            if is_right(machine.tags) == "its tags are right" and each in self.ledger.marked:
                assert MARK not in machine.tags, f"{each} is right and still marked"
            if each in self.ledger.stopped and is_right(machine.tags) == "its tags are right":
                assert machine.state == "stopping", f"{each} is right and still {machine.state}"

    def deliver(self) -> None:
        """Let the alerts chore send what was not sent."""
        self.stack.run(alerting.CHORE, {})
        self.stack.alerts()
        self.letters("ann")


def is_right(tags: Tags) -> str:
    """Return why an instance is not to be stopped, by the rules of this life."""
    if IGNORE in tags and tags[IGNORE] != "false":
        return "it is ignored"
    if GROUP in tags:
        return "its group would replace it"
    env = {v for k, v in tags.items() if k.lower() == "env"}
    known = all(each.lower() in VALUES for each in env)
    return "its tags are right" if tags.get("Owner", "").strip() and known else ""


def time_of(life: Life, hours: int) -> str:
    """Return the time so many hours from now, as a person would write it."""
    return f"{life.clock.now() + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
