"""What a status means: which are failures, when they are believed, and what only looks like one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.health_world import REBOOT, STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty that is well."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


def reasons(answers: list[dict[str, Any]], instance_id: str) -> list[str]:
    """Return why, poll by poll."""
    return [told(answer, instance_id)[1] for answer in answers]


def test_one_is_repaired_at_the_poll_at_which_it_is_impaired_for_three_minutes(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one)

    assert reasons(world.polls(4), one) == [
        "first_seen",
        "just_impaired",
        "just_impaired",
        "impaired",
    ]
    assert world.repairs() == ["RebootInstances"]


def test_one_that_ec2_calls_impaired_since_long_waits_for_the_second_poll_alone(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, minutes_ago=600)

    assert reasons(world.polls(2), one) == ["first_seen", "impaired"]


def test_more_polls_and_minutes_may_be_asked_for(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one)
    slow = {"repairs": {"polls": 6, "impaired_minutes": 4}}

    said = reasons(world.polls(6, **slow), one)

    assert said == ["first_seen"] * 5 + ["impaired"]


def test_a_poll_that_runs_twice_counts_once(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, minutes_ago=600)

    answers = [world.run(), world.run(), world.run()]

    assert reasons(answers, one) == ["first_seen"] * 3
    assert world.repairs() == []


def test_a_look_by_hand_in_report_mode_is_no_poll_and_tells_nobody(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, minutes_ago=600)
    world.poll(mode="report")

    assert reasons([world.poll(mode="report"), world.poll()], one) == ["first_seen"] * 2
    answer = world.run(mode="report")

    assert told(answer, one) == ("reboot", "impaired", "planned")
    assert (world.repairs(), world.stack.alerts()) == ([], [])


def test_after_a_gap_between_polls_counting_begins_anew(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, minutes_ago=600)
    world.poll()
    world.clock.advance(20 * 60)

    assert reasons(world.polls(2), one) == ["first_seen", "impaired"]


def test_one_that_passes_a_check_in_between_begins_anew(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one)
    world.polls(2)
    world.account.heal(one)
    world.poll()
    world.account.impair(one)

    assert reasons(world.polls(3), one) == ["first_seen", "just_impaired", "just_impaired"]
    assert world.stack.alerts() == []


def test_nothing_is_repaired_within_ten_minutes_of_its_launch(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT, age_hours=0).id
    world.account.impair(one)

    said = reasons(world.polls(11), one)

    assert said[3:10] == ["just_started"] * 7
    assert said[10] == "impaired"


def test_nothing_is_repaired_within_the_minutes_asked_for(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT, age_hours=0.25).id
    world.account.impair(one, minutes_ago=600)

    assert reasons(world.polls(2, repairs={"settle_minutes": 20}), one)[1] == "just_started"
    assert told(world.poll(repairs={"settle_minutes": 15}), one)[1] == "impaired"


@pytest.mark.parametrize("check", ["insufficient-data", "ebs", "instance", "system"])
def test_a_check_without_data_is_never_repaired_and_is_a_notice_after_a_quarter_of_an_hour(
    world: HealthWorld, check: str
) -> None:
    one = world.account.instance(tags=STOP_START).id
    world.account.impair(one, which=check, status="insufficient-data", until_repaired_by="nothing")

    before = world.polls(15)
    assert {told(answer, one) for answer in before} == {("keep", "insufficient_data", "unchanged")}
    assert world.stack.alerts() == []
    after = world.polls(30)

    assert {told(answer, one) for answer in after} == {("report", "insufficient_data", "unchanged")}
    (message,) = world.stack.alerts()
    (incident,) = message["incidents"]
    assert (message["severity"], incident["kind"]) == ("notice", "instance_unknown")
    assert world.repairs() == []


def test_that_notice_ends_when_ec2_tells_a_status_again(world: HealthWorld) -> None:
    one = world.account.instance().id
    world.account.impair(one, which="insufficient-data")
    world.polls(17)
    world.stack.alerts()
    world.account.heal(one)
    world.poll()

    assert kinds(world.stack.alerts(), "OK") == ["instance_unknown"]


def test_one_that_is_initializing_is_never_repaired_nor_told(world: HealthWorld) -> None:
    world.cloud.extras.initializing_seconds = 7_200
    one = world.account.instance(tags=STOP_START, age_hours=0).id

    answers = world.polls(40)

    assert {told(answer, one) for answer in answers} == {("keep", "initializing", "unchanged")}
    assert (world.repairs(), world.stack.alerts()) == ([], [])


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_one_that_does_not_run_has_no_checks_to_fail(world: HealthWorld, state: str) -> None:
    one = world.account.instance(tags=STOP_START).id
    world.account.impair(one, minutes_ago=600, until_repaired_by="nothing")
    if state == "stopped":
        world.account.put_down(one)
    else:
        world.account.terminate(one)

    answers = world.polls(5)

    assert {told(answer, one) for answer in answers} == {("keep", "not_running", "unchanged")}
    assert (world.repairs(), world.stack.alerts()) == ([], [])


def opened(world: HealthWorld) -> str:
    """Let one be impaired, and people told of it."""
    one = world.account.instance(tags={"caretaker:remediate": "none"}).id
    world.account.impair(one)
    world.polls(4)
    assert kinds(world.stack.alerts()) == ["instance_impaired"]
    world.account.heal(one)
    return one


def test_a_check_without_data_does_not_call_an_open_incident_over(world: HealthWorld) -> None:
    one = opened(world)
    world.account.impair(one, which="insufficient-data")
    world.polls(20)

    assert kinds(world.stack.alerts(), "OK") == []
    assert f"instance_impaired/{one}" in world.open_incidents
    world.account.heal(one)
    world.poll()
    assert kinds(world.stack.alerts(), "OK") == ["instance_impaired", "instance_unknown"]


def test_a_check_that_is_initializing_does_not_call_an_open_incident_over(
    world: HealthWorld,
) -> None:
    """As after a reboot by hand."""
    one = opened(world)
    world.cloud.extras.initializing_seconds = 600
    world.account.backend.get_instance(one).launch_time = world.clock.now()
    world.polls(5)

    assert kinds(world.stack.alerts(), "OK") == []
    assert world.open_incidents == [f"instance_impaired/{one}"]


def test_one_that_people_terminate_is_over_and_its_ending_says_so(world: HealthWorld) -> None:
    one = opened(world)
    world.account.terminate(one)
    world.poll()

    (message,) = world.stack.alerts()
    assert message["state"] == "OK"
    assert message["incidents"][0]["ending"] == "no longer running: terminated"


def test_the_host_is_blamed_before_the_disk_and_the_disk_before_the_system_on_it(
    world: HealthWorld,
) -> None:
    three, two = (world.account.instance(tags=REBOOT).id for _ in range(2))
    for check in ("instance", "ebs", "system"):
        world.account.impair(three, which=check, minutes_ago=600)
    for check in ("instance", "ebs"):
        world.account.impair(two, which=check, minutes_ago=600)

    answer = world.polls(2)[-1]

    causes = {each["target"]: each["detail"].get("cause") for each in answer["outcomes"]}
    assert (causes[three], causes[two]) == ("system", "ebs")
    assert {told(answer, each)[1] for each in (three, two)} == {"step_not_allowed"}


def test_ec2s_own_recovery_has_ten_minutes_to_end_a_failure_of_the_host(
    world: HealthWorld,
) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    began = world.clock.now()
    world.account.impair(one, which="system")

    said = reasons(world.polls(11), one)

    assert said[3:10] == ["aws_recovering"] * 7
    assert said[10] == "impaired"
    assert world.clock.now() - began == timedelta(minutes=11)
