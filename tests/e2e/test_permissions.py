"""What happens when a part of what a role may do is missing.

Its policies are enforced for all but EC2, Auto Scaling, the tagging API and Organizations. That the
other tests of this folder pass shows that the roles may do all that they need there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.cloud.demo_workers import scheduled_event
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.e2e.conftest import Fleet, denied, ours
from tests.e2e.healer import Healer, Sick
from tests.e2e.tagger import Tagger

SLOT = "2026-11-21T03:00Z"

type Deny = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def deny(other_stack: Stack) -> Deny:
    """Deny the neighbour's function all actions of a service, for as long as it is needed."""
    return partial(denied, other_stack, "SnapshotRole")


@pytest.fixture
def take(other_stack: Stack, fleet: Fleet) -> Callable[[], Json]:
    """Take the fleet's snapshots with the neighbour's function."""

    def run() -> Json:
        event = {"policy": fleet.policy, "scheduled_time": SLOT}
        answer: Json = other_stack.invoke(other_stack.outputs["SnapshotFunctionName"], event)
        return answer

    return run


def warnings_of(stack: Stack, run: str, chore: str = "Snapshot") -> set[str]:
    """Return what one run logged above INFO."""
    lines = stack.log_documents(stack.outputs[f"{chore}FunctionName"])
    return {
        each["message"]
        for each in lines
        if each.get("run") == run and each.get("level") in {"WARNING", "ERROR"}
    }


def test_with_all_that_the_template_gives_nothing_is_logged_above_info(
    other_stack: Stack, take: Callable[[], Json]
) -> None:
    answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    assert warnings_of(other_stack, answer["run"]) == set()


def test_without_the_state_table_first_snapshots_go_on(
    other_stack: Stack, ec2: RemoteCloud, fleet: Fleet, take: Callable[[], Json], deny: Deny
) -> None:
    with deny("dynamodb:*"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    taken = ours(ec2, "neighbour", policy=fleet.policy)
    assert sorted(each["VolumeId"] for each in taken) == sorted(fleet.volumes)
    assert "lease not taken" in warnings_of(other_stack, answer["run"])


def test_without_the_bucket_the_run_goes_on_and_says_so(
    take: Callable[[], Json], other_stack: Stack, deny: Deny
) -> None:
    with deny("s3:PutObject"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    assert answer["report"] is None
    assert warnings_of(other_stack, answer["run"]) == {"report unwritten"}


def test_without_the_topic_the_unsent_alert_is_counted(
    take: Callable[[], Json], other_stack: Stack, ec2: RemoteCloud, fleet: Fleet, deny: Deny
) -> None:
    ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)
    with deny("sns:Publish"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 2, "failed": 1}
    measured = other_stack.metrics(other_stack.outputs["SnapshotFunctionName"])[-1]
    assert measured["UnsentAlerts"] == [1]


DERIVED: Json = {"Part": {"from": ["instance"], "applies_to": ["volume"]}}


@pytest.fixture
def part(tagger: Tagger, fleet: Fleet) -> Fleet:
    """A machine whose two volumes miss a tag that it has."""
    tagger.ec2.seed("tag", fleet.machine.id, {"Part": "engine"})
    return fleet


def parts_of(tagger: Tagger, fleet: Fleet) -> set[str]:
    """Return the values that its volumes have."""
    return {tagger.tags(each).get("Part", "") for each in fleet.machine.volume_ids}


def test_with_all_that_the_template_gives_tagging_logs_nothing_above_info(
    tagger: Tagger, part: Fleet
) -> None:
    answer = tagger.run(DERIVED, part.policy)

    assert parts_of(tagger, part) == {"engine"}
    assert warnings_of(tagger.stack, answer["run"], "Tagging") == set()


def test_without_the_state_table_nothing_is_tagged(tagger: Tagger, part: Fleet) -> None:
    with denied(tagger.stack, "TaggingRole", "dynamodb:*"):
        answer = tagger.run(DERIVED, part.policy)

    assert (answer["status"], answer["progress"]) == ("failed", 0)
    assert "dynamodb:PutItem" in answer["errors"][0]["problem"]
    assert parts_of(tagger, part) == {""}


def test_without_the_bucket_tags_are_set_and_neither_report_nor_list_is_named(
    tagger: Tagger, part: Fleet
) -> None:
    with denied(tagger.stack, "TaggingRole", "s3:PutObject"):
        answer = tagger.run(DERIVED, part.policy)

    assert parts_of(tagger, part) == {"engine"}
    assert (answer["report"], answer["summary"]["list"]) == (None, None)


def test_an_owners_topic_that_the_stack_has_no_right_to_is_told_as_out_of_reach(
    tagger: Tagger, cloud: LocalCloud, fleet: Fleet
) -> None:
    topic = cloud.client("sns").create_topic(Name="not-in-the-parameter")["TopicArn"]
    tagger.ec2.seed("tag", fleet.machine.id, {"Owner": "bob", "Part": "broken"})
    rule = {"required": False, "values": ["engine"], "applies_to": ["instance"], "escalate": True}

    answer = tagger.run({"Part": rule}, fleet.policy, owners={"bob": topic})

    assert answer["counts"]["tell"] == {"failed": 1}
    (failed,) = [each for each in answer["outcomes"] if each["result"] == "failed"]
    assert failed["error"]["code"] in {"AuthorizationError", "AuthorizationErrorException"}
    mail = tagger.mail.wait_for_one(lambda each: answer["run"] in each.message)
    assert "not-in-the-parameter" in mail.message


def test_with_all_that_the_template_gives_instance_health_logs_nothing_above_info(
    healer: Healer, sick: Sick
) -> None:
    instance = sick()
    healer.poll(instance)
    healer.pass_minutes(1)

    answer = healer.stack.invoke(healer.function, scheduled_event(healer.stack, healer.function))

    assert healer.became(answer, instance) == ("reboot", "impaired", "done")
    assert warnings_of(healer.stack, answer["run"], "InstanceHealth") == set()


def test_without_the_state_table_nothing_is_repaired(healer: Healer, sick: Sick) -> None:
    instance = sick()
    healer.poll(instance)
    healer.pass_minutes(1)

    with denied(healer.stack, "InstanceHealthRole", "dynamodb:*"):
        answer = healer.stack.invoke(
            healer.function, scheduled_event(healer.stack, healer.function)
        )

    assert (answer["status"], answer["progress"]) == ("failed", 0)
    assert "dynamodb:PutItem" in answer["errors"][0]["problem"]
    assert healer.power_log(instance) == []
