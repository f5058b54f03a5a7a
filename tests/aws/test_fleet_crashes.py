"""Every call of a fleet's start and of its waves goes wrong once, or is the last of its process.

Whoever asked asks again: Lambda the start, the state machine its step, a person what has failed.
Then there is one run, of the cells that were planned first, and every cell has its line.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cloud import ACCOUNT, REGION
from tests.support.crashes import FIRST, RETRY_SECONDS, SECOND, KilledError, killed_at
from tests.support.fleet_world import EVERYWHERE, MEMBERS, STARTED, FleetWorld, cell_name, ledger
from tests.support.snapshots import BACKUP, good_in_slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

STARTING: Final = {
    "DeleteItem": 1,
    "GetAccountSettings": 1,
    "GetFunctionConcurrency": 1,
    "PutItem": 3,
    "PutObject": 2,
    "Query": 3,
    "StartExecution": 1,
}
"""The calls of a start in the own place."""
WAVING: Final = {"DeleteItem": 1, "GetObject": 1, "PutItem": 1, "PutObject": 2, "Query": 1}
"""The calls of the step that writes down the first wave."""
JUDGING: Final = {"GetObject": 4, "ListObjectsV2": 1}
"""The judge's readings; how it tells stands in test_fleet_digest."""
READS: Final = {
    *("GetAccountSettings", "GetFunctionConcurrency", "GetObject", "ListObjectsV2", "Query")
}
WAYS: Final = ("answer_lost", "denied", "unavailable", "killed before", "killed after")


def points(calls: dict[str, int]) -> list[tuple[str, int, str]]:
    return [
        (name, nth, way)
        for name, count in calls.items()
        for nth in range(1, count + 1)
        for way in (("denied", "unavailable", "killed before") if name in READS else WAYS)
    ]


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> FleetWorld:
    return FleetWorld(cloud, clock, stack, account, monkeypatch)


@contextlib.contextmanager
def struck(cloud: StrictCloud, operation: str, nth: int, way: str) -> Iterator[None]:
    """Let one call go wrong in this way; what the run then raises stays in Lambda."""
    if way.startswith("killed"):
        with killed_at(cloud, operation, nth, effective=way == "killed after"):
            yield
        return
    fault = cloud.faults.add(way, operation=operation, nth=nth)
    yield
    assert fault.fired == 1


def tried(run: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Return what a run answered; None where it raised or was killed."""
    with contextlib.suppress(KilledError, Exception):
        return run()
    return None


def asked_until_started(world: FleetWorld) -> None:
    """Let Lambda retry, and then a person ask for what has failed."""
    answer = None
    for seconds in RETRY_SECONDS:
        world.clock.advance(seconds)
        answer = answer or tried(lambda: world.ask(request=FIRST))
    if answer is None or answer["status"] != "ok":
        answer = world.ask(request=SECOND)
    assert answer["status"] == "ok"


def test_the_table_names_every_call_of_a_start(world: FleetWorld) -> None:
    world.ask(request=FIRST)

    assert dict(world.cloud.calls.operations()) == STARTING


@pytest.mark.parametrize(("operation", "nth", "way"), points(STARTING))
def test_a_fleet_is_started_once_whatever_goes_wrong(
    world: FleetWorld, operation: str, nth: int, way: str
) -> None:
    with struck(world.cloud, operation, nth, way):
        tried(lambda: world.ask(request=FIRST))
    asked_until_started(world)

    assert world.executions() == STARTED
    assert world.manifest()["cells"] == [[ACCOUNT, REGION]]
    assert world.step("wave")["summary"]["cells"] == 1


def test_the_table_names_every_call_of_a_wave_s_step(world: FleetWorld) -> None:
    world.ask()
    world.cloud.calls.clear()
    world.step("wave")

    assert dict(world.cloud.calls.operations()) == WAVING


@pytest.mark.parametrize(("operation", "nth", "way"), points(WAVING))
def test_a_wave_is_the_same_whatever_went_wrong_while_it_was_written(
    world: FleetWorld, operation: str, nth: int, way: str
) -> None:
    world.ask()
    with struck(world.cloud, operation, nth, way):
        tried(lambda: world.step("wave"))
    world.clock.advance(60)

    wave = world.step("wave")["summary"]
    (item,) = world.read(wave["key"])
    assert (wave["number"], wave["cells"]) == (1, 1)
    assert item["event"]["target"] == {"account": ACCOUNT, "region": REGION}


@pytest.mark.parametrize(("operation", "nth", "way"), points(JUDGING))
def test_a_judge_that_could_not_read_is_no_judge(
    world: FleetWorld, operation: str, nth: int, way: str
) -> None:
    """What is not read is no cell that gave no answer: the step fails, and is taken again."""
    world.account.volume(tags=BACKUP)
    world.ask()
    wave = world.step("wave")["summary"]
    items = world.read(wave["key"])
    world.write_children(wave["results"], [world.cell(item) for item in items])
    world.stack.alerts()
    with struck(world.cloud, operation, nth, way):
        first = tried(lambda: world.step("judge", 1))
    assert first is None or first["status"] == "failed" or world.stack.alerts() == []
    world.clock.advance(60)

    again = world.step("judge", 1)
    assert ledger(world.stack, again) == {cell_name(ACCOUNT): "ended"}
    assert not any("cell_unanswered" in key for key in world.incidents())


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
def test_a_killed_cell_is_run_again_and_backs_up_once(
    world: FleetWorld, *, effective: bool
) -> None:
    volume = world.account.volume(tags=BACKUP)
    world.ask()
    wave = world.step("wave")["summary"]
    (item,) = world.read(wave["key"])
    killed = killed_at(world.cloud, "CreateSnapshot", 1, effective=effective)
    with killed, pytest.raises(KilledError):
        world.cell(item)
    world.clock.advance(60)

    world.write_children(wave["results"], [world.cell(item)])
    assert ledger(world.stack, world.step("judge", 1)) == {cell_name(ACCOUNT): "ended"}
    assert len(good_in_slot(world.account, volume)) == 1


def test_a_fleet_with_an_account_that_shuts_itself_and_a_cell_that_dies_names_both(
    world: FleetWorld,
) -> None:
    world.has_members()
    world.account.volume(tags=BACKUP)
    world.ask(accounts=EVERYWHERE, canary={"account": ACCOUNT, "region": REGION})
    world.cloud.access.remove_role(MEMBERS[0], "caretaker-member")
    world.cloud.faults.add("unavailable", operation="DescribeVolumes", nth=2, times=None)
    answer = world.play()

    assert ledger(world.stack, answer) == {
        cell_name(ACCOUNT): "ended",
        cell_name(MEMBERS[0]): "unreachable",
        cell_name(MEMBERS[1]): "unanswered",
    }
    (alarm,) = world.stack.alerts()
    told = {f"{each['kind']}/{each['resource']}" for each in alarm["incidents"]}
    assert told == {
        f"account_unreachable/{MEMBERS[0]}",
        f"cell_unanswered/{cell_name(MEMBERS[1])}",
    }
