"""Events of EventBridge: one run for each, about what it tells alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.instance_health import app
from tests.support.health_world import STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

EXPECTED: Final = {"caretaker:expect": "running"}
STATE: Final = "EC2 Instance State-change Notification"
ARN: Final = "arn:aws:health:eu-west-1::event/EC2/{}/{}_1"
RECOVERY_FAILED: Final = "AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_FAILURE"
NOBODY: Final = "i-0123456789abcdef0"


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty that is well."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


def arrives(world: HealthWorld, source: str, kind: str, detail: Any) -> dict[str, Any]:
    """Let an event of EventBridge arrive, as its rule hands it on."""
    now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    bare = {"version": "0", "id": "1", "region": "eu-west-1", "resources": [], "time": now}
    return world.stack.run(
        app.CHORE, {**bare, "source": source, "detail-type": kind, "detail": detail}
    )


def changed(world: HealthWorld, instance_id: str, state: str) -> dict[str, Any]:
    """Let EC2 tell of a state."""
    detail = {"instance-id": instance_id, "state": state}
    return arrives(world, "aws.ec2", STATE, detail)


def health(world: HealthWorld, code: str, *ids: str, **more: Any) -> dict[str, Any]:
    """Let AWS Health tell of an issue."""
    detail = {
        "eventArn": ARN.format(code, code),
        "service": "EC2",
        "eventTypeCode": code,
        "eventTypeCategory": "issue",
        "statusCode": "open",
        "startTime": "Sat, 21 Nov 2026 02:55:00 GMT",
        "affectedEntities": [{"entityValue": each} for each in ids],
        **more,
    }
    return arrives(world, "aws.health", "AWS Health Event", detail)


def test_an_expected_one_that_goes_down_is_told_before_any_poll_and_once(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=EXPECTED).id
    world.account.put_down(one)
    world.cloud.calls.clear()

    assert told(changed(world, one, "stopped"), one)[1] == "not_running_expected"
    assert world.cloud.calls.count("DescribeInstanceStatus") == 0
    changed(world, one, "stopped")
    world.polls(2)

    assert kinds(world.stack.alerts()) == ["instance_not_running"]


def test_an_event_that_is_late_is_judged_by_what_is_so_now(world: HealthWorld) -> None:
    one = world.account.instance(tags=EXPECTED).id

    answer = changed(world, one, "stopped")

    assert (answer["status"], answer["outcomes"], world.stack.alerts()) == ("ok", [], [])


def test_one_that_we_stopped_is_started_at_the_event_and_not_a_minute_later(
    world: HealthWorld,
) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, which="system", until_repaired_by="stop-start", minutes_ago=60)
    world.polls(2)
    assert world.account.power_log(one) == ["stop"]

    answer = changed(world, one, "stopped")

    assert told(answer, one) == ("start", "stopped_by_us", "done")
    assert world.account.power_log(one) == ["stop", "start"]


def test_an_event_begins_no_repair_and_ends_no_incident(world: HealthWorld) -> None:
    left = world.account.instance(tags={"caretaker:remediate": "none"}).id
    due = world.account.instance({}, tags=STOP_START).id
    world.account.impair([left, due], minutes_ago=60)
    world.polls(1)
    world.poll(mode="report")
    world.poll()
    before = world.open_incidents
    world.cloud.calls.clear()

    changed(world, due, "running")
    changed(world, NOBODY, "running")

    assert (world.repairs(), world.open_incidents) == ([], before)


def test_a_storm_of_events_about_nobodys_instances_is_cheap_and_leaves_the_poll_alone(
    world: HealthWorld,
) -> None:
    ids = world.account.crowd("instance", 50)
    _holds_the_lease(world)
    world.cloud.calls.clear()

    answers = [changed(world, each, "stopping") for each in ids]

    assert {answer["status"] for answer in answers} == {"ok"}, "no lease of the poll's in the way"
    ec2 = [call.operation for call in world.cloud.calls if call.service == "ec2"]
    assert ec2 == ["DescribeInstances"] * 50
    assert len(world.cloud.calls) <= 50 * 10
    assert world.stack.alerts() == []


def _holds_the_lease(world: HealthWorld) -> None:
    """Let a poll of this minute be at work."""
    world.cloud.faults.add("denied", operation="DeleteItem", times=None)
    world.run()
    world.cloud.faults.clear()
    assert any(str(item["pk"]).startswith("lease#") for item in world.stack.items())


def test_an_issue_is_told_and_over_when_aws_closes_it(world: HealthWorld) -> None:
    code = "AWS_EC2_OPERATIONAL_ISSUE"
    health(world, code, NOBODY, "arn:aws:ec2:eu-west-1:123456789012:instance/i-0a1b2c3d4e5f60718")
    health(world, code, NOBODY)
    world.polls(3)

    (message,) = world.stack.alerts()
    (said,) = message["incidents"]
    assert (said["kind"], said["name"]) == ("health_issue", code)
    assert said["evidence"]["instances"] == f"2: {NOBODY}, i-0a1b2c3d4e5f60718"
    health(world, code, NOBODY, statusCode="closed")
    assert kinds(world.stack.alerts(), "OK") == ["health_issue"]


@pytest.mark.parametrize("category", ["scheduledChange", "accountNotification"])
def test_what_is_no_issue_is_left_to_the_polls(world: HealthWorld, category: str) -> None:
    answer = health(world, "AWS_EC2_INSTANCE_RETIREMENT", NOBODY, eventTypeCategory=category)

    assert (answer["status"], world.stack.alerts()) == ("ok", [])


def test_a_recovery_that_ec2_gave_up_is_not_waited_for_any_longer(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, which="system")
    assert told(world.polls(4)[-1], one)[1] == "aws_recovering"

    health(world, RECOVERY_FAILED, one)

    assert told(world.poll(), one) == ("stop", "impaired", "done")


MALFORMED: Final[dict[str, tuple[str, str, Any]]] = {
    "no instance": ("aws.ec2", STATE, {"state": "stopped"}),
    "no id": ("aws.ec2", STATE, {"instance-id": "web-1", "state": "stopped"}),
    "another's detail": ("aws.health", "AWS Health Event", {"instance-id": NOBODY, "state": "x"}),
    "a detail that is text": ("aws.ec2", STATE, "stopped"),
    "no detail": ("aws.ec2", STATE, None),
    "another source": ("aws.s3", "Object Created", {"instance-id": NOBODY, "state": "stopped"}),
    "a list": ("aws.health", "AWS Health Event", []),
    "an endless name": (
        "aws.health", "AWS Health Event",
        {"eventArn": "x" * 5_000, "eventTypeCode": "y", "eventTypeCategory": "issue"}),
}  # fmt: skip


@pytest.mark.parametrize(("source", "kind", "detail"), MALFORMED.values(), ids=MALFORMED)
def test_an_event_that_is_not_as_aws_sends_it_is_refused_and_touches_nothing(
    world: HealthWorld, source: str, kind: str, detail: Any
) -> None:
    world.cloud.calls.clear()

    answer = arrives(world, source, kind, detail)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert all(each["path"].startswith("event") for each in answer["errors"])
    assert not {call.service for call in world.cloud.calls} - {"dynamodb", "sns"}
    assert kinds(world.stack.alerts()) == ["event_refused"]


def test_names_in_an_issue_may_be_anything_and_stay_short(world: HealthWorld) -> None:
    nasty = "\x00<!channel> é \N{GRINNING FACE}" + "x" * 60
    health(world, nasty, *[f"i-{n:017x}" for n in range(300)])

    (message,) = world.stack.alerts()
    assert message["Subject"].isascii()
    assert len(message["Subject"]) < 100
    assert message["incidents"][0]["evidence"]["instances"].startswith("300: ")
