"""Gather: the incident, what was done before, and the service or instance that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker.aws.incidents import find_open
from caretaker.errors import ListingError
from functions.service_repair.aws.commands import find_invocation, find_machine
from functions.service_repair.aws.services import find_service
from functions.service_repair.facts import Facts, Telling
from functions.service_repair.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from caretaker.run import Run
    from functions.service_repair.attempt import Attempt
    from functions.service_repair.plan import Plan
    from functions.service_repair.request import Asked, ServiceRepairRequest

WAITS: Final = (0, 2, 4, 8)
"""Seconds before each look for the incident: who asks may write it down only just after."""


def gather(run: Run[ServiceRepairRequest], waits: Sequence[int] = WAITS) -> Facts:
    """Read what the run is about; of AWS nothing, unless the incident is open."""
    memory, asked = Memory(run), run.request.repair
    attempts, tellings = memory.attempts(), memory.tellings()
    wanted = {t.incident for t in tellings} | {a.incident for a in attempts.values() if a.is_open}
    open_incidents = _open_incidents(run, wanted, asked, waits)
    known = Facts(open_incidents, tellings, attempts, documents=run.scene.settings.ssm_documents)
    if asked is None or asked.incident not in open_incidents:
        return known
    try:
        return _with_resource(run, known, asked)
    except ListingError as error:
        if error.may_pass:
            raise
        return replace(known, unread=error.failure)


def remember(run: Run[ServiceRepairRequest], plan: Plan) -> None:
    """Write what was found to be over, and whom people are told of, before anything is changed."""
    memory, asked = Memory(run), run.request.repair
    if not memory.is_regular:
        return
    for resource, attempt in plan.attempts.items():
        memory.move(resource, attempt)
    if asked and asked.incident in plan.facts.open_incidents:
        memory.tell(Telling(asked.target, asked.resource, asked.incident))


def _open_incidents(
    run: Run[ServiceRepairRequest],
    wanted: Iterable[str],
    asked: Asked | None,
    waits: Sequence[int],
) -> Mapping[str, datetime]:
    scene = run.scene
    keys = {*wanted, *([asked.incident] if asked else [])}
    found: Mapping[str, datetime] = {}
    for wait in waits:
        if not scene.deadline.allows(wait):
            break
        scene.clock.sleep(wait)
        found = find_open(scene.state.table, sorted(keys))
        if asked is None or asked.incident in found:
            break
    return found


def _with_resource(run: Run[ServiceRepairRequest], known: Facts, asked: Asked) -> Facts:
    scene = run.scene
    if asked.ecs_service:
        return replace(known, service=find_service(scene, asked.ecs_service))
    state = _command_state(run, known.attempts.get(asked.resource))
    return replace(known, machine=find_machine(scene, asked.resource), command_state=state)


def _command_state(run: Run[ServiceRepairRequest], attempt: Attempt | None) -> str:
    """Return the state of the last command, where its outcome is open; empty if nobody knows."""
    if attempt is None or not (attempt.is_open and attempt.subject):
        return ""
    try:
        found = find_invocation(run.scene, attempt.subject)
    except ListingError as error:
        if error.may_pass:
            raise
        return ""
    return str(found["Status"]) if found else ""
