"""Ten thousand incidents are open: people get one message to each channel, in time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.dynamodb.models import dynamodb_backends

from caretaker.aws.state import Table
from caretaker.incidents import Incident
from tests.cloud import ACCOUNT, REGION
from tests.support.alerting import CHANNELS, HOUR, Desk, bad, desk_of
from tests.support.alerts import STALE, numbered
from tests.support.snapshots import MAX_ANSWER
from tests.support.stack import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

MANY: Final = 10_000


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch)


def fill(incidents: Sequence[Incident]) -> None:
    """Put open incidents straight into moto's table."""
    table = dynamodb_backends[ACCOUNT][REGION].get_table(TABLE)
    for incident in incidents:
        document = json.dumps(incident.as_document())
        item = {"pk": f"incidents#{incident.scope}", "sk": incident.key, "document": document}
        table.put_item({name: {"S": value} for name, value in item.items()})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect what is written in batches, which moto takes a minute for."""
    found: list[Any] = []
    write = Table.write_batch

    def collect(table: Table, puts: list[Any], deletes: list[tuple[str, str]]) -> None:
        found.extend(puts)
        write(table, [], deletes)

    monkeypatch.setattr(Table, "write_batch", collect)
    return found


def test_ten_thousand_reminders_are_one_message_to_each_channel(
    desk: Desk, cloud: StrictCloud, written: list[Any]
) -> None:
    """What long and wide texts make of it is a matter of `test_rendering_limits.py`."""
    desk.look(bad("known to the table by its scope alone"))
    fill(numbered(MANY, replace(STALE, evidence={}, name='"\N{GRINNING FACE}"')))
    desk.heard_everywhere()
    cloud.calls.clear()
    written.clear()

    answer = desk.next_run(5 * HOUR)

    assert answer["counts"] == {"remind": {"done": MANY}}
    assert len(json.dumps(answer)) < MAX_ANSWER
    assert [call.outcome for call in cloud.calls.of("Publish")] == ["ok"] * len(CHANNELS)
    (alarm,) = desk.stack.heard("alerts")
    assert len(alarm["incidents"]) + alarm["incidents_omitted"] == MANY
    assert f"{MANY} x backup_stale" in alarm["Subject"]
    assert len(desk.heard("pager")) == 1
    assert len(written) == MANY


def test_a_thousand_reminders_are_not_told_again(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    fill(numbered(1_000))
    desk.heard_everywhere()

    desk.next_run(5 * HOUR)
    answer = desk.next_run()

    assert len(desk.heard()) == 1
    assert answer["counts"] == {"keep": {"unchanged": 1_001}}
    assert len(desk.open()) == 1_001
