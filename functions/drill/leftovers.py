"""Volumes that drills have made: those under way, and those that a killed one has left. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.decisions import Decision, Json

from .facts import AVAILABLE, CREATING, ERROR, Action, Reason

if TYPE_CHECKING:
    from collections.abc import Container

    from caretaker.ec2 import Volume

    from .facts import Facts

RUNS: Final = "drill/"
"""What the `caretaker:run` of a drill's volume begins with; a restore's begins with its plan."""
_SWEEPABLE: Final = frozenset({AVAILABLE, ERROR})
GOING: Final = frozenset({"deleting", "deleted"})


def is_of_drill(volume: Volume, installation: str) -> bool:
    """Tell whether one of our drills made a volume: it has all tags that one has from its birth.

    An end alone anybody may have written, also on a volume that we have restored.
    """
    tags = volume.tags
    return (
        tags.get(tag.MANAGED_BY) == installation
        and tags.get(tag.RUN, "").startswith(RUNS)
        and {tag.POLICY, tag.SLOT, tag.EXPIRES_AT} <= tags.keys()
        and tag.RESTORED_FROM not in tags
    )


def under_way(facts: Facts, policy: str) -> dict[str, Volume]:
    """Return, by snapshot, the volume that a drill of this policy has made: past its end, too."""
    return {
        volume.snapshot_id: volume
        for volume in sorted((disk.volume for disk in facts.disks), key=lambda v: (v.created, v.id))
        if is_of_drill(volume, facts.installation)
        and volume.tags.get(tag.POLICY) == policy
        and volume.state in {*_SWEEPABLE, CREATING}
        and not volume.attachments
    }


def sweep_decisions(facts: Facts, now: datetime, judged: Container[str]) -> list[Decision]:
    """Decide on every volume of a drill: only what is past its end, and free, is swept.

    `judged` are those that this run judges, and deletes then. Without the state table nobody knows
    who else is at work, and nothing is swept.
    """
    may_sweep = facts.proofs is not None
    return [
        Decision(disk.id, Action.KEEP, Reason.UNDER_WAY, _detail(disk.volume))
        if disk.id in judged
        else _decision(disk.volume, now, may_sweep=may_sweep)
        for disk in facts.disks
        if is_of_drill(disk.volume, facts.installation)
    ]


def _decision(volume: Volume, now: datetime, *, may_sweep: bool) -> Decision:
    end, detail = _end(volume), _detail(volume)
    if end is None:
        return Decision(volume.id, Action.SKIP, Reason.END_UNREADABLE, detail)
    if now < end:
        return Decision(volume.id, Action.KEEP, Reason.NOT_EXPIRED, detail)
    if volume.state in GOING:
        return Decision(volume.id, Action.KEEP, Reason.EXPIRED, detail)
    if volume.attachments or volume.state not in _SWEEPABLE:
        return Decision(volume.id, Action.SKIP, Reason.IN_USE, detail)
    if not may_sweep:
        return Decision(volume.id, Action.SKIP, Reason.STATE_UNAVAILABLE, detail)
    return Decision(volume.id, Action.SWEEP, Reason.EXPIRED, detail)


def _detail(volume: Volume) -> dict[str, Json]:
    at = [f"{each.instance_id} {each.device}" for each in volume.attachments]
    told: dict[str, Json] = {"state": volume.state, "expires_at": volume.tags[tag.EXPIRES_AT]}
    return {**told, "attached_to": ", ".join(at)} if at else told


def _end(volume: Volume) -> datetime | None:
    """Return when a volume is to be gone; None where its tag is no time with a zone."""
    try:
        end = datetime.fromisoformat(volume.tags[tag.EXPIRES_AT])
    except ValueError:
        return None
    return end if end.tzinfo else None
