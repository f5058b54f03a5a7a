"""Volumes, and how long they take: to be made, to sit down, to leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CREATING_SECONDS: Final = 4.0
ATTACHING_SECONDS: Final = 2.0
DETACHING_SECONDS: Final = 3.0


@dataclass(slots=True)
class Volume:
    """A volume; `gone` ones are listed and no longer there.

    `device` is its seat at `instance_id`, which it took, or began to leave, at `moved`. `deletes`
    is whether it goes with the instance.
    """

    id: str
    instance_id: str
    device: str
    tags: dict[str, str]
    created: float
    gone: bool = False
    key_arn: str = ""
    gib: int = 8
    snapshot_id: str = ""
    made: float = 0.0
    moved: float = 0.0
    leaves: bool = False
    deletes: bool = True

    def state_at(self, now: float) -> str:
        """Return the state of the volume."""
        if now - self.made < CREATING_SECONDS:
            return "creating"
        return "in-use" if self.seat_at(now) else "available"

    def seat_at(self, now: float) -> str:
        """Return the state of its attachment, empty where there is none."""
        passed = now - self.moved
        if not self.instance_id:
            return ""
        if self.leaves:
            return "detaching" if passed < DETACHING_SECONDS else ""
        return "attaching" if passed < ATTACHING_SECONDS else "attached"
