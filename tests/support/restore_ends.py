"""How a restore may end, and what must hold then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.crashes import at_call
from tests.support.restore_world import BAD, GOOD

if TYPE_CHECKING:
    from tests.cloud import SeededInstance
    from tests.support.restore_world import RestoreWorld


def nothing_is_begun(world: RestoreWorld) -> bool:
    """Tell whether nothing changed in EC2, and no machine was started."""
    return not world.changes() and not world.executions() and not world.open_restores()


def assert_restored(world: RestoreWorld, web: SeededInstance) -> None:
    """It runs with the data of its backup, and the originals lie beside."""
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])
    assert world.state(web.id) == "running"
    assert set(world.account.backend.volumes) >= set(web.volume_ids)
    assert len(world.made()) == 2, "nothing is orphaned"
    assert world.open_restores() == []


def assert_rolled_back(world: RestoreWorld, web: SeededInstance, problem: str) -> None:
    """It runs as before, nothing new is left, and the journal says why."""
    assert world.endings(web.id) == ["rolled_back"], world.journal(web.id)
    assert world.journal(web.id)["problem"] == problem
    assert world.state(web.id) == "running"
    root, data = web.volume_ids
    seats = {"/dev/sda1": (root, "attached", True), "/dev/xvdb": (data, "attached", False)}
    assert (world.seats(web.id), world.contents(web.id)) == (seats, [BAD, BAD])
    assert world.made() == []
    assert world.open_restores() == []


def snapshot_of(world: RestoreWorld, web: SeededInstance) -> str:
    """Return the backup of the data volume."""
    return str(world.account.own_snapshots(web.volume_ids[1])[0].id)


def leap(world: RestoreWorld, minutes: float, after: str) -> None:
    """Let time pass at once, as soon as a call was made: nobody has to wait it out."""
    at_call(
        world.cloud,
        after,
        lambda: at_call(world.cloud, "DescribeVolumes", lambda: world.later(minutes=minutes), 3),
    )
