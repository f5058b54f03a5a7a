"""A fleet in which one poll has something of everything to do."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from moto.moto_api._internal import mock_random

from functions.alerts import app as alerting
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.health_crash import RepairWorld
from tests.support.health_world import REBOOT
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUP: Final = "web"
DONE: Final[Mapping[str, list[str]]] = {
    "fixed": ["reboot"],
    "to reboot": ["reboot"],
    "to start": ["stop", "start"],
    "to stop": ["stop", "start"],
    "seen first": [],
}
"""What is done to each, once and in this order, whatever goes wrong."""
_BYSTANDERS: Final = 30
"""So many that three of their zone are neither over its budget nor a failure of it."""


@dataclass
class Scene(RepairWorld):
    """One to reboot, to stop, to start and to replace; one that is fixed, and one seen first."""

    cast: dict[str, str] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)

    def open(self) -> None:
        """Let it come to the poll that goes wrong."""
        account, cast = self.account, self.cast
        account.crowd("instance", _BYSTANDERS, zone="a")
        group = account.scaling_group(name=GROUP)
        cast["fixed"] = self.broken("instance", "reboot", tags=REBOOT, zone="b")
        cast["to start"] = self.broken(zone="c")
        self.poll()
        cast["to reboot"] = self.broken("instance", "reboot", tags=REBOOT)
        cast["to stop"] = self.broken()
        cast["to replace"] = self.broken("instance", "nothing", group=group)
        self.poll()
        cast["seen first"] = account.instance({}, zone="b").id
        account.impair(cast["seen first"], until_repaired_by="itself", seconds=90)
        self.cloud.calls.clear()

    def try_poll(self) -> None:
        """Poll as Lambda does: whatever is raised, the next minute comes."""
        with suppress(Exception):
            self.run()
        self.clock.advance(60)

    def go_on(self) -> None:
        """Poll on until all is quiet; people hear what was not sent when it happened."""
        self.clock.advance(60)
        self.poll()
        self.until_quiet()
        self.clock.advance(15 * 60)
        self.stack.run(alerting.CHORE, {})
        self.poll()
        self.told += self.stack.alerts()

    def assert_good(self) -> None:
        """All is as it would be had nothing gone wrong, and the same slot changes no more."""
        done = {who: self.account.power_log(self.cast[who]) for who in DONE}
        assert done == DONE
        assert {self.state(self.cast[who]) for who in DONE} == {"running"}
        (member,) = self.account.members(GROUP)
        assert (member["InstanceId"] != self.cast["to replace"], member["HealthStatus"]) == (
            True,
            "Healthy",
        )
        assert self.unwritten == []
        assert (self.open_ladders, self.open_incidents) == ([], [])
        before = self._photograph()
        self.clock.advance(-60)
        self.run()
        assert self._photograph() == before
        self._check_messages()

    def _photograph(self) -> Any:
        """Return what the run of a slot that was run before must not change."""
        kept = ("ladders#", "sightings#", "incidents#")
        items = [item for item in self.stack.items() if str(item["pk"]).startswith(kept)]
        texts = sorted(str(sorted(each.items())) for each in items)
        return texts, self.repairs(), self.account.power_log()

    def _check_messages(self) -> None:
        """People heard of all that is over that it is, and of nothing often.

        What is repaired by a run that dies, and healthy a minute later, they may not hear of.
        """
        kind = "instance_impaired"
        turns = Counter(
            (incident["resource"], alert["state"])
            for alert in {str(each): each for each in self.told}.values()
            for incident in alert["incidents"]
            if incident["kind"] == kind
        )
        over = {who for who, state in turns if state == "OK"}
        assert over <= {who for who, state in turns if state == "ALARM"}, turns
        assert over >= {self.cast["fixed"], self.cast["to start"]}
        assert self.cast["seen first"] not in over
        assert max(turns.values()) <= 3, turns


@contextmanager
def crash_scene() -> Iterator[Scene]:
    """Open a cloud of its own in which calls keep their order."""
    clock = ManualClock()
    one = patch("caretaker.apply.ThreadPoolExecutor", lambda _: ThreadPoolExecutor(1))
    with strict_moto(clock) as cloud, one:
        mock_random.seed(1)  # what is read together depends on the order of the ids
        scene = Scene(cloud, clock, Stack(clock), Account(cloud))
        scene.open()
        yield scene
