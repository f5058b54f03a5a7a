"""The judge's telling goes wrong at every call: all is told at least once, and nothing is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import pytest

from caretaker.errors import CaretakerError
from tests.support.alerting import CHANNELS, HOUR, bad, good
from tests.support.crashes import killed_at
from tests.support.fleet_office import Office, account, office_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ONE, TWO = account(1), account(2)
JUDGING: Final = {
    "BatchWriteItem": 7,
    "PutItem": 9,
    "PutObject": 1,
    "Publish": 5,
    "Query": 4,
    "UpdateItem": 1,
}
"""The calls of a judge that tells an opening and a recovery of its own, and those of two cells."""
WAYS: Final = ("answer_lost", "denied", "killed before", "killed after")
READS: Final = {"Query": ("denied", "killed before")}
POINTS: Final = [
    (name, nth, way)
    for name, count in JUDGING.items()
    for nth in range(1, count + 1)
    for way in READS.get(name, WAYS)
]


@pytest.fixture
def office(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Office:
    return office_of(stack, monkeypatch, "urgent", "chat", "watchdog")


@contextlib.contextmanager
def struck(cloud: StrictCloud, operation: str, nth: int, way: str) -> Iterator[None]:
    """Let one call go wrong in this way."""
    if way.startswith("killed"):
        with killed_at(cloud, operation, nth, effective=way == "killed after"):
            yield
        return
    fault = cloud.faults.add(way, operation=operation, nth=nth)
    yield
    assert fault.fired == 1


def hand_on(office: Office, cloud: StrictCloud) -> None:
    """Leave what the judge has to tell: an opening and a recovery of its own and of cells each."""
    office.cell(bad("vol-1"), account=ONE)
    office.judge(bad("cell-1"))
    office.desk.heard_everywhere()
    office.desk.wait(HOUR)
    office.cell(good("vol-1"), account=ONE)
    office.cell(bad("vol-2"), account=TWO)
    cloud.calls.clear()


def judge(office: Office) -> None:
    office.judge(good("cell-1"), bad("cell-2"))


def test_the_table_names_every_call_of_a_judge_that_tells(
    office: Office, cloud: StrictCloud
) -> None:
    hand_on(office, cloud)
    judge(office)

    calls = dict(cloud.calls.operations())
    calls.pop("DeleteItem", None)
    assert calls == JUDGING


@pytest.mark.parametrize(("operation", "nth", "way"), POINTS)
def test_all_is_told_at_least_once_whatever_goes_wrong(
    office: Office, cloud: StrictCloud, operation: str, nth: int, way: str
) -> None:
    hand_on(office, cloud)
    with struck(cloud, operation, nth, way):
        office.tried(lambda: judge(office))
    office.desk.wait(60)
    office.judge_until_done(good("cell-1"), bad("cell-2"))
    for _ in range(2):
        office.desk.next_run()

    heard = office.told()
    for thing in ("ALARM vol-2", "ALARM cell-2", "OK vol-1", "OK cell-1"):
        assert 1 <= heard[thing] <= 2, thing
    assert (office.handed(), office.desk.unsent()) == ([], [])
    assert office.desk.open() == ["cell-2", "vol-2"]
    pages = office.pages()
    for page in (f"ALARM {TWO} daily", f"OK {ONE} daily"):
        assert 1 <= pages.count(page) <= 2, page


@pytest.mark.parametrize("kind", ["denied", "unavailable"])
def test_a_judge_that_cannot_reach_the_table_is_asked_again(
    office: Office, cloud: StrictCloud, kind: str
) -> None:
    """Whoever answers `ok` is not asked again, and nobody else tells what was handed on."""
    hand_on(office, cloud)
    cloud.faults.add(kind, operation="Query", times=None)
    with pytest.raises(CaretakerError):
        judge(office)
    assert office.desk.heard_everywhere()["alerts"] == []
    cloud.faults.clear()

    judge(office)
    assert office.heard() == ["ALARM cell-2 vol-2", "OK cell-1 vol-1"]


def test_a_second_judge_tells_nothing_again(office: Office, cloud: StrictCloud) -> None:
    hand_on(office, cloud)
    judge(office)
    office.desk.heard_everywhere()

    office.desk.wait(60)
    judge(office)
    assert office.desk.heard_everywhere() == {
        channel: [] for channel in CHANNELS if channel in office.stack.topics
    }


def test_a_cell_that_comes_late_is_told_by_the_next_judge_of_its_run(
    office: Office, cloud: StrictCloud
) -> None:
    hand_on(office, cloud)
    judge(office)
    office.desk.heard_everywhere()
    office.cell(bad("vol-3"), account=ONE)

    judge(office)
    assert office.heard() == ["ALARM vol-3"]
