"""A listing that is not whole proves nothing: nothing is repaired, resolved or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import CaretakerError
from tests.support.health_world import REBOOT, STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

STATUS: Final = "DescribeInstanceStatus"
INSTANCES: Final = "DescribeInstances"


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty, in pages of five."""
    cloud.pages.size = 5
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


@pytest.fixture
def impaired(world: HealthWorld) -> str:
    """One that is opted out, and so is an open incident, and one that is due for a reboot."""
    left = world.account.instance(tags={"caretaker:remediate": "none"}).id
    world.account.impair(left)
    world.polls(4)
    due = world.account.instance(tags=STOP_START).id
    world.account.impair(due)
    world.polls(3)
    assert world.repairs() == []
    world.stack.alerts()
    return due


def kept(world: HealthWorld) -> dict[str, Any]:
    """Return what is remembered: sightings, ladders, and open incidents of instances."""
    parts = ("sightings#", "ladders#")
    items = [each for each in world.stack.items() if str(each["pk"]).startswith(parts)]
    said = {f"{each['pk']} {each['sk']}": each for each in items}
    impaired = [each for each in world.open_incidents if each.startswith("instance_")]
    return {**said, "open": impaired}


def fails(world: HealthWorld) -> dict[str, Any] | None:
    """Poll once; None when the run raised, so that Lambda runs it again."""
    try:
        return world.poll()
    except CaretakerError:
        world.clock.advance(60)
        return None


FAULTS: Final[dict[str, dict[str, Any]]] = {
    "denied": {"kind": "denied"},
    "throttled": {"kind": "throttled"},
    "failing": {"kind": "internal_error"},
    "unavailable": {"kind": "unavailable"},
    "without an answer": {"kind": "answer_lost"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("page", [1, 3, 5])
def test_a_listing_of_statuses_that_fails_half_way_changes_nothing(
    world: HealthWorld, impaired: str, fault: dict[str, Any], page: int
) -> None:
    before = kept(world)
    for key in before:
        world.account.heal(key.rpartition(" ")[2])
    world.account.impair(impaired)
    world.cloud.faults.add(operation=STATUS, nth=page, times=None, **fault)

    answer = fails(world)

    assert answer is None or answer["status"] == "failed"
    assert (world.repairs(), kept(world)) == ([], before)
    assert "instance_impaired" not in kinds(world.stack.alerts(), "OK")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_look_at_the_suspects_that_fails_changes_nothing(
    world: HealthWorld, impaired: str, fault: dict[str, Any]
) -> None:
    before = kept(world)
    world.cloud.faults.add(operation=INSTANCES, times=None, **fault)

    answer = fails(world)

    assert answer is None or answer["status"] == "failed"
    assert (world.repairs(), kept(world)) == ([], before)
    world.cloud.faults.clear()
    assert told(world.poll(), impaired)[:2] == ("reboot", "impaired")


@pytest.mark.parametrize("operation", ["DescribeInstanceTypes", "DescribeVolumes"])
@pytest.mark.parametrize("fault", ["denied", "internal_error", "answer_lost"])
def test_nothing_is_stopped_of_which_the_cost_of_a_stop_cannot_be_read(
    world: HealthWorld, fault: str, operation: str
) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, which="system")
    world.cloud.faults.add(fault, operation=operation, times=None)

    answer = world.polls(13)[-1]

    assert told(answer, one) == ("report", "cost_unknown", "unchanged")
    assert world.repairs() == []
    world.cloud.faults.clear()
    assert told(world.poll(), one) == ("stop", "impaired", "done")


@pytest.mark.usefixtures("impaired")
def test_a_token_that_expires_half_way_changes_nothing(world: HealthWorld) -> None:
    before = kept(world)
    world.cloud.pages.expire = {2, 3}

    answer = fails(world)

    if answer is not None and answer["status"] == "failed":
        assert (world.repairs(), kept(world)) == ([], before)
    else:
        assert world.repairs() == ["RebootInstances"], "read again from the first page"


def test_empty_pages_and_pages_that_overlap_are_read_to_their_end(
    world: HealthWorld, impaired: str
) -> None:
    world.cloud.pages.empty = frozenset({1, 3})
    world.cloud.pages.repeat_last = True

    answer = world.poll()

    assert told(answer, impaired) == ("reboot", "impaired", "done")
    assert world.repairs() == ["RebootInstances"]
    targets = [each["target"] for each in world.stack.report(answer) if "target" in each]
    assert len(targets) == len(set(targets)) == 22


@pytest.mark.usefixtures("impaired")
def test_a_run_that_failed_is_told_once_and_over_when_a_poll_ends(world: HealthWorld) -> None:
    world.cloud.faults.add("denied", operation=STATUS, times=None)
    for _ in range(3):
        assert world.poll()["status"] == "failed"
    assert kinds(world.stack.alerts()) == ["run_failed"]
    world.cloud.faults.clear()

    world.poll()

    assert "run_failed" in kinds(world.stack.alerts(), "OK")


def test_a_memory_that_cannot_be_read_lets_nothing_be_repaired(
    world: HealthWorld, impaired: str
) -> None:
    """Without it nobody knows what was begun today."""
    world.cloud.faults.add("denied", operation="Query", times=None)

    answer = fails(world)

    assert answer is None or answer["status"] == "failed"
    assert (world.repairs(), world.account.power_log(impaired)) == ([], [])


@pytest.fixture
def just_before(
    world: HealthWorld, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int, Callable[[], None]], None]:
    """Return a way to let something happen just before a call arrives, the `nth` of its kind."""

    def plan(operation: str, nth: int, act: Callable[[], None]) -> None:
        serve, seen = world.cloud.serve, [0]

        def served(call: Any, perform: Any) -> Any:
            seen[0] += call.operation == operation
            if call.operation == operation and seen[0] == nth:
                act()
            return serve(call, perform)

        monkeypatch.setattr(world.cloud, "serve", served)

    return plan


