"""The story that docs/fleet.md tells: a first report over an organization, and what people hear.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from caretaker.aws import session
from caretaker.run import Run
from functions.fleet import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.fleet_world import MEMBERS, FleetWorld
from tests.support.stack import SLOT, TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVENTS: Final = Path(__file__).parents[2] / "events" / "fleet"
_BACKUP: Final = {"caretaker:backup": "daily"}
_REGIONS: Final = ("eu-central-1", "eu-west-1")
_NAMES: Final = {ACCOUNT: "operations", MEMBERS[0]: "web", MEMBERS[1]: "batch"}


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, at the story's own time."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {**asked, "scheduled_time": SLOT}


def play() -> dict[str, Any]:
    """Return the examples of docs/fleet.md by name: one account has not got the role."""
    with _world() as world:
        asked = event("report")
        asked["regions"] = {"names": list(_REGIONS)}
        started = world.stack.run(app.CHORE, asked)
        judged = world.play(started["summary"]["run"])
        return {
            "started": _some(started, "status", "reason", "counts", "summary"),
            "judged": _some(judged, "status", "counts", "summary"),
            "judged-items": [_without_id(item) for item in judged["outcomes"][:2]],
            "digest": _mail(),
        }


def refused() -> dict[str, Any]:
    """Return the examples of the chore's page by name."""
    with _world() as world:
        wrong = world.stack.run(app.CHORE, event("wrong-event"))
        asked = {**event("ids"), "accounts": {"organization": True}, "mode": "act"}
        nowhere = {**asked, "regions": {"names": ["eu-west-9"]}, "concurrency": 5000}
        told = world.stack.run(app.CHORE, nowhere)
        return {
            "wrong": _some(wrong, "status", "reason", "errors"),
            "nowhere": _some(told, "status", "reason", "errors"),
        }


@contextmanager
def _world() -> Iterator[FleetWorld]:
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
        world = FleetWorld(cloud, clock, Stack(clock), Account(cloud), patched)
        patched.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-member")
        for account, name in _NAMES.items():
            role = "delegated" if account == ACCOUNT else "member"
            cloud.organization.join(account, role=role, name=name)
            if name != "batch":
                cloud.access.role(account, "caretaker-member", trusts=ACCOUNT)
        mock_random.seed(20261121)
        _volumes(world)
        yield world
    session.forget()


def _volumes(world: FleetWorld) -> None:
    """Put volumes that want backups into two accounts."""
    for account, region in ((ACCOUNT, REGION), (MEMBERS[0], "eu-central-1")):
        place = Account(world.cloud, account=account, region=region)
        place.volume(tags={**_BACKUP, "Name": "data"})


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


def _without_id(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item without AWS's id of the request, which is another at each playing."""
    error = {"error": {**item["error"], "request_id": "…"}} if "error" in item else {}
    return {**item, **error}


def _mail() -> str:
    """Return the newest message for people, below its subject."""
    _, body, subject, *_ = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications[-1]
    return f"{subject}\n\n{json.loads(body)['email']}"
