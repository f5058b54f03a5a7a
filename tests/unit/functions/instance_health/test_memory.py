from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from caretaker.settings import Mode
from functions.instance_health.memory import Memory
from tests.support.builders import ACCOUNT, NOW
from tests.support.health import ID, OTHER, a_ladder, a_sighting, ago

PLACE = f"instance_health/{ACCOUNT}/eu-west-1"


class Table:
    """Items in memory; every write is noted."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.guards: list[dict[str, Any]] = []

    def query(self, pk: str) -> list[dict[str, Any]]:
        return [item for (its, _), item in self.items.items() if its == pk]

    def put(self, item: dict[str, Any], _condition: str = "", values: Any = None) -> None:
        self.items[item["pk"], item["sk"]] = item
        self.guards.append(values or {})

    def write_batch(self, items: list[dict[str, Any]], over: list[tuple[str, str]]) -> None:
        for item in items:
            self.put(item)
        for key in over:
            self.items.pop(key, None)


def a_memory(mode: Mode = Mode.ACT) -> tuple[Memory, Table]:
    table = Table()
    scene = SimpleNamespace(
        account=SimpleNamespace(place=SimpleNamespace(account=ACCOUNT, region="eu-west-1")),
        state=SimpleNamespace(table=table),
        now=NOW,
        run_id="01JD",
        settings=SimpleNamespace(mode=Mode.ACT),
    )
    run: Any = SimpleNamespace(scene=scene, mode=mode)
    return Memory(run), table


FULL = a_ladder(
    "stop-start",
    minutes=30,
    ended=5,
    ending="not_fixed",
    begun=(ago(900), ago(30)),
    events=("e-1", "e-2"),
    history=("reboot at 02:00: not fixed",),
    incident="a/b",
    why="spot",
    tries=3,
    streak=2,
)


@pytest.mark.parametrize("ladder", [a_ladder(), FULL, a_ladder("replace", "refused")], ids=str)
def test_a_ladder_is_read_back_as_it_was_written(ladder: Any) -> None:
    memory, table = a_memory()
    written = memory.write(ID, ladder)

    assert memory.ladders() == {ID: written}
    assert written.version == ladder.version + 1
    assert table.guards == [{":seen": ladder.version, ":next": written.version, ":me": "01JD"}]
    assert table.items[f"ladders#{PLACE}", ID]["writer"] == "01JD"


def test_a_ladder_of_an_older_version_is_read() -> None:
    memory, table = a_memory()
    memory.write(ID, a_ladder())
    item = table.items[f"ladders#{PLACE}", ID]
    document = json.loads(item["document"])
    for name in ("events", "history", "why", "streak", "tries", "incident", "ended", "ending"):
        del document[name]
    item["document"] = json.dumps({**document, "event": "e-1", "colour": "red"})

    read = memory.ladders()[ID]
    assert (read.events, read.history, read.why, read.streak, read.tries) == ((), (), "", 1, 1)
    assert (read.ended, read.ending, read.is_open) == (None, None, True)


def test_what_is_open_is_kept_for_longer_than_what_is_over() -> None:
    memory, table = a_memory()
    memory.write(ID, a_ladder())
    memory.write(OTHER, FULL)

    kept = [
        (item["expires_at"] - NOW.timestamp()) / 86_400 for item in table.query(f"ladders#{PLACE}")
    ]
    assert kept == [400, 30]


def test_only_what_changed_is_written_of_what_was_seen() -> None:
    memory, table = a_memory()
    first, later = a_sighting(polls=1), a_sighting(polls=2)
    memory.remember({}, {ID: first, OTHER: first})
    assert memory.sightings() == {ID: first, OTHER: first}

    table.guards.clear()
    memory.remember({ID: first, OTHER: first}, {ID: later})
    assert memory.sightings() == {ID: later}
    assert len(table.guards) == 1
    memory.remember({ID: later}, {ID: later})
    assert len(table.guards) == 1


def test_a_look_by_hand_is_no_poll() -> None:
    memory, table = a_memory(Mode.REPORT)
    memory.remember({}, {ID: a_sighting()})
    memory.move(ID, a_ladder())

    assert table.items == {}


def test_a_recovery_that_aws_gave_up_counts_for_two_hours() -> None:
    memory, table = a_memory()
    memory.leave(ID)
    assert memory.left() == {ID}

    table.items[f"recoveries-failed#{PLACE}", ID]["expires_at"] -= 2 * 3600
    assert memory.left() == frozenset()
