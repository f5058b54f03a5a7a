"""Every call of a cell that finds something goes wrong once, or is the last of its process.

The state machine asks again; then the judge of the run tells each change at least once.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.alerting import HOUR, bad, good
from tests.support.crashes import FIRST, killed_at
from tests.support.fleet_office import Office, account, office_of
from tests.support.fleets import CALLER, POLICY
from tests.support.snapshot_world import snapshot_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ONE: Final = account(1)
FINDING: Final = {
    "BatchWriteItem": 2,
    "PutItem": 3,
    "PutObject": 1,
    "Query": 2,
    "UpdateItem": 1,
}
"""The calls of a cell that hands on an opening and a recovery."""
WAYS: Final = ("answer_lost", "denied", "unavailable", "killed before", "killed after")
READS: Final = {"Query": ("denied", "killed before")}
POINTS: Final = [
    (name, nth, way)
    for name, count in FINDING.items()
    for nth in range(1, count + 1)
    for way in READS.get(name, WAYS)
]
WRITES: Final = [(name, nth) for name in ("BatchWriteItem", "UpdateItem") for nth in (1, 2)]


@pytest.fixture
def office(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Office:
    return office_of(stack, monkeypatch, "urgent", "chat", "watchdog", "pager")


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


def before_finding(office: Office, cloud: StrictCloud) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.judge()
    office.desk.heard_everywhere()
    office.desk.wait(HOUR)
    cloud.calls.clear()


def found(office: Office) -> None:
    office.cell(good("vol-1"), bad("vol-2"), account=ONE)


def test_the_table_names_every_call_of_a_cell_that_finds(
    office: Office, cloud: StrictCloud
) -> None:
    before_finding(office, cloud)
    found(office)

    assert dict(cloud.calls.operations()) == FINDING


@pytest.mark.parametrize(("operation", "nth", "way"), POINTS)
def test_what_a_cell_found_is_told_once_by_the_judge_whatever_went_wrong(
    office: Office, cloud: StrictCloud, operation: str, nth: int, way: str
) -> None:
    before_finding(office, cloud)
    with struck(cloud, operation, nth, way):
        office.tried(lambda: found(office))
    office.desk.wait(60)
    found(office)
    office.judge()

    heard = office.told()
    assert (heard["ALARM vol-2"], heard["OK vol-1"]) == (1, 1)
    assert "vol-2" in office.desk.open()
    assert (office.handed(), office.desk.unsent()) == ([], [])


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("operation", "nth"), WRITES)
def test_a_killed_cell_s_next_try_makes_good_what_it_left_and_hands_on(
    operation: str, nth: int, *, effective: bool
) -> None:
    with snapshot_world() as world:
        event = {**world.event, **CALLER}
        with contextlib.ExitStack() as dying:
            dying.enter_context(killed_at(world.cloud, operation, nth, effective=effective))
            with contextlib.suppress(BaseException):
                world.stack.run(world.chore, event, request=FIRST)
        world.clock.advance(61)
        world.stack.run(world.chore, event, request=FIRST)

        world.check_truth()
        handed = [str(i["sk"]) for i in world.stack.items() if i["pk"] == f"handed#{POLICY}"]
        assert [key.split("/")[5] for key in handed] == ["snapshot_stuck"]
        assert world.stack.alerts() == []
