"""What is done next for one target: from its journal and what is seen, to a turn. Pure.

The same way leads there and back: on, the new volumes take the seats of the originals; back, the
originals take their seats again. Nothing of an instance is touched before all its new volumes are
available.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from . import roots
from .facts import GONE, RUNNING, STOPPED, How
from .gates import why_not_disks, why_not_machine
from .journal import Goal
from .making import discard, make
from .seats import Seating
from .turns import GIVEN_UP_AFTER, SHOWN_WITHIN, SOON, Look, Move, Step, Turn

if TYPE_CHECKING:
    from datetime import datetime

    from .facts import Machine, Sight
    from .journal import Journal

_ATTACHED_WITHIN: Final = timedelta(seconds=90)
_DETACHED_WITHIN: Final = timedelta(minutes=10)
_STOPPED_WITHIN: Final = timedelta(minutes=20)
_STARTED_WITHIN: Final = timedelta(minutes=10)
_MOST_STARTS: Final = 3
_DESERTED_AFTER: Final = timedelta(minutes=30)
_LISTED: Final = "instance to be listed"
_SEEN: Final = "volumes to be seen in their seats"


def next_turn(journal: Journal, sight: Sight) -> Turn:
    """Return what comes next; what is over stays as it is."""
    if not journal.is_open:
        return Turn(journal)
    begun = journal if journal.turned else replace(journal, turned=sight.at)
    look = Look(_taken_on(begun, sight.at), sight)
    if journal.goal is Goal.BACK:
        return _back(look)
    if journal.how is How.ROOT:
        return _touch(look) or _replace_root(look)
    if not journal.is_touched:
        return make(look) or _beside(look) or _touch(look) or look.restored()
    return _seat(look) or _start(look) or _serve(look)


def _taken_on(journal: Journal, now: datetime) -> Journal:
    """Start the clocks anew where nobody was at work: what nobody looked at, nobody waited for."""
    if journal.moved is None or now - journal.moved < _DESERTED_AFTER:
        return journal
    anew = replace(
        journal,
        moved=now,
        turned=now,
        since=now if journal.since else None,
        refused_since=now if journal.refused_since else None,
    )
    return anew.noted("taken on again", now)


def _back(look: Look) -> Turn:
    """Bring back the originals; what people have worked with for a while is not deleted."""
    journal = look.journal
    touched = (_seat(look) or _start(look)) if journal.is_touched else None
    worked_with = frozenset(part.new for part in journal.parts if journal.has_served)
    return touched or discard(look, keep=worked_with) or look.rolled_back()


def _finish(look: Look) -> Turn:
    """Delete what was made in vain, and be over."""
    new = frozenset(part.new for part in look.journal.parts)
    return discard(look, keep=new) or look.restored()


def _beside(look: Look) -> Turn | None:
    """End where the new volumes are all that was asked for."""
    return None if look.journal.is_instance else _finish(look)


def _touch(look: Look) -> Turn | None:
    """See once more that an instance is as it was planned; then it may be touched."""
    if look.journal.is_touched:
        return None
    journal, machine = look.journal, look.sight.machine
    as_planned = all(look.sits(part.original, part.device) for part in journal.parts)
    if machine is None or not as_planned:
        return look.go_back("changed_meanwhile")
    disks = [look.sight.disks[part.original] for part in journal.parts]
    why_not = why_not_machine(machine, journal.how, journal.check_minutes)
    why_not = why_not or why_not_disks(disks, machine, journal.how)
    if why_not:
        seen = journal.noted(why_not.replace("_", " "), look.sight.at)
        return replace(look, journal=seen).go_back("changed_meanwhile")
    return Turn(replace(journal, is_touched=True, ran=machine.state == RUNNING))


def _seat(look: Look) -> Turn | None:
    """Bring the volumes to their seats; None once they sit, and as the ones before them.

    EC2 lists an instance for about an hour after its end: one that is not listed may be there.
    """
    machine = look.sight.machine
    if machine is None and not look.is_late(_LISTED, SHOWN_WITHIN):
        return look.wait(_LISTED, SHOWN_WITHIN, "instance_gone")
    if machine is None or machine.state in GONE:
        return look.left("instance_gone")
    seating = Seating(look.journal, look.sight)
    if not seating.is_done:
        return _stop(look, machine) or _reseat(look, seating)
    unlike = seating.unlike.keys() - set(look.journal.unlike)
    return look.moves([Move(Step.PROTECT)]) if unlike else None


def _stop(look: Look, machine: Machine) -> Turn | None:
    """Stop an instance; None once it is.

    One that was started with its volumes in their seats is not stopped again for a listing that
    comes late.
    """
    if machine.state == RUNNING:
        if look.journal.starts and not look.is_late(_SEEN, SHOWN_WITHIN):
            return look.wait(_SEEN, SHOWN_WITHIN, "")
        return look.moves([Move(Step.STOP)])
    if machine.state != STOPPED:
        what = "instance to stop"
        return look.wait(what, _STOPPED_WITHIN, "not_stopped", seconds=2 * SOON)
    return None


def _reseat(look: Look, seating: Seating) -> Turn:
    if seating.is_lost:
        return look.wait("volumes to be there", SHOWN_WITHIN, "volume_gone")
    moves = [
        *(Move(Step.DETACH, place.device, place.disk) for place in seating.to_leave),
        *(Move(Step.ATTACH, place.device, place.disk) for place in seating.to_sit),
    ]
    if moves:
        return look.moves(moves)
    if not seating.attaching:
        return look.wait("volumes to be detached", _DETACHED_WITHIN, "detaching_stuck")
    what = "volumes to be attached"
    if look.journal.goal is Goal.BACK and look.is_late(what, _ATTACHED_WITHIN):
        return look.moves(Move(Step.DETACH, p.device, p.disk) for p in seating.attaching)
    return look.wait(what, _ATTACHED_WITHIN, "attaching_stuck")


def _start(look: Look) -> Turn | None:
    """Start what ran; None once it runs, or where nothing did."""
    machine, journal = look.sight.machine, look.journal
    if not journal.ran or machine is None or machine.state == RUNNING:
        return None
    if machine.state != STOPPED:
        return look.wait("instance to run", _STARTED_WITHIN, "not_started_in_time")
    if journal.starts >= _MOST_STARTS and journal.goal is Goal.FORWARD:
        return look.go_back("does_not_start")
    return look.moves([Move(Step.START)])


def _serve(look: Look) -> Turn:
    """See to what runs on its new volumes, or would."""
    journal, machine = look.journal, look.sight.machine
    if journal.served is None and machine and machine.state == RUNNING:
        served = replace(journal, served=machine.launched or look.sight.at)
        look = replace(look, journal=served)
    return _check(look) or _tag(look) or _finish(look)


def _check(look: Look) -> Turn | None:
    """Wait for the status checks of what ran; None once they pass, or where nobody wants them."""
    journal = look.journal
    if not (journal.ran and journal.check_minutes) or look.sight.health == "ok":
        return None
    within = timedelta(minutes=journal.check_minutes)
    return look.wait("status checks to pass", within, "checks_failed", seconds=3 * SOON)


def _tag(look: Look) -> Turn | None:
    """Say at the originals what took their place, and at a new root what it is made of."""
    journal, disks = look.journal, look.sight.disks
    wanted = [part.original for part in journal.parts]
    if journal.how is How.ROOT:
        new = [disks[part.new] for part in journal.parts if part.new in disks]
        wanted += [disk.id for disk in new if tag.RESTORED_FROM not in disk.tags]
    left = [each for each in wanted if each in disks and each not in journal.tagged]
    return look.last(Move(Step.TAG, disk=each) for each in left) if left else None


def _replace_root(look: Look) -> Turn:
    """Have EC2 replace a root volume; it takes the original back itself where that fails."""
    task = look.sight.task
    if not look.journal.task:
        return look.moves([Move(Step.REPLACE_ROOT)])
    if task is None or task.state in roots.UNDER_WAY:
        return look.wait("root volume to be replaced", GIVEN_UP_AFTER, "")
    if task.state == roots.FAILED:
        return look.go_back("root_task_failed")
    if task.state != roots.SUCCEEDED:
        return look.go_back("root_detached")
    new = roots.new_root(look.journal, look.sight)
    if new is None:
        return look.wait("new root volume to be listed", GIVEN_UP_AFTER, "")
    (part,) = look.journal.parts
    known = look.journal.with_part(part.device, lambda one: replace(one, new=new.id))
    seen = replace(look, journal=known)
    return roots.settle(look, seen) or _check(seen) or _tag(seen) or seen.restored()
