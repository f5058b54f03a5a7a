"""What is to be brought back, and from which slot; or why it is left. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .slots import first_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Json
    from caretaker.tags import Tags

    from .facts import Reason
    from .journal import Part
    from .slots import Known, Slot


@dataclass(frozen=True, slots=True)
class Target:
    """An instance or a volume, the slot that brings it back, and its parts; or why it is left.

    `loses` is what the stop takes that no volume brings back, by its name. `left_out` are the other
    volumes of the instance, and why.
    """

    id: str
    reason: Reason
    tags: Tags = field(default_factory=dict)
    slot: Slot | None = None
    parts: tuple[Part, ...] = ()
    stops: bool = False
    loses: Mapping[str, Json] = field(default_factory=dict)
    left_out: Mapping[str, Json] = field(default_factory=dict)
    detail: Mapping[str, Json] = field(default_factory=dict)


def without_slot(name: str, why: Reason, volumes: Iterable[str], known: Known) -> Target:
    """Return what has no slot to be brought back from, with what there is instead."""
    first, without = first_whole(volumes, known)
    detail: dict[str, Json] = {"first_complete_slot": first, "volumes_without_backup": [*without]}
    return Target(name, why, detail=detail)
