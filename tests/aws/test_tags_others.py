"""Tags on other services' resources: through one API, twenty at a time, each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.cloud import REGION, Bucket
from tests.support.crashes import at_call
from tests.support.snapshots import kinds
from tests.support.tags_world import SET, TOP, TagsWorld, before_each, item, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

DATABASES: Final[dict[str, Any]] = {"Owner": only("rds:db", **TOP)}
KNOWN: Final = {"env": "prod"}
FAILED: Final = ("set", "missing", "failed")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account, whose listings come in large pages."""
    cloud.pages.size = None
    return TagsWorld(cloud, clock, stack, account)


def databases(world: TagsWorld, number: int) -> list[str]:
    """Add so many that have one tag, without which the API would not show them."""
    return world.account.crowd("rds:db", number, tags=KNOWN)


def test_a_call_takes_twenty(world: TagsWorld) -> None:
    made = databases(world, 45)

    answer = world.run(DATABASES)

    sizes = sorted(len(call.params["ResourceARNList"]) for call in world.changes())
    assert sizes == [5, 20, 20]
    assert answer["counts"] == {"set": {"done": 45}}
    assert {world.account.resource_tags(each)["Owner"] for each in made} == {"ops"}


def test_those_of_all_services_that_get_the_same_tags_share_calls(world: TagsWorld) -> None:
    services = ["rds:db", "lambda:function", "logs:log-group", "eks:cluster"]
    made = [world.account.resource(each, tags=KNOWN) for each in services]
    bucket = world.account.resource("s3:bucket", tags=KNOWN)

    world.run({"Owner": only(*services, "s3", **TOP)})

    (sent,) = world.changes()
    assert sorted(sent.params["ResourceARNList"]) == sorted([*made, bucket])
    assert sent.params["Tags"] == {"Owner": "ops"}


def test_real_services_get_their_tags(world: TagsWorld) -> None:
    s3, logs = boto3.client("s3", REGION), boto3.client("logs", REGION)
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})  # type: ignore[typeddict-item]
    s3.put_bucket_tagging(Bucket="data", Tagging={"TagSet": [{"Key": "env", "Value": "prod"}]})
    logs.create_log_group(logGroupName="web", tags=KNOWN)
    world.cloud.calls.clear()

    answer = world.run({"Owner": only("s3", "logs:log-group", **TOP)})

    assert answer["counts"] == {"set": {"done": 2}}
    found = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket="data")["TagSet"]}
    assert found == {**KNOWN, "Owner": "ops"}
    assert logs.list_tags_log_group(logGroupName="web")["tags"] == {**KNOWN, "Owner": "ops"}


def test_one_that_its_service_refuses_is_told_and_costs_the_others_nothing(
    world: TagsWorld,
) -> None:
    made = databases(world, 30)
    world.account.refuse_tagging(made[4])

    answer = world.run(DATABASES)

    assert told(answer, made[4]) == [FAILED]
    error = item(answer, made[4])["error"]
    assert (error["code"], error["message"]) == (
        "AccessDeniedException",
        "User is not authorized to tag this resource.",
    )
    assert answer["counts"]["set"] == {"done": 29, "failed": 1}
    assert kinds(world.stack.alerts()) == ["resource_untaggable", "tags_violated"]
    world.cloud.extras.untaggable.clear()
    assert world.run(DATABASES)["counts"] == {"keep": {"unchanged": 29}, "set": {"done": 1}}
    assert set(kinds(world.stack.alerts(), "OK")) >= {"resource_untaggable", "tags_violated"}


def test_one_that_vanished_is_gone_and_nobody_is_told(world: TagsWorld) -> None:
    made = databases(world, 10)
    lost = made[3]
    tagged = world.cloud.extras.tagged[world.account.where]
    at_call(world.cloud, "TagResources", lambda: tagged.pop(lost, None))

    answer = world.run(DATABASES)

    assert told(answer, lost) == [("skip", "gone", "unchanged")]
    assert answer["counts"] == {"set": {"done": 9}, "skip": {"unchanged": 1}}
    assert world.stack.alerts() == []


def test_one_that_fills_up_is_a_finding(world: TagsWorld) -> None:
    made = databases(world, 4)
    full = world.account.resource("rds:db", tags={f"mine-{n}": "x" for n in range(50)})

    answer = world.run(DATABASES)

    assert told(answer, full) == [("report", "no_room", "unchanged")]
    assert {told(answer, each)[0] for each in made} == {SET}
    assert answer["status"] == "ok"


