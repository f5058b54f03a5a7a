"""What docs/chores/uptime.md shows: services fail, are repaired, and people hear of it.

The servers are real; how long they took is set, so that it is the same at every playing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from functions.uptime import app
from tests.support.docs_uptime_scene import scene, some

EVENTS: Final = Path(__file__).parents[2] / "events" / "uptime"
_BRIEF: Final = ("status", "counts", "summary")
_FRONT: Final = {"name": "front", "url": "https://front.example.com/", "group": "shop"}
_SEARCH: Final = {"name": "search", "url": "https://search.example.com/find?q=probe"}
_API: Final = {
    "name": "api",
    "url": "https://api.example.com/health",
    "group": "shop",
    "max_latency_ms": 800,
    "slo": 99.9,
    "fix": {"ecs_service": {"cluster": "web", "service": "api"}},
}
_BATCH: Final = {"name": "batch", "url": "http://batch.example.com:8080/health", "group": "back"}


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    scenes = (_look, _repair, _part, _partial, _certificate, _blind, _maintenance, _wrong)
    return {name: value for each in scenes for name, value in each().items()}


def _look() -> dict[str, Any]:
    """Look at three services by hand: one is well, one is wrong, one is gone."""
    with scene("report") as world:
        for name in ("front", "api", "batch"):
            world.host(name)
        world.farm.set("api", json={"database": {"connected": False}})
        world.times["api"] = 83
        api = {**_API, "expect": {"json": {"path": "database.connected", "equals": True}}}
        answer = world.look(_FRONT, api, _BATCH, policy="try", mode="report")
        return {"look": some(answer, *_BRIEF), "look-items": answer["outcomes"]}


def _repair() -> dict[str, Any]:
    """Let a service become slow, then fail, and have it restarted."""
    with scene() as world:
        world.host("api")
        world.account.ecs_service("api", "web", tags={"caretaker:remediate": "restart"})
        world.minutes(6, _API)
        world.times["api"] = 1240
        found: dict[str, Any] = {"slow": world.minutes(6, _API)}
        world.farm.set("api", status=503)
        told, steps, items = "", "", {}
        for minute in range(12):
            if minute == 6:  # two minutes after the restart
                world.farm.set("api", status=200)
                world.times["api"] = 61
            (item,) = world.look(_API)["outcomes"]
            if (item["action"], item["reason"]) not in items:
                steps += world.line(item)
                items[item["action"], item["reason"]] = item
            told += world.subjects()
            if item["action"] == "fix" and item["reason"] == "down":
                found["mail"] = world.mail()
            told += world.repairs()
            world.clock.advance(60)
        return {**found, "down": told, "steps": steps, "items": list(items.values())}


def _part() -> dict[str, Any]:
    """Lose what others depend on."""
    search, api = ({**each, "depends_on": "front", "fix": None} for each in (_SEARCH, _API))
    targets = (_FRONT, search, api)
    with scene() as world:
        for name in ("front", "search", "api"):
            world.host(name)
        world.minutes(2, *targets)
        for name in ("front", "search", "api"):
            world.farm.set(name, status=502)
        told = world.minutes(8, *targets)
        for name in ("front", "search", "api"):
            world.farm.set(name, status=200)
        return {"part": told + world.minutes(3, *targets)}


def _partial() -> dict[str, Any]:
    """Let one of two addresses refuse."""
    with scene() as world:
        first = world.host("front")
        second = "93.184.216.99"
        world.net.names["front.example.com"] = [first, second]
        world.net.places[second] = {443: world.farm.port("refused")}
        told = world.minutes(2, _FRONT)
        answer = world.look(_FRONT)
        del world.net.places[second]
        world.clock.advance(60)
        return {"partial": told + world.minutes(2, _FRONT), "partial-item": answer["outcomes"]}


def _certificate() -> dict[str, Any]:
    """Wait until a certificate expires."""
    with scene() as world:
        world.days = 22.5
        world.host("front")
        told = ""
        for days in (1, 1, 7, 7, 4, 2, 1, 1):
            told += world.minutes(1, _FRONT)
            world.clock.advance(days * 24 * 3600 - 60)
        return {"certificate": told}


def _blind() -> dict[str, Any]:
    """Lose the way to everything, the canary too."""
    targets = (_FRONT, _SEARCH, _API)
    with scene() as world:
        for name in ("front", "search", "api"):
            world.host(name)
        told = world.minutes(2, *targets)
        names = dict(world.net.names)
        world.net.names = dict.fromkeys(names, "again")
        told += world.minutes(3, *targets)
        answer = world.look(*targets)
        world.net.names = names
        return {
            "blind": told + world.minutes(2, *targets),
            "blind-summary": answer["summary"],
        }


def _maintenance() -> dict[str, Any]:
    """Work on a service at night."""
    window = {"start": "03:05", "duration_minutes": 30, "zone": "UTC"}
    target = {**_API, "maintenance": [window]}
    with scene() as world:
        world.host("api")
        world.minutes(6, target)
        world.farm.set("api", status=503)
        return {"maintenance": world.look(target)["outcomes"]}


def _wrong() -> dict[str, Any]:
    """Send targets, and an event, that are wrong."""
    with scene("report") as world:
        world.net.names["www.example.com"] = ["93.184.216.34"]
        answer = world.stack.run(app.CHORE, event("wrong-targets"))
        refused = world.stack.run(app.CHORE, event("wrong-event"))
        return {
            "wrong": answer["outcomes"],
            "refused-event": some(refused, "status", "reason", "errors"),
        }
