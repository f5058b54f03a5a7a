"""Lives of one target: what must hold at their end, whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from functions.restore.journal import Ending
from tests.support.restoring import OLD, ROOT

if TYPE_CHECKING:
    from functions.restore.journal import Journal
    from tests.support.restore_life import Life

FINAL: Final = [
    "UnauthorizedOperation",
    "InvalidParameterValue",
    "TagLimitExceeded",
    "OperationNotPermitted",
]


def is_as_before(life: Life) -> bool:
    """Tell whether all originals sit where they sat, and go with the instance as they did.

    As far as EC2 let them be set so.
    """
    now, before = life.ec2.state.vols, life.start.vols
    return all(
        name in now
        and (now[name].device, now[name].seat) == (v.device, v.seat)
        and (now[name].dies == v.dies or v.device in life.journal.unlike)
        for name, v in before.items()
    )


def ours(life: Life) -> set[str]:
    """Return what this restore made and is still there."""
    tagged = {name for name, v in life.ec2.state.vols.items() if v.tags.get(tag.RUN)}
    return {name for name in tagged if life.ec2.state.vols[name].state != "deleting"}


def left_over(life: Life) -> set[str]:
    """Return what is told to be left over; that is only what EC2 does not let us delete."""
    refused = set(life.faults.refused.get("delete_volume", ()))
    assert not life.journal.left_over or refused & set(FINAL)
    return set(life.journal.left_over)


def harms_nothing(life: Life, journal: Journal) -> None:
    """Check what holds however it ends."""
    assert all(vol.tags.get(tag.RUN) == journal.run_tag for vol in life.ec2.deleted)
    assert not {vol.id for vol in life.ec2.deleted} & set(OLD)
    assert not life.ec2.hot
    assert life.ec2.ready_at_first_touch in {None, len(journal.parts)}


def is_over(life: Life) -> Ending:
    """Check that what the journal says at its end is what there is; return how it ended."""
    journal = life.live()
    state, ended = life.ec2.state, journal.ending
    harms_nothing(life, journal)
    assert ended
    if ended is Ending.RESTORED:
        new = {part.device: part for part in journal.parts}
        sits = {v.device: v for v in state.vols.values() if v.device}
        assert {d: v.id for d, v in sits.items()} == {d: part.new for d, part in new.items()}
        assert all(v.seat == "attached" for v in sits.values())
        odd = {device for device, v in sits.items() if v.dies is not (device == ROOT)}
        assert odd <= set(journal.unlike)
        assert {state.vols[each].state for each in OLD} == {"available"}
        assert ours(life) == {part.new for part in journal.parts} | left_over(life)
        assert state.machine == life.start.machine
        assert not journal.problem
    if ended is Ending.ROLLED_BACK:
        assert is_as_before(life)
        assert state.machine == life.start.machine
        assert ours(life) == left_over(life)
        assert journal.problem
    return ended
