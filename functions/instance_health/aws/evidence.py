"""Gather: the status of every instance, what is behind those in trouble, what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.aws.incidents import is_open
from caretaker.aws.restores import in_open_restores
from caretaker.aws.stops import list_stores
from caretaker.errors import ListingError, OutOfTimeError
from functions.instance_health.arrivals import RECOVERY_FAILED, StateChange
from functions.instance_health.aws import listings
from functions.instance_health.aws.keys import bad_keys
from functions.instance_health.facts import (
    ENDING,
    IMPAIRED,
    RUNNING,
    STOPPED,
    Facts,
    Machine,
    Status,
)
from functions.instance_health.memory import Memory
from functions.instance_health.request import Rung
from functions.instance_health.sightings import trouble_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caretaker.run import Run
    from functions.instance_health.facts import Machine
    from functions.instance_health.ladder import Ladder
    from functions.instance_health.plan import Plan
    from functions.instance_health.request import InstanceHealthRequest
    from functions.instance_health.sightings import Sighting

_COSTS_SECONDS: Final = 20
"""Without them only the stops wait: they must not cost the run its time."""


def gather_owed(run: Run[InstanceHealthRequest]) -> Facts:
    """Read what this chore has stopped and not yet started, and nothing else.

    It comes before all else, so that no outage of another call keeps an instance stopped.
    """
    ladders = Memory(run).ladders()
    return _those(run, {k: v for k, v in ladders.items() if v.is_open and v.may_be_stopped})


def gather(run: Run[InstanceHealthRequest]) -> Facts:
    """Read what the run is about: everything, or what an event tells of."""
    event, memory = run.request.event, Memory(run)
    if event is None:
        return _everything(run, memory)
    if isinstance(event.detail, StateChange):
        changed = event.detail.instance_id
        ladders = {k: v for k, v in memory.ladders().items() if k == changed and v.is_open}
        return _those(run, ladders, expected=[changed])
    if event.detail.eventTypeCode == RECOVERY_FAILED:
        for instance_id in event.detail.instance_ids:
            memory.leave(instance_id)
    return Facts(statuses=(), is_whole=False)


def remember(run: Run[InstanceHealthRequest], plan: Plan) -> None:
    """Write what the poll saw, and the ladders that ended, before anything is changed."""
    memory, facts = Memory(run), plan.case.facts
    if facts.is_whole:
        memory.remember(facts.sightings, plan.sightings)
    for instance_id, ladder in plan.moved.items():
        memory.move(instance_id, ladder)


def _everything(run: Run[InstanceHealthRequest], memory: Memory) -> Facts:
    scene, sightings, ladders = run.scene, memory.sightings(), memory.ladders()
    statuses = listings.list_statuses(scene)
    suspects = set(_suspects(run, statuses, sightings, ladders))
    machines = _looked_at(run, suspects) if suspects else {}
    if any(status.state in {STOPPED, *ENDING} for status in statuses):
        machines = listings.list_expected(scene) | machines
    facts = Facts(
        statuses=statuses,
        machines=machines,
        sightings=sightings,
        ladders=ladders,
        group_sizes=_group_sizes(run, machines),
        open_incidents=frozenset(_open_incidents(run, ladders)),
        left=memory.left()
        if any(status.system == IMPAIRED for status in statuses)
        else frozenset(),
    )
    return _with_costs_of_a_stop(run, facts)


def _looked_at(run: Run[InstanceHealthRequest], ids: Iterable[str]) -> dict[str, Machine]:
    """Return what is known of instances, and whether a restore has them in hand."""
    scene = run.scene
    restored = in_open_restores(scene.state.table, scene.account.place, "targets")
    found = listings.list_machines(scene, ids)
    return {each: replace(m, is_in_restore=each in restored) for each, m in found.items()}


def _those(
    run: Run[InstanceHealthRequest], ladders: Mapping[str, Ladder], expected: Sequence[str] = ()
) -> Facts:
    """Read some instances that do not run, without any check of theirs."""
    ids = {*ladders, *expected}
    machines = {
        each: machine
        for each, machine in (listings.list_machines(run.scene, ids) if ids else {}).items()
        if machine.state == STOPPED or (each in expected and machine.state in ENDING)
        if each in ladders or machine.is_expected
    }
    return Facts(
        statuses=tuple(Status(m.id, m.zone, m.state) for m in machines.values()),
        machines=machines,
        ladders={each: ladder for each, ladder in ladders.items() if each in machines},
        is_whole=False,
    )


def _suspects(
    run: Run[InstanceHealthRequest],
    statuses: Iterable[Status],
    sightings: Mapping[str, Sighting],
    ladders: Mapping[str, Ladder],
) -> Iterable[str]:
    """Yield those to look at more closely."""
    yield from (status.id for status in statuses if trouble_of(status) or status.events)
    yield from sightings
    yield from (instance_id for instance_id, ladder in ladders.items() if ladder.is_open)
    if run.request.repair:
        yield run.request.repair.instance


def _group_sizes(
    run: Run[InstanceHealthRequest], machines: Mapping[str, Machine]
) -> dict[str, int]:
    """Return the sizes of the groups that a repair may be in."""
    key = run.request.group_by
    if key is None:
        return {}
    values = {m.tags[key] for m in machines.values() if key in m.tags and tag.REMEDIATE in m.tags}
    return listings.count_groups(run.scene, key, values) if values else {}


def _open_incidents(
    run: Run[InstanceHealthRequest], ladders: Mapping[str, Ladder]
) -> Iterable[str]:
    """Yield those of the incidents that repairs were asked for, which are still open."""
    asked = {each.incident for each in ladders.values() if each.incident and not each.is_settled}
    if run.request.repair:
        asked.add(run.request.repair.incident)
    table = run.scene.state.table
    yield from (incident for incident in sorted(asked) if is_open(table, incident))


def _with_costs_of_a_stop(run: Run[InstanceHealthRequest], facts: Facts) -> Facts:
    """Read what a stop would lose, and whether a start would succeed, of those it may come to."""
    stoppable = {
        each: machine
        for each, machine in facts.machines.items()
        if machine.remediate == Rung.STOP_START and machine.state == RUNNING
    }
    if not stoppable:
        return facts
    scene = replace(run.scene, pacer=run.scene.pacer.within(_COSTS_SECONDS))
    try:
        stores = list_stores(scene, (machine.type for machine in stoppable.values()))
        keys = bad_keys(scene, listings.list_keys(scene, stoppable))
    except (ListingError, OutOfTimeError):
        return replace(facts, are_costs_known=False)
    return replace(facts, stores=stores, bad_keys=keys)
