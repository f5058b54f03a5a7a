"""The files under events/: each is an event that its chore takes, and each is documented."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.instance_health.arrivals import resolve
from functions.instance_health.request import InstanceHealthRequest
from tests.support.docs_pages import page_of, text_of

if TYPE_CHECKING:
    from caretaker.run import Scene

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted((ROOT / "events").glob("*/*.json"))
REFUSED: Final = {
    "retention/empty.json": ["keep"],
    "tagging/empty.json": ["rules"],
    "tagging/reserved-key.json": ["rules.caretaker:managed-by"],
    "tagging/wrong-rules.json": [
        "rules.Environment",
        "rules.CostCenter",
        "rules.Owner",
        "rules.Team.applies_to.0",
    ],
    "instance_health/wrong-ladder.json": [
        "repairs.ladders_per_day",
        "repairs.group_percent",
        "repairs.breaker_percent",
        "repairs.ladders.instance.1",
    ],
    "instance_health/wrong-windows.json": [
        "maintenance_windows.0.start",
        "maintenance_windows.1.zone",
        "maintenance_windows.2",
        "maintenance_windows.3",
    ],
    "uptime/wrong-event.json": [
        "targets_from",
        "canary_url",
        "private_networks.0",
        "at_once",
        "confirm.failures",
    ],
    "uptime/other-region.json": ["target"],
    "restore/wrong-event.json": [
        "select.instances.0",
        "at",
        "how",
        "wave",
        "order.values",
        "zone",
    ],
    "drill/wrong-event.json": ["sample", "blocks", "rto_minutes", "max_proof_age_days"],
    "fleet/empty.json": ["chore"],
    "fleet/wrong-event.json": [
        "event",
        "accounts.ids.0",
        "accounts.left_out.units.0",
        "regions.names.0",
        "concurrency",
        "again",
    ],
    "service_repair/wrong-repair.json": ["repair"],
    "service_repair/wrong-bounds.json": [
        "repair.ecs_service.service",
        "repair.incident",
        "repairs.repairs_per_day",
        "repairs.at_once",
        "repairs.settle_minutes",
    ],
    "service_repair/other-region.json": ["target"],
}
"""Files that show what is refused, each with the fields that are wrong."""


def names(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def content(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


TAKEN: Final = [path for path in FILES if names(path) not in REFUSED]


def test_every_chore_has_event_files_and_every_event_folder_a_chore() -> None:
    chores = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}

    assert {path.parent.name for path in FILES} == chores


@pytest.mark.parametrize("path", TAKEN, ids=names)
def test_an_event_file_is_an_event_that_its_chore_takes(path: Path) -> None:
    event = content(path)
    if "detail-type" not in event:
        chore = import_module(f"functions.{path.parent.name}.app").CHORE
        parse_request(chore.request, event)
        return
    if path.parent.name == "instance_health":
        parse_request(InstanceHealthRequest, resolve(event, cast("Scene", None)))
        return

    request = import_module(f"functions.{path.parent.name}.request")
    assert event["source"] == "aws.ec2"
    assert request.failed_snapshot_ids(event), "the event of a failure names what failed"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_event_file_that_shows_a_refusal_is_refused(name: str) -> None:
    chore = import_module(f"functions.{name.partition('/')[0]}.app").CHORE

    with pytest.raises(RefusedError) as refused:
        parse_request(chore.request, content(ROOT / "events" / name))
    assert [error["path"] for error in refused.value.errors] == REFUSED[name]


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_event_file_is_linked_on_the_page_of_its_chore(path: Path) -> None:
    page = text_of(page_of(path.parent.name))

    assert f"/events/{names(path)})" in page


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_event_file_is_formatted_like_the_others(path: Path) -> None:
    written = path.read_text(encoding="utf-8")

    assert written == json.dumps(content(path), indent=2, ensure_ascii=False) + "\n"
