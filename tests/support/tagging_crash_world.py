"""The tagging chore's scenario for crashes: one of everything that may happen to a resource."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest.mock import patch

from functions.alerts import app as alerting
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.stack import Stack
from tests.support.tagging_ledger import MARK
from tests.support.tagging_world import DAYS, TaggingWorld, state_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.tagging_ledger import Tags

EC2_AND_MORE: Final = ["instance", "volume", "rds:db"]
RULES: Final[Mapping[str, Any]] = {
    "Owner": {"escalate": True, "from": ["instance"], "applies_to": ["instance", "volume"]},
    "Env": {
        "values": ["prod", "dev"],
        "case": "normalise",
        "required": False,
        "escalate": True,
        "applies_to": EC2_AND_MORE,
    },
}
OFF: Final = {"stopping", "stopped"}
_POOLS: Final = ("caretaker.apply", "functions.tagging.aws.evidence")
"""With one worker in each, calls keep their order."""


@dataclass
class Before:
    """The account as it was before the run that goes wrong."""

    tags: dict[str, Tags]
    others: Any
    states: dict[str, tuple[str, int, Any]]
    items: Any


@dataclass
class CrashWorld(TaggingWorld):
    """What is to be set, told, marked, unmarked, forgotten, stopped, started, and what is not."""

    cast: dict[str, str] = field(default_factory=dict)
    before: Before = field(init=False)
    slot: str = ""

    settled: ClassVar[Mapping[str, Any]] = {
        "keep": {"unchanged": 7},
        "report": {"unchanged": 6},
        "skip": {"unchanged": 2},
    }

    @property
    def event(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The event of every run of the scenario."""
        return {
            "rules": self.rules,
            "owners": self.owners,
            "stop_after_days": DAYS,
            "scheduled_time": self.slot,
        }

    def open(self) -> None:
        """Let it come to the day on which the run goes wrong."""
        self.rules = RULES
        self.ledger.exempt = lambda _, tags: _is_right(tags)
        self.owner("ann")
        self.account.scaling_group(self.account.launch_template(), "1", name="web")
        self.cast["to stop"] = self.machine(tags={"Env": "dev"})
        self.cast["to start"] = self.machine()
        self.cast["to unmark"] = self.machine()
        self.cast["waiting"] = self.machine()
        self.run_once()
        self.after()
        until = self.clock.now() + timedelta(days=DAYS, hours=12)
        self.retag(self.cast["to stop"], caretaker__stop_after=f"{until:%Y-%m-%dT%H:%M:%SZ}")
        for each in ("waiting", "to unmark"):
            self.retag(self.cast[each], caretaker__stop_after="2027-06-01T00:00:00Z")
        self.cast["to mark"] = self.machine("ann", tags={"Env": "qa"})
        self.cast["to forget"] = self.machine()
        self.later(hours=1)
        self.after(DAYS)
        self._today()

    def machine(self, owner: str = "", **launch: Any) -> str:
        """Add a running instance without volumes: there are enough to read."""
        tags = {**({"Owner": owner} if owner else {}), **launch.pop("tags", {})}
        (made,) = self.account.crowd("instance", 1, tags=tags)
        return made

    def _today(self) -> None:
        self.cast["to tell"] = self.machine()
        self.cast["to write to"] = self.machine("ann", tags={"Env": "stage"})
        self.cast["ignored"] = self.machine(tags={"caretaker:ignore": "true"})
        self.cast["of a group"] = self.machine(tags={"aws:autoscaling:groupName": "web"})
        named = self.account.instance({}, {}, tags={"Owner": "ann", "env": "PROD"})
        self.cast |= {"to set": named.id, "disk": named.volume_ids[0]}
        self.cast["database"] = self.account.resource("rds:db", tags={"Env": "Dev"})
        for each in ("to start", "to unmark", "to forget"):
            self.retag(self.cast[each], Owner="bob")
        self.later(days=1)
        self.slot = f"{self.clock.now():%Y-%m-%dT%H:%M:00Z}"
        self.stack.alerts()
        self.letters("ann")
        self.before = self._photograph()

    def build(self) -> None:
        """Bring the account back to the day on which the run goes wrong."""
        backend, extras, before = self.account.backend, self.cloud.extras, self.before
        backend.tags.clear()
        backend.tags.update({each: dict(tags) for each, tags in before.tags.items()})
        extras.tagged = deepcopy(before.others)
        extras.switching.clear()
        for each in backend.all_instances():
            each._state.name, each._state.code, each.launch_time = before.states[each.id]  # noqa: SLF001
        state_table().items = deepcopy(before.items)
        self.cloud.faults.clear()
        self.stack.alerts()
        self.letters("ann")
        self.ledger.reopen()
        self.later(hours=0.1)
        self.cloud.calls.clear()

    def _photograph(self) -> Before:
        states = {
            each.id: (each.state, each.state_code, each.launch_time)
            for each in self.account.backend.all_instances()
        }
        tags = {each: dict(tags) for each, tags in self.account.backend.tags.items()}
        self.ledger.keep()
        return Before(
            tags, deepcopy(self.cloud.extras.tagged), states, deepcopy(state_table().items)
        )

    def check_truth(self) -> None:
        """All set, told, marked, stopped and undone that was to be; all else as it was."""
        assert not self.ledger.problems, self.ledger.problems
        cast, tags, states = self.cast, self.ledger.tags(), self.ledger.machines()
        assert (tags[cast["to set"]]["Env"], tags[cast["disk"]]["Owner"]) == ("prod", "ann")
        assert tags[cast["database"]]["Env"] == "dev"
        assert {who for who in cast if MARK in tags.get(cast[who], {})} == {
            *("to mark", "to stop", "waiting"),
        }
        assert {who for who in cast if cast[who] in states and states[cast[who]].state in OFF} == {
            "to stop"
        }
        remembered = self.remembered
        assert {who for who in cast if cast[who] in remembered} == {
            *("to mark", "to stop", "waiting", "to tell", "to write to"),
        }
        assert self._without_ours(tags) == self._without_ours(self.before.tags)

    def _without_ours(self, tags: Mapping[str, Tags]) -> dict[str, Tags]:
        """Return all tags but those that the run is there to write."""
        ours = {MARK, "Env", "Owner"}
        kept = {each: {k: v for k, v in t.items() if k not in ours} for each, t in tags.items()}
        return {each: t for each, t in kept.items() if t and not each.startswith("arn:")}

    def check_messages(self) -> None:
        """People heard of every step, and the owner, at most once more than once."""
        steps = {self.cast[who] for who in ("to tell", "to write to", "to mark", "to stop")}
        told = self.stack.alerts()
        if not steps <= _heard(told):
            self.later(hours=0.2)
            self.stack.run(alerting.CHORE, {})
            told += self.stack.alerts()
        turns = {(a["run"], a["state"], a["Subject"]) for a in told}
        assert len({turn[:2] for turn in turns}) == len(turns)
        missed = steps - _heard(told)
        assert not missed, [who for who in self.cast if self.cast[who] in missed]
        assert 1 <= len(self.letters("ann")) <= 2


def _heard(alerts: list[dict[str, Any]]) -> set[str]:
    """Return what people heard was wrong."""
    return {i["resource"] for a in alerts for i in a["incidents"] if a["state"] == "ALARM"}


def _is_right(tags: Tags) -> str:
    """Return why an instance must not be stopped, by the rules of the scenario."""
    env = tags.get("Env", "dev")
    if tags.get("Owner") and env in {"prod", "dev"}:
        return "its tags are right"
    if "aws:autoscaling:groupName" in tags:
        return "its group would replace it"
    return "it is ignored" if "caretaker:ignore" in tags else ""


@contextmanager
def crash_world() -> Iterator[CrashWorld]:
    """Open a cloud in which the scenario can be built again and again."""
    clock = ManualClock()
    apply, evidence = (
        patch(f"{pool}.ThreadPoolExecutor", lambda _: ThreadPoolExecutor(1)) for pool in _POOLS
    )
    with strict_moto(clock) as cloud, apply, evidence:
        world = CrashWorld(cloud, clock, Stack(clock), Account(cloud))
        world.open()
        yield world
