"""An account whose instances are watched, polled minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from functions.instance_health import app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

MINUTE: Final = 60
REPAIRS: Final = frozenset(
    {"RebootInstances", "StopInstances", "StartInstances", "SetInstanceHealth"}
)
REBOOT: Final = {"caretaker:remediate": "reboot"}
STOP_START: Final = {"caretaker:remediate": "stop-start"}


@dataclass
class HealthWorld:
    """Runs the chore once a minute, as its schedule does."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account

    def poll(self, *, seconds: float = 900, **event: Any) -> dict[str, Any]:
        """Poll once, in the slot of this minute, and let the minute pass."""
        answer = self.run(seconds=seconds, **event)
        self.clock.advance(MINUTE)
        return answer

    def run(self, *, seconds: float = 900, request: str = "", **event: Any) -> dict[str, Any]:
        """Run in the slot of this minute."""
        slot = self.clock.now().strftime("%Y-%m-%dT%H:%M:00Z")
        asked = {"scheduled_time": slot, **event}
        return self.stack.run(app.CHORE, asked, seconds=seconds, request=request)

    def polls(self, number: int, **event: Any) -> list[dict[str, Any]]:
        """Poll so many times."""
        return [self.poll(**event) for _ in range(number)]

    def repairs(self) -> list[str]:
        """Return the repairs that were asked of AWS, in order."""
        return [call.operation for call in self.cloud.calls.of(*REPAIRS)]

    @property
    def open_incidents(self) -> list[str]:
        """Return the keys of the incidents that are open."""
        keys = [str(i["sk"]) for i in self.stack.items() if str(i["pk"]).startswith("incidents#")]
        return sorted(key for key in keys if not key.startswith("#"))


def told(answer: Mapping[str, Any], target: str) -> tuple[str, str, str]:
    """Return what happened to an instance, why, and how it ended."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    return item["action"], item["reason"], item["result"]
