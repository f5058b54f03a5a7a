"""The planner's facts, and the manifest of a run; to be imported where the layer is on the path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bench.fleet_size import REGIONS, account_id

if TYPE_CHECKING:
    from bench.fleet_size import Fleet

FUNCTION: Final = "arn:aws:lambda:eu-west-1:123456789012:function:caretaker-{chore}"
SLOT: Final = "2026-11-21T03:00Z"
_LEFT_OUT: Final = 20
_ROOM: Final = 900


def facts_of(fleet: Fleet, shut: int = 0) -> Any:
    """Return what an organization of that size tells; so many of its accounts let nobody in."""
    from functions.fleet.facts import Facts, Member, Reach, Room  # noqa: PLC0415

    known = frozenset(REGIONS)
    denied = {"code": "AccessDenied", "message": "not authorized to perform sts:AssumeRole"}
    open_to_us = Reach(frozenset(REGIONS[: fleet.regions]), known)
    members, reaches = [], {}
    for number in range(fleet.accounts + _LEFT_OUT):
        name = account_id(number)
        tags = {"team": f"team-{number % 40}", "sandbox": str(number >= fleet.accounts).lower()}
        units = frozenset({"r-ab12", f"ou-ab12-{number % 30:08}"})
        members.append(
            Member(name, f"team-{number % 40}-workload-{number}", units=units, tags=tags)
        )
        reaches[name] = Reach(error={**denied, "request_id": ""}) if number < shut else open_to_us
    return Facts(tuple(members), reaches, Room(_ROOM), frozenset(), fleet.number)


def request_of(given: dict[str, Any]) -> Any:
    """Return the request of a fleet over all accounts but the sandboxes."""
    from functions.fleet.request import FleetRequest  # noqa: PLC0415

    asked = {
        "policy": given["policy"],
        "chore": given["chore"],
        "event": {"policy": "daily"},
        "accounts": {"organization": True, "left_out": {"tags": ["sandbox=true"]}},
        "regions": {"enabled": True},
        "concurrency": given["concurrency"],
        **({"mode": "report", "express": given["express"]} if given["mode"] == "report" else {}),
    }
    return FleetRequest.model_validate_json(json.dumps(asked))


def plan_of(facts: Any, request: Any) -> Any:
    """Return the plan of it."""
    from functions.fleet.facts import Cell  # noqa: PLC0415
    from functions.fleet.plan import plan_fleet  # noqa: PLC0415

    return plan_fleet(facts, request, own=Cell("123456789012", "eu-west-1"))


def manifest_of(facts: Any, request: Any, run: str) -> Any:
    """Return the manifest of the run, as the starter writes it."""
    from caretaker.settings import Mode  # noqa: PLC0415
    from functions.fleet.manifest import Manifest, digest_of  # noqa: PLC0415

    plan = plan_of(facts, request)
    if plan.refusal:
        raise ValueError(plan.refusal)
    return Manifest(
        run=run,
        policy=request.policy,
        chore=request.chore,
        function=FUNCTION.format(chore=request.chore),
        mode=request.mode or Mode.ACT,
        slot=SLOT,
        event=request.event,
        cells=plan.cells,
        concurrency=plan.concurrency,
        plan=plan.id,
        asked=digest_of(request),
        express=request.express,
        unreached=plan.unreached,
        left=plan.left,
        names=plan.names,
    )
