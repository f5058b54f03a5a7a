"""What docs/chores/service-repair.md shows: what uptime asks for, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from functions.service_repair import app
from tests.support.docs_uptime_scene import scene, some
from tests.support.stack import DOCUMENT

if TYPE_CHECKING:
    from tests.support.docs_uptime_scene import Scene

EVENTS: Final = Path(__file__).parents[2] / "events" / "service_repair"
_RESTART: Final = {"caretaker:remediate": "restart"}
_REFUSED: Final = ("status", "reason", "errors")
_INSTANCE: Final = "i-0123456789abcdef0"
_COMMAND: Final = "0c0ffee0-0000-4000-8000-000000000001"
_DOCUMENT: Final = DOCUMENT.rpartition("/")[2]


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return asked


def play() -> dict[str, Any]:
    """Return the examples by name."""
    scenes = (_restart, _single, _lasting, _not_allowed, _document, _refusals)
    return {name: value for each in scenes for name, value in each().items()}


def _target(**fix: Any) -> dict[str, Any]:
    return {"name": "api", "url": "https://api.example.com/health", "fix": fix}


_BY_SERVICE: Final = _target(ecs_service={"cluster": "web", "service": "api"})


def _ask(world: Scene, target: dict[str, Any]) -> dict[str, Any]:
    """Let a target be down, and return what uptime asks for."""
    world.host("api", status=503)
    while not world.to_do:
        world.look(target)
        world.subjects()
        world.clock.advance(60)
    return world.to_do.pop()


def _answer(world: Scene, asked: dict[str, Any]) -> dict[str, Any]:
    return world.stack.run(app.CHORE, asked, seconds=300)


def _restart() -> dict[str, Any]:
    """Restart one of two tasks, and be asked again too soon."""
    with scene() as world:
        world.account.ecs_service("api", "web", tags=_RESTART)
        asked = _ask(world, _BY_SERVICE)
        first = _answer(world, asked)["outcomes"]
        world.clock.advance(60)
        again = [some(each, "action", "reason") for each in _answer(world, asked)["outcomes"]]
        return {"asked": asked, "restart": first, "again": again}


def _single() -> dict[str, Any]:
    """Deploy a service of one task anew."""
    with scene() as world:
        world.account.ecs_service("api", "web", running=1, tags=_RESTART)
        return {"single": _answer(world, _ask(world, _BY_SERVICE))["outcomes"]}


def _lasting() -> dict[str, Any]:
    """Ask for hours for what no restart mends."""
    with scene() as world:
        world.account.ecs_service("api", "web", tags=_RESTART)
        world.host("api", status=503)
        lines, told = "", ""
        for _ in range(45):
            world.look(_BY_SERVICE)
            said = world.subjects()
            asked, world.to_do = world.to_do, []
            for each in asked:
                (item,) = _answer(world, each)["outcomes"]
                now = world.clock.now()
                lines += f"{now:%H:%M}  {item['action']:10}  {item['reason']}\n"
            told += said + world.subjects()
            world.clock.advance(60)
        return {"lasting": lines, "lasting-told": told}


def _not_allowed() -> dict[str, Any]:
    """Ask for a service that nobody has opened to restarts."""
    with scene() as world:
        world.account.ecs_service("api", "web")
        _answer(world, _ask(world, _BY_SERVICE))
        return {"not-allowed": world.subjects() and world.mail()}


def _document() -> dict[str, Any]:
    """Restart a unit on an instance; the second time the command fails."""
    with scene() as world:
        made = world.account.instance({}, tags=_RESTART).id
        world.account.agent(made)
        world.account.document(_DOCUMENT, takes=["unit"])
        parameters = {"unit": "api"}
        fix = {"name": _DOCUMENT, "instance": made, "parameters": parameters}
        asked = _ask(world, _target(ssm_document=fix))
        world.account.command_course(end="Failed", code=1)
        answer = _answer(world, asked)
        (item,) = answer["outcomes"]
        item["target"], item["detail"]["command"] = _INSTANCE, _COMMAND
        return {"document": [item]}


def _refusals() -> dict[str, Any]:
    """Send what is wrong."""
    with scene() as world:
        refused = _answer(world, event("wrong-bounds"))
        return {"refused-bounds": some(refused, *_REFUSED)}
