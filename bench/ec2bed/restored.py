"""What has become of a fleet that was to be brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.ec2bed.world import Instance, World

_REPLACED_BY: Final = "caretaker:replaced-by"


def count_restored(world: World, now: float) -> dict[str, int]:
    """Count what a restore has done since the seeding: nothing where no volume was made.

    `restored`: instances that run, of which at each device sits a new volume of a snapshot of the
    one that sat there; `made`: new volumes; `replaced`: originals that are there, free, and say
    what took their place; `astray`: new volumes that sit nowhere; `originals_gone`: originals that
    are not there.
    """
    originals = world.seats
    new = [each for each in world.volumes.values() if each.id not in originals]
    there = [each for each in world.volumes.values() if each.id in originals]
    if not new:
        return dict.fromkeys(("restored", "made", "replaced", "astray", "originals_gone"), 0)
    return {
        "restored": sum(_is_restored(world, each, now) for each in world.instances.values()),
        "made": len(new),
        "replaced": sum(_REPLACED_BY in e.tags and not e.seat_at(now) for e in there),
        "astray": sum(not each.seat_at(now) for each in new),
        "originals_gone": len(originals) - len(there),
    }


def _is_restored(world: World, instance: Instance, now: float) -> bool:
    seats = {
        (volume.device, snapshot.volume_id)
        for volume in map(world.volumes.get, instance.volume_ids)
        if volume and volume.seat_at(now) == "attached"
        if (snapshot := world.snapshots.get(volume.snapshot_id))
    }
    before = {(world.seats[each], each) for each in instance.born_with}
    return seats == before and instance.health.state_at(now) == "running"
