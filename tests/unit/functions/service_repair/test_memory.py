"""What is written down, and read back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from caretaker.aws.state import ConditionFailedError
from caretaker.settings import Mode
from functions.service_repair.facts import Telling
from functions.service_repair.memory import Memory
from tests.support.builders import ACCOUNT, NOW
from tests.unit.functions.service_repair.building import (
    ID,
    INCIDENT,
    SERVICE,
    an_attempt,
    ended,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = f"service_repair/{ACCOUNT}/eu-west-1"
TELLING = Telling("shop", SERVICE, INCIDENT)


class Table:
    """Items in memory; conditions are held by what a test says of them."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.guards: list[dict[str, Any]] = []
        self.holds: Callable[[dict[str, Any]], bool] = lambda _: True

    def query(self, pk: str) -> list[dict[str, Any]]:
        return [item for (its, _), item in self.items.items() if its == pk]

    def put(self, item: dict[str, Any], condition: str = "", values: Any = None) -> None:
        if condition and not self.holds(item):
            raise ConditionFailedError("PutItem", cast("Any", SimpleNamespace(response={})))
        self.items[item["pk"], item["sk"]] = item
        self.guards.append(values or {})

    def delete(self, pk: str, sk: str, _condition: str, _values: Any) -> None:
        del self.items[pk, sk]

    def write_batch(self, _items: list[Any], over: list[tuple[str, str]]) -> None:
        for key in over:
            self.items.pop(key, None)


def a_memory(mode: Mode = Mode.ACT, seconds: int = 0) -> tuple[Memory, Table]:
    table = Table()
    return _at(table, mode, seconds), table


def _at(table: Table, mode: Mode = Mode.ACT, seconds: int = 0) -> Memory:
    scene = SimpleNamespace(
        state=SimpleNamespace(table=table),
        account=SimpleNamespace(place=SimpleNamespace(account=ACCOUNT, region="eu-west-1")),
        settings=SimpleNamespace(mode=Mode.ACT),
        now=SimpleNamespace(timestamp=lambda: NOW.timestamp() + seconds),
        run_id="run-1",
    )
    request = SimpleNamespace(policy="default")
    return Memory(cast("Any", SimpleNamespace(scene=scene, request=request, mode=mode)))


@pytest.mark.parametrize(
    "attempt",
    [
        an_attempt(subject="task-1"),
        ended(an_attempt(history=("stop task at 01:00: not fixed",))),
        refused(an_attempt()),
    ],
)
def test_an_attempt_is_read_as_it_was_written(attempt: Any) -> None:
    memory, _ = a_memory()
    written = memory.write(SERVICE, attempt)
    assert written.version == attempt.version + 1
    assert memory.attempts() == {SERVICE: written}


def test_what_another_version_has_written_is_read_as_far_as_it_is_known() -> None:
    memory, table = a_memory()
    memory.write(SERVICE, an_attempt())
    item = table.items[f"attempts#{PLACE}", SERVICE]
    item["document"] = item["document"].replace('"streak": 1', '"streak": 1, "colour": "red"')
    assert memory.attempts()[SERVICE].streak == 1


def test_a_write_names_its_writer_and_the_version_it_saw() -> None:
    memory, table = a_memory()
    memory.write(SERVICE, an_attempt(version=4))
    assert table.guards == [{":seen": 4, ":next": 5, ":me": "run-1"}]


def test_an_attempt_that_another_run_has_moved_is_left_to_it() -> None:
    memory, table = a_memory()
    table.holds = lambda _: False
    memory.move(SERVICE, an_attempt())
    assert memory.attempts() == {}
    with pytest.raises(ConditionFailedError):
        memory.write(SERVICE, an_attempt())


def test_a_call_that_was_not_sent_leaves_the_attempt_as_it_was() -> None:
    memory, _ = a_memory()
    written = memory.write(SERVICE, an_attempt(version=0))
    memory.take_back(SERVICE, written, None)
    assert memory.attempts() == {}
    before = memory.write(SERVICE, ended(an_attempt(version=0)))
    after = memory.write(SERVICE, an_attempt("deploy", version=before.version))
    memory.take_back(SERVICE, after, before)
    assert memory.attempts()[SERVICE].ending == "not_fixed"


def test_what_was_told_is_forgotten_when_it_is_over() -> None:
    memory, _ = a_memory()
    memory.tell(TELLING)
    assert memory.tellings() == [TELLING]
    memory.forget([TELLING])
    assert memory.tellings() == []


def test_so_many_hands_are_lent_and_given_back_by_time() -> None:
    memory, table = a_memory()

    def holds(item: dict[str, Any]) -> bool:
        known = table.items.get((item["pk"], item["sk"]))
        now = int(NOW.timestamp()) + late
        mine = known is not None and known["holder"] == item["holder"]
        return known is None or known["held_until"] < now or mine

    late, table.holds = 0, holds
    assert memory.lend_hand(SERVICE, 2, minutes=5)
    assert memory.lend_hand(SERVICE, 2, minutes=5)
    assert memory.lend_hand("prod/api", 2, minutes=5)
    assert not memory.lend_hand(ID, 2, minutes=5)
    late = 301
    assert _at(table, seconds=late).lend_hand(ID, 2, minutes=5)


def test_a_look_by_hand_where_the_stack_acts_is_not_regular() -> None:
    assert a_memory()[0].is_regular
    assert not a_memory(Mode.REPORT)[0].is_regular