def test_what_somebody_wrote_since_the_listing_is_not_overwritten(world: TagsWorld) -> None:
    """The listing is more than a minute old when the call is made."""
    made = databases(world, 3)
    world.cloud.seconds_per_call = 40
    tags = world.cloud.extras.tagged[world.account.where][made[1]].tags

    def write() -> None:
        tags["Owner"] = "bob"

    at_call(world.cloud, "PutItem", write)
    answer = world.run({"Owner": only("rds:db", "volume", **TOP)})

    assert world.account.resource_tags(made[0])["Owner"] == "ops"
    assert world.account.resource_tags(made[1])["Owner"] in {"bob", "ops"}
    assert answer["status"] == "ok"


@pytest.mark.usefixtures("one_at_a_time")
def test_what_somebody_wrote_while_the_calls_wait_for_their_turn_is_not_overwritten(
    world: TagsWorld,
) -> None:
    """At this pace every call waits for more than a minute."""
    made = databases(world, 60)
    extras = world.cloud.extras.tagged[world.account.where]

    def write() -> None:
        for each in made:
            extras[each].tags["Owner"] = "bob"

    at_call(world.cloud, "TagResources", write)
    answer = world.run(DATABASES, pace=0.003)

    written = [each for each in made if world.account.resource_tags(each)["Owner"] == "ops"]
    assert len(written) == 20, "those whose call was on its way"
    assert answer["counts"]["skip"] == {"unchanged": 40}


@pytest.mark.parametrize("kind", ["answer_lost", "never_arrived", "internal_error", "throttled"])
def test_a_call_that_fails_for_now_is_sent_again(world: TagsWorld, kind: str) -> None:
    made = databases(world, 10)
    world.cloud.faults.add(kind, operation="TagResources", times=2)

    answer = world.run(DATABASES)

    assert answer["counts"] == {"set": {"done": 10}}
    assert {world.account.resource_tags(each)["Owner"] for each in made} == {"ops"}


def test_a_call_that_is_denied_fails_its_twenty(world: TagsWorld) -> None:
    made = databases(world, 10)
    volume = world.account.volume()
    world.cloud.faults.add("denied", operation="TagResources", times=None)

    answer = world.run({"Owner": only("rds:db", "volume", **TOP)})

    assert {told(answer, each)[0] for each in made} == {FAILED}
    assert told(answer, volume) == [SET]
    assert world.account.resource_tags(made[0]) == KNOWN


def test_one_that_lets_its_whole_call_be_refused_costs_the_others_nothing(
    world: TagsWorld,
) -> None:
    made = databases(world, 20)
    world.cloud.faults.add(
        "error",
        operation="TagResources",
        match=made[7],
        code="InvalidParameterException",
        times=None,
    )

    answer = world.run(DATABASES)

    assert told(answer, made[7]) == [FAILED]
    assert answer["counts"]["set"] == {"done": 19, "failed": 1}


@pytest.mark.usefixtures("one_at_a_time")
def test_three_denied_calls_open_the_breaker(world: TagsWorld) -> None:
    databases(world, 200)
    world.cloud.faults.add("denied", operation="TagResources", times=None)

    answer = world.run(DATABASES)

    assert world.cloud.calls.count("TagResources") == 3
    assert answer["counts"]["set"] == {"failed": 60, "deferred": 140}
    assert "tagging_stopped" in kinds(world.stack.alerts())


def test_an_api_that_throttles_is_given_time(world: TagsWorld) -> None:
    made = databases(world, 400)
    world.cloud.buckets["TagResources"] = Bucket(2, 1)
    world.cloud.buckets["GetResources"] = Bucket(1, 0.5)
    world.cloud.pages.size = 40

    answer = world.run(DATABASES)

    assert answer["counts"] == {"set": {"done": 400}}
    assert {world.account.resource_tags(each)["Owner"] for each in made} == {"ops"}


def test_only_what_is_absent_is_written(world: TagsWorld) -> None:
    theirs = world.account.resource("rds:db", tags={"Owner": "bob"})
    wrong = world.account.resource("rds:db", tags={"owner": "bob"})

    answer = world.run(DATABASES)

    assert world.changes() == []
    assert told(answer, theirs) == [("keep", "compliant", "unchanged")]
    assert told(answer, wrong) == [("report", "wrong_case", "unchanged")]


def test_the_same_slot_again_changes_nothing(world: TagsWorld) -> None:
    databases(world, 30)
    world.run(DATABASES)
    before = world.photograph()
    world.cloud.calls.clear()

    assert world.run(DATABASES)["counts"] == {"keep": {"unchanged": 30}}

    assert world.changes() == []
    assert world.photograph() == before


def test_in_report_mode_nothing_is_sent(world: TagsWorld) -> None:
    databases(world, 30)
    sent: list[object] = []

    with before_each(world.cloud, "TagResources", sent.append):
        answer = world.run(DATABASES, mode="report")

    assert sent == []
    assert answer["counts"] == {"set": {"planned": 30}}
