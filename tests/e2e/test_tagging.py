"""The deployed tagging function: by its schedule, at birth, step by step against an instance."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.cloud.demo_births import birth_of, role_session
from tests.cloud.demo_memory import STOP_AFTER, let_stop_come
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.tools import ROOT
from tests.e2e import tagger as stacks
from tests.e2e.conftest import RULES, allowed_to
from tests.e2e.tagger import Tagger

if TYPE_CHECKING:
    from tests.cloud.account import SeededInstance

CHANGING = {
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "s3:PutBucketTagging",
    "tag:TagResources",
}
EVENTS = ROOT / "events" / "tagging"

_numbers = count(1)


@pytest.fixture
def policy() -> str:
    """A policy of the test's own: its memory and its incidents are no other's."""
    return f"tags-{next(_numbers)}"


@pytest.fixture(scope="module")
def told(stack: Stack) -> Json:
    """Let the schedule of a stack in mode report fire; two volumes could be set."""
    machine = stack.cloud.ec2.instance({}, {}, tags={"CostCenter": "4711"}, name="reported")
    function = stack.outputs["TaggingFunctionName"]
    started = datetime.now(UTC)
    slot = stack.fire(stack.schedule(mode="act", function=function))
    answer = stack.wait_for_answer(function, started, slot=slot, mode="report")
    return {**answer, "volumes": machine.volume_ids}


@pytest.fixture(scope="module")
def fired(tagger: Tagger) -> Json:
    """Let the schedule of a stack in mode act fire; a volume misses a tag, another is misspelt."""
    machine = tagger.ec2.instance(
        {}, {"Stage": "Prod"}, tags={"Team": "web", "Stage": "dev"}, name="fired"
    )
    answer = tagger.stack.run_schedule(tagger.function, mode="act")
    return {**answer, "machine": machine}


def test_the_schedule_asks_what_the_parameters_say(tagger: Tagger) -> None:
    scheduled = tagger.stack.schedule(mode="act", function=tagger.function)

    assert json.loads(scheduled["Target"]["Input"]) == {
        "policy": "default",
        "rules": stacks.RULES,
        "owner_key": "Owner",
        "owners": {"ann": tagger.ann_topic},
        "grace_hours": 24,
        "stop_after_days": 7,
        "blast_radius": {"count": 10, "percent": 25},
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }


def test_without_the_right_to_stop_the_schedule_asks_to_tell_alone(stack: Stack) -> None:
    scheduled = stack.schedule(mode="act", function=stack.outputs["TaggingFunctionName"])

    assert json.loads(scheduled["Target"]["Input"])["stop_after_days"] == 0


def test_in_report_mode_it_tells_what_it_would_set_and_sets_nothing(
    stack: Stack, told: Json, ec2: RemoteCloud
) -> None:
    assert (told["status"], told["mode"], told["policy"]) == ("ok", "report", "default")
    planned = {each["target"] for each in stack.report(told)[1:] if each["result"] == "planned"}
    assert planned >= set(told["volumes"])
    assert not any("CostCenter" in ec2.seed("tags_of", each) for each in told["volumes"])


def test_in_report_mode_its_role_can_change_nothing(stack: Stack, tagger: Tagger) -> None:
    allowed = allowed_to(stack, "TaggingRole")

    assert "ec2:DescribeInstances" in allowed
    assert allowed & CHANGING == set()
    assert allowed_to(tagger.stack, "TaggingRole") >= CHANGING


def test_in_report_mode_no_event_can_ask_for_more(stack: Stack) -> None:
    event = {"policy": "more", "mode": "act", "rules": RULES}

    answer = stack.invoke(stack.outputs["TaggingFunctionName"], event)

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")


def test_in_act_mode_the_schedule_sets_what_is_missing_and_what_is_misspelt(
    tagger: Tagger, fired: Json
) -> None:
    machine: SeededInstance = fired["machine"]
    bare, misspelt = machine.volume_ids

    assert (fired["status"], fired["mode"]) == ("ok", "act")
    assert tagger.tags(bare) == {"Team": "web"}
    assert tagger.tags(misspelt) == {"Team": "web", "Stage": "prod"}
    assert tagger.tags(machine.id) == {"Team": "web", "Stage": "dev"}
    because = tagger.items(fired)[misspelt, "set"]["detail"]["because"]
    assert because == {"Team": "instance", "Stage": "normalised"}
    assert tagger.stack.metrics(tagger.function)[-1]["_aws"]


def test_the_same_slot_again_changes_nothing(tagger: Tagger, fired: Json) -> None:
    again = tagger.run(stacks.RULES, "default", scheduled_time=fired["slot"])

    assert (again["status"], again["progress"]) == ("ok", 0)


def test_other_services_get_their_tags_through_the_tagging_api(
    tagger: Tagger, policy: str, ec2: RemoteCloud
) -> None:
    arn = ec2.seed("resource", "rds:db", "orders", tags={"Name": "orders"})
    refused = ec2.seed("resource", "rds:db", "locked", tags={"Name": "locked"})
    ec2.seed("refuse_tagging", refused)

    answer = tagger.run({"Team": {"default": "data", "applies_to": ["rds:db"]}}, policy)

    assert answer["status"] == "partial"
    assert answer["counts"]["set"] == {"done": 1, "failed": 1}
    assert ec2.seed("resource_tags", arn)["Team"] == "data"
    assert tagger.items(answer)[refused, "set"]["error"]["code"] == "AccessDeniedException"


def test_what_a_person_makes_is_tagged_at_birth_and_what_failed_or_is_ours_is_not_looked_at(
    cloud: LocalCloud, tagger: Tagger, ec2: RemoteCloud
) -> None:
    born, failed, ours = (ec2.instance({}, name=name, age_hours=0) for name in ("b", "f", "o"))
    role = tagger.stack.resources("AWS::IAM::Role")["SnapshotRole"]
    ours_arn = f"arn:aws:iam::123456789012:role/{role}"
    started = datetime.now(UTC)

    for detail in (
        birth_of(failed.id, errorCode="Client.InsufficientInstanceCapacity"),
        birth_of(ours.id, userIdentity=role_session(ours_arn)),
        birth_of("i-0123456789abcdef0", eventName="TerminateInstances"),
        birth_of(born.id),
    ):
        cloud.deliver_call(detail)
    answer = tagger.stack.wait_for_answer(tagger.function, started)

    assert (answer["status"], answer["counts"]["set"]) == ("ok", {"done": 1})
    assert tagger.tags(born.volume_ids[0]) == {"Team": "ann"}
    untouched = [tagger.tags(each.volume_ids[0]) for each in (failed, ours)]
    assert untouched == [{}, {}]
    ended = [
        each
        for each in tagger.stack.log_documents(tagger.function, started)
        if each.get("message") == "run ended"
    ]
    assert len(ended) == 1


def test_a_call_of_a_user_without_a_session_is_delivered_too_and_once_is_enough(
    cloud: LocalCloud, tagger: Tagger, ec2: RemoteCloud
) -> None:
    born = ec2.instance({}, name="by-user", age_hours=0)
    user = {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/bob", "userName": "bob"}
    detail = birth_of(born.id, userIdentity=user, eventID="of-bob")
    started = datetime.now(UTC)

    cloud.deliver_call(detail)
    tagger.stack.wait_for_answer(tagger.function, started)
    again = tagger.run(stacks.RULES, "default", birth=detail)

    assert tagger.tags(born.volume_ids[0]) == {"Team": "bob"}
    assert (again["status"], again["progress"]) == ("ok", 0)


def test_an_instance_is_told_of_marked_and_stopped_and_started_when_its_tags_are_right(
    tagger: Tagger, policy: str, ec2: RemoteCloud
) -> None:
    machine = ec2.instance(tags={"Owner": "ann", "Stage": "live"}, name="wrong")
    days = iter(f"2026-11-{day:02}T03:00Z" for day in range(1, 29))

    def run() -> dict[tuple[str, str], Json]:
        owners = {"owners": {"ann": tagger.ann_topic}}
        answer = tagger.run(
            {"Stage": stacks.RULES["Stage"]}, policy, scheduled_time=next(days), **owners
        )
        assert answer["status"] == "ok", answer
        return tagger.items(answer)

    assert run()[machine.id, "tell"]["result"] == "done"
    letter = tagger.ann.wait_for_one(lambda each: machine.id in each.message)
    assert "Stage wrong_value" in letter.message
    assert run()[machine.id, "mark"]["result"] == "done"
    assert STOP_AFTER in tagger.tags(machine.id)
    assert run()[machine.id, "report"]["reason"] == "waiting"
    let_stop_come(tagger.stack, policy, machine.id)
    assert run()[machine.id, "stop"]["result"] == "done"
    assert _state(ec2, machine.id) == "stopped"
    ec2.seed("tag", machine.id, {"Stage": "prod"})
    assert run()[machine.id, "start"]["result"] == "done"
    assert _state(ec2, machine.id) == "running"
    run()
    assert tagger.tags(machine.id) == {"Owner": "ann", "Stage": "prod"}


def _state(ec2: RemoteCloud, instance: str) -> str:
    found = next(each for each in ec2.state()["instances"] if each["InstanceId"] == instance)
    return str(found["State"]["Name"])


def test_the_mail_names_what_is_new_and_where_the_list_is_once(
    tagger: Tagger, policy: str, ec2: RemoteCloud
) -> None:
    volume = ec2.volume(tags={"Tier": "=1+1"})
    rules = {"Tier": {"required": False, "values": ["1", "2"], "applies_to": ["volume"]}}

    answer = tagger.run(rules, policy)
    again = tagger.run(rules, policy)

    mail = tagger.mail.wait_for_one(lambda each: answer["run"] in each.message)
    assert mail.subject.startswith("ALARM: [NOTE] prod")
    assert volume in mail.message
    assert answer["summary"]["list"] in mail.message
    (line,) = [each for each in tagger.listed(answer) if each["resource"] == volume]
    assert (line["key"], line["finding"], line["result"]) == ("Tier", "wrong_value", "unchanged")
    assert again["summary"]["new_violations"] == 0
    assert [each for each in tagger.mail.news() if again["run"] in each.message] == []


@pytest.mark.parametrize(
    ("event", "paths"),
    [
        ("wrong-rules", {"rules.Environment", "rules.CostCenter", "rules.Owner", "rules.Team"}),
        ("reserved-key", {"rules.caretaker:managed-by"}),
        ("empty", {"rules"}),
    ],
)
def test_a_wrong_event_is_refused_with_every_field_named_and_people_hear(
    event: str, paths: set[str], tagger: Tagger
) -> None:
    tagger.ec2.clear_calls()

    answer = tagger.stack.invoke(
        tagger.function, json.loads((EVENTS / f"{event}.json").read_text())
    )

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    named = [each["path"] for each in answer["errors"]]
    assert all(any(name.startswith(path) for name in named) for path in paths)
    assert all(any(name.startswith(path) for path in paths) for name in named)
    assert tagger.ec2.calls() == []


def test_without_rules_a_stack_judges_nothing_and_misses_nothing(other_stack: Stack) -> None:
    function = other_stack.outputs["TaggingFunctionName"]

    assert other_stack.schedule(mode="act", function=function)["State"] == "DISABLED"
    assert _birth_rule(other_stack)["State"] == "DISABLED"
    assert "TaggingHeartbeatAlarm" not in other_stack.resources("AWS::CloudWatch::Alarm")


def test_rules_alone_do_not_start_it_at_birth(stack: Stack) -> None:
    assert _birth_rule(stack)["State"] == "DISABLED"
    assert "TaggingHeartbeatAlarm" in stack.resources("AWS::CloudWatch::Alarm")


def _birth_rule(stack: Stack) -> Json:
    name = stack.resources("AWS::Events::Rule")["TaggingFunctionBirth"]
    found: Json = stack.client("events").describe_rule(Name=name)
    return found
