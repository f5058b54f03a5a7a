"""Incidents of any scope, looked up by their full keys."""

from __future__ import annotations

import json
from typing import Any, cast

from caretaker.aws.incidents import find_open, is_open
from caretaker.aws.state import Table
from caretaker.incidents import Incident
from tests.support.builders import ACCOUNT, NOW

SCOPE = f"caretaker/{ACCOUNT}/eu-west-1/uptime/default"
OTHER = f"caretaker/{ACCOUNT}/eu-west-1/uptime/other"


class Items:
    """Open incidents; every partition that was read is noted."""

    def __init__(self, *keys: str) -> None:
        document = json.dumps(Incident(kind="k", resource="r", opened=NOW).as_document())
        version = {"pk": f"incidents#{SCOPE}", "sk": "#version", "version": 3}
        self.items: list[dict[str, Any]] = [version]
        for key in keys:
            scope, kind, resource = key.rsplit("/", 2)
            place = {"pk": f"incidents#{scope}", "sk": f"{kind}/{resource}"}
            self.items.append({**place, "document": document})
        self.read: list[str] = []

    def query(self, pk: str) -> list[dict[str, Any]]:
        self.read.append(pk)
        return [item for item in self.items if item["pk"] == pk]


def a_table(*keys: str) -> tuple[Table, Items]:
    items = Items(*keys)
    return cast("Table", items), items


def test_an_incident_is_open_as_long_as_its_item_is_there() -> None:
    table, _ = a_table(f"{SCOPE}/target_down/shop")
    assert is_open(table, f"{SCOPE}/target_down/shop")
    assert not is_open(table, f"{SCOPE}/target_down/other")
    assert not is_open(table, f"{OTHER}/target_down/shop")
    assert not is_open(table, "nonsense")


def test_what_else_the_partition_holds_is_no_incident() -> None:
    table, _ = a_table()
    assert not is_open(table, f"{SCOPE}/#version")


def test_tells_since_when_and_reads_each_scope_once() -> None:
    wanted = [f"{SCOPE}/target_down/{name}" for name in "abc"] + [f"{OTHER}/target_down/a"]
    table, items = a_table(*wanted[:2], wanted[3])
    assert find_open(table, wanted) == dict.fromkeys([*wanted[:2], wanted[3]], NOW)
    assert sorted(items.read) == [f"incidents#{SCOPE}", f"incidents#{OTHER}"]
