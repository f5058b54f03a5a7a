"""Instances under repair; no repair is asked of AWS that was not written down before."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.support.health_world import REPAIRS, STOP_START, HealthWorld
from tests.support.tagging_world import state_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

STANDS: Final = {
    "RebootInstances": "taken",
    "SetInstanceHealth": "taken",
    "StopInstances": "stopping",
    "StartInstances": "starting",
}
"""How the ladder stands in the table while a call is under way."""
LONG_AGO: Final = 30
"""Minutes: longer than EC2's own recovery is waited for."""


@dataclass
class RepairWorld(HealthWorld):
    """Instances that are broken, and what is written of their repair.

    `unwritten` are the repairs that came to AWS before their intent stood in the table.
    """

    unwritten: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let every instance be judged as soon as it runs, and look at every repair."""
        self.cloud.extras.initializing_seconds = 0
        serve = self.cloud.serve

        def served(call: Call, perform: Callable[[], Answer]) -> Answer:
            if call.operation in REPAIRS:
                self._hold_against_table(call)
            return serve(call, perform)

        self.cloud.serve = served  # type: ignore[method-assign]

    def broken(
        self,
        which: str = "system",
        until: str = "stop-start",
        *,
        minutes_ago: float = LONG_AGO,
        after: int = 1,
        **launch: Any,
    ) -> str:
        """Add an instance that is impaired for long, and may be stopped and started."""
        made: str = self.account.instance({}, **{"tags": STOP_START, **launch}).id
        self.account.impair(
            made, which, minutes_ago=minutes_ago, until_repaired_by=until, after=after
        )
        return made

    def stopped_by_us(self, **launch: Any) -> str:
        """Add an instance that the last poll has stopped, so that this one has to start it."""
        made = self.broken(**launch)
        self.polls(2)
        assert (self.account.power_log(made), self.state(made)) == (["stop"], "stopped")
        return made

    def state(self, instance_id: str) -> str:
        """Return what an instance is doing."""
        return str(self.account.backend.get_instance(instance_id).state)

    def retag(self, instance_id: str, **tags: str | None) -> None:
        """Set tags that begin with `caretaker:`, or remove those that are None."""
        for key, value in tags.items():
            self.account.backend.tags[instance_id].pop(f"caretaker:{key}", None)
            if value is not None:
                self.account.tag(instance_id, {f"caretaker:{key}": value})

    def ladder(self, instance_id: str) -> dict[str, Any]:
        """Return the ladder of an instance as it stands in the table; empty without one."""
        found = [i for i in _ladders() if i["sk"] == instance_id]
        return dict(json.loads(found[0]["document"])) if found else {}

    @property
    def open_ladders(self) -> list[str]:
        """Return the instances whose ladders are not at their end."""
        open_ones = (i for i in _ladders() if json.loads(i["document"])["stand"] != "ended")
        return sorted(i["sk"] for i in open_ones)

    def until_quiet(self, limit: int = 60) -> None:
        """Poll until no ladder is open and nothing is impaired, so many minutes at most."""
        for _ in range(limit):
            answer = self.poll()
            if not (self.open_ladders or answer["summary"]["impaired"]):
                return
        raise AssertionError(self.open_ladders)

    def act_at(self, instance_id: str, what: str) -> datetime:
        """Return when something was last done to an instance."""
        done = [act for act in self.account.health.power if act.instance_id == instance_id]
        return max(act.at for act in done if act.what == what)

    def heard(self) -> list[str]:
        """Return the subjects of what people were told since they were asked last."""
        return [alert["Subject"] for alert in self.stack.alerts()]

    def _hold_against_table(self, call: Call) -> None:
        written = [
            i
            for i in _ladders()
            if call.mentions(i["sk"])
            and json.loads(i["document"])["stand"] == STANDS[call.operation]
        ]
        if not written:
            self.unwritten.append(call.operation)


def _ladders() -> list[dict[str, Any]]:
    """Read the table behind everybody's back: no call is seen of it."""
    held = (each for bucket in state_table().items.values() for each in bucket.values())
    items = [{k: v.value for k, v in each.attrs.items()} for each in held]
    return [each for each in items if str(each["pk"]).startswith("ladders#")]
