"""Facts for tests of service repair: something ordinary; keywords tell what is odd."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.request import parse_request
from functions.service_repair.attempt import Attempt, Ending, Stand
from functions.service_repair.facts import (
    Deployment,
    Facts,
    Happening,
    Machine,
    Service,
    Task,
    Telling,
)
from functions.service_repair.plan import Plan, plan_repair
from functions.service_repair.request import ServiceRepairRequest
from tests.support.builders import ACCOUNT, NOW

if TYPE_CHECKING:
    from datetime import datetime

INCIDENT: Final = f"caretaker/{ACCOUNT}/eu-west-1/uptime/default/target_down/shop"
OTHER: Final = f"caretaker/{ACCOUNT}/eu-west-1/uptime/default/target_down/admin"
SERVICE: Final = "prod/web"
ID: Final = "i-0123456789abcdef0"
DOCUMENT: Final = "restart-web"
RESTART: Final = {tag.REMEDIATE: "restart"}
ECS: Final[dict[str, Any]] = {"ecs_service": {"cluster": "prod", "service": "web"}}
SSM: Final[dict[str, Any]] = {"ssm_document": {"name": DOCUMENT, "instance": ID}}
OPENED: Final = NOW - timedelta(minutes=20)


def ago(minutes: float) -> datetime:
    """Return the time so many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def ask(
    what: dict[str, Any] | None = None,
    incident: str = INCIDENT,
    target: str = "shop",
    **repairs: Any,
) -> ServiceRepairRequest:
    """Return a request for a repair, checked as an event is."""
    asked = {**(what or ECS), "incident": incident, "target": target}
    return parse_request(ServiceRepairRequest, {"repair": asked, "repairs": repairs})


def a_task(number: int = 1, *, minutes: float = 600, tags: Any = None) -> Task:
    """Return a task that was started so many minutes ago and carries its service's tags."""
    arn = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/prod/{number:032x}"
    return Task(arn, ago(minutes), RESTART if tags is None else tags)


def a_service(number: int = 2, **odd: Any) -> Service:
    """Return a steady service that may be restarted."""
    known: dict[str, Any] = {
        "status": "ACTIVE",
        "desired": number,
        "tags": RESTART,
        "deployments": (Deployment(is_primary=True, rollout="COMPLETED"),),
        "tasks": tuple(a_task(each, minutes=600 - each) for each in range(number)),
    }
    return Service(**known | odd)


def a_machine(remediate: str = "restart", **odd: Any) -> Machine:
    """Return an instance that runs and can be reached."""
    known = {"state": "running", "tags": {tag.REMEDIATE: remediate}, "ping": "Online"}
    return Machine(**known | odd)


def happened(message: str, minutes: float = 30) -> Happening:
    """Return an event of a service."""
    return Happening(ago(minutes), f"(service web) {message}.")


def an_attempt(action: str = "stop_task", minutes: float = 30, **odd: Any) -> Attempt:
    """Return a repair sent half an hour ago, for the incident that is open since before."""
    opened = odd.pop("opened", min(OPENED, ago(minutes)))
    known: dict[str, Any] = {
        "action": action,
        "target": "shop",
        "incident": INCIDENT,
        "opened": opened,
        "at": ago(minutes),
        "begun": (ago(minutes),),
        "version": 1,
    }
    return Attempt(**known | odd)


def ended(attempt: Attempt, ending: str = "not_fixed", minutes: float = 0) -> Attempt:
    """Return an attempt that was judged so many minutes ago."""
    return attempt.ended_as(Ending(ending), ago(minutes))


def refused(attempt: Attempt) -> Attempt:
    """Return an attempt that AWS did not take."""
    made = attempt.refused("AccessDeniedException", None)
    assert made.stand is Stand.REFUSED
    return made


def planned(
    *things: Any,
    request: ServiceRepairRequest | None = None,
    opened: dict[str, datetime] | None = None,
    **facts: Any,
) -> Plan:
    """Return the plan of a run that meets these things while the incident is open."""
    known: dict[str, Any] = {"documents": frozenset({DOCUMENT})}
    request = request or ask()
    since = OPENED
    for thing in things:
        match thing:
            case Service():
                known["service"] = thing
            case Machine():
                known["machine"] = thing
            case Attempt() if request.repair:
                known["attempts"] = {request.repair.resource: thing}
                since = thing.opened
            case Telling():
                known["tellings"] = [thing]
    known["open_incidents"] = {INCIDENT: since} if opened is None else opened
    return plan_repair(Facts(**known | facts), request, now=NOW)


def decided(*things: Any, **how: Any) -> tuple[str, str]:
    """Return what is done, and why."""
    decision = planned(*things, **how).decision
    assert decision
    return decision.action, decision.reason