def gone(world: HealthWorld, instance_id: str) -> Callable[[], None]:
    """Return what lets an instance be no more, not even listed as terminated."""

    def vanish() -> None:
        for reservation in world.account.backend.reservations.values():
            reservation.instances = [i for i in reservation.instances if i.id != instance_id]

    return vanish


def test_one_that_vanishes_between_the_calls_is_left_and_the_others_are_repaired(
    world: HealthWorld, impaired: str, just_before: Callable[..., None]
) -> None:
    other = world.account.instance(tags=REBOOT).id
    world.account.impair(other, minutes_ago=60)
    just_before(INSTANCES, 1, gone(world, other))

    answer = world.poll()

    assert told(answer, other) == ("skip", "gone", "unchanged")
    assert told(answer, impaired) == ("reboot", "impaired", "done")
    assert other not in {call.params["InstanceIds"][0] for call in _reboots(world)}


def test_one_that_vanishes_is_nothing_that_people_hear_of(
    world: HealthWorld, just_before: Callable[..., None]
) -> None:
    other = world.account.instance(tags=REBOOT).id
    world.account.impair(other, minutes_ago=60)
    just_before(INSTANCES, 1, gone(world, other))

    world.poll()

    assert world.stack.alerts() == []


def test_one_that_vanishes_before_its_reboot_is_not_rebooted(
    world: HealthWorld, impaired: str, just_before: Callable[..., None]
) -> None:
    just_before(INSTANCES, 2, gone(world, impaired))

    answer = world.poll()

    assert told(answer, impaired) == ("skip", "gone", "unchanged")
    assert world.repairs() == []


def test_one_that_opts_out_before_its_reboot_is_not_rebooted(
    world: HealthWorld, impaired: str, just_before: Callable[..., None]
) -> None:
    def opt_out() -> None:
        world.account.tag(impaired, {"caretaker:remediate": "none"})

    just_before(INSTANCES, 2, opt_out)

    answer = world.poll()

    assert told(answer, impaired) == ("skip", "changed_meanwhile", "unchanged")
    assert world.repairs() == []
    assert f"instance_impaired/{impaired}" in _open_later(world)


def test_a_change_in_between_does_not_call_an_open_incident_over(
    world: HealthWorld, just_before: Callable[..., None]
) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, which="system")
    world.polls(10)
    assert world.open_incidents == [f"instance_impaired/{one}"]
    world.stack.alerts()
    just_before(INSTANCES, 2, lambda: world.account.tag(one, {"caretaker:remediate": "none"}))

    answer = world.poll()

    assert told(answer, one)[1] == "changed_meanwhile"
    assert world.open_incidents == [f"instance_impaired/{one}"]
    assert kinds(world.stack.alerts(), "OK") == []


def _reboots(world: HealthWorld) -> list[Any]:
    return world.cloud.calls.of("RebootInstances")


def _open_later(world: HealthWorld) -> list[str]:
    world.poll()
    return world.open_incidents
