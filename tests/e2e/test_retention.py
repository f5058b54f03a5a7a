"""The deployed retention function: three months of snapshots judged, marked, and swept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.cloud.demo_history import TIMES, History, Past
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.subscribers import QueueSubscriber
from tests.e2e.conftest import NEIGHBOUR, allowed_to

KEPT_NIGHTS = 50
NIGHTS = 90
CHANGING = {"ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSnapshot"}

EVENT: Json = {
    "policy": "months",
    "keep": {"daily": KEPT_NIGHTS},
    "blast_radius": {"count": 10, "percent": 50},
    "pace": 1.0,
}
WHY_KEPT = {
    "image": "used_by_image",
    "launch_template": "used_by_launch_template",
    "shared": "shared",
    "locked": "locked",
    "kept": "keep_tag",
}


@dataclass(frozen=True, slots=True)
class Vault:
    """The stack, its retention function, and what was seeded; `heard` listens to its alerts."""

    stack: Stack
    ec2: RemoteCloud
    history: History
    heard: QueueSubscriber

    @property
    def function(self) -> str:
        return self.stack.outputs["RetentionFunctionName"]

    @property
    def going(self) -> frozenset[str]:
        """The snapshots that neither the rules nor anything else keeps."""
        return self.history.older_than(KEPT_NIGHTS) - set(self.history.guarded.values())

    def run(self, **more: object) -> Json:
        """Let the function judge the policy; return its answer."""
        answer: Json = self.stack.invoke(self.function, {**EVENT, **more})
        return answer

    def items(self, answer: Json) -> dict[str, Json]:
        """Return the items of an answer's whole report."""
        return {each["target"]: each for each in self.stack.report(answer)[1:]}

    def snapshots(self) -> dict[str, dict[str, str]]:
        """Return what there is: tags by snapshot."""
        return {
            each["SnapshotId"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            for each in self.ec2.snapshots()
        }

    def marked(self) -> set[str]:
        """Return the marked snapshots."""
        return {i for i, tags in self.snapshots().items() if "caretaker:delete-after" in tags}

    def actions(self) -> set[str]:
        """Return all that the deployed role is allowed."""
        return allowed_to(self.stack, "RetentionRole")


@pytest.fixture(scope="module")
def vault(cloud: LocalCloud, other_stack: Stack) -> Vault:
    """Seed three months of two volumes, with what guards some of the oldest."""
    cloud.ec2.clear_faults()
    volumes = (cloud.ec2.volume(), cloud.ec2.volume())
    past = Past(cloud.ec2, other_stack.outputs["Installation"], datetime.now(UTC))
    nights = past.nights("months", volumes, NIGHTS)
    guarded = past.guard(
        **{guard: nights[NIGHTS - place][0] for place, guard in enumerate(WHY_KEPT)}
    )
    foreign = past.foreign("months", volumes[0], NIGHTS - 10)
    heard = QueueSubscriber(cloud, other_stack.outputs["AlertsTopicArn"], "retention-heard")
    return Vault(other_stack, cloud.ec2, History("months", nights, guarded, foreign), heard)


@pytest.fixture(scope="module")
def told(vault: Vault) -> Json:
    """Run as the stack is deployed by default: with RetentionMode report."""
    return vault.run()


@pytest.fixture(scope="module")
def reporting(vault: Vault) -> set[str]:
    """All that the role is allowed by default."""
    return vault.actions()


@pytest.fixture(scope="module")
def refused(vault: Vault) -> Json:
    """Ask the stack as it is by default to act."""
    return vault.run(mode="act")


@pytest.fixture(scope="module")
def acting(
    cloud: LocalCloud, vault: Vault, told: Json, reporting: set[str], refused: Json
) -> Vault:
    """Update the same stack to RetentionMode act, once all is known of how it was before."""
    assert told["mode"] == refused["mode"] == "report"
    assert reporting
    cloud.deploy(vault.stack.name, parameters={**NEIGHBOUR, "RetentionMode": "act"})
    return vault


@pytest.fixture(scope="module")
def marked(acting: Vault) -> Json:
    """Run once in mode act."""
    return acting.run()


@pytest.fixture(scope="module")
def swept(acting: Vault, marked: Json) -> Json:
    """Run again two days and an hour later."""
    assert marked["status"] == "ok"
    acting.ec2.age(hours=49, tags=TIMES)
    return acting.run()


def test_in_report_mode_it_plans_every_mark_and_changes_nothing(vault: Vault, told: Json) -> None:
    assert (told["status"], told["mode"]) == ("ok", "report")
    items = vault.items(told)
    planned = {i for i, each in items.items() if each["result"] == "planned"}
    assert planned == vault.going
    assert told["counts"]["mark"] == {"planned": len(vault.going)}
    assert vault.history.all <= items.keys()
    assert vault.marked() == set()
    assert vault.history.all <= vault.snapshots().keys()


def test_in_report_mode_its_role_can_neither_mark_nor_delete(reporting: set[str]) -> None:
    assert "ec2:DescribeSnapshots" in reporting
    assert reporting & CHANGING == set()


def test_in_report_mode_no_event_can_ask_for_more(refused: Json) -> None:
    assert (refused["status"], refused["reason"]) == ("refused", "mode_not_allowed")


def test_what_something_else_needs_is_kept_and_says_why(vault: Vault, told: Json) -> None:
    items = vault.items(told)
    reasons = {guard: items[i]["reason"] for guard, i in vault.history.guarded.items()}
    assert reasons == WHY_KEPT
    assert items[vault.history.foreign["tagged_by_hand"]]["reason"] == "not_made_here"
    assert vault.history.foreign["of_another_account"] not in items


def test_with_retention_mode_act_the_role_may_mark_and_delete(acting: Vault) -> None:
    assert acting.actions() >= CHANGING


def test_in_act_mode_it_marks_what_it_had_planned(acting: Vault, marked: Json) -> None:
    assert marked["counts"]["mark"] == {"done": len(acting.going)}
    items = acting.items(marked)
    assert {i for i, each in items.items() if each["result"] == "done"} == acting.going


def test_two_days_after_the_mark_it_deletes_and_nothing_else_is_gone(
    acting: Vault, marked: Json, swept: Json
) -> None:
    assert marked["run"] != swept["run"]
    assert (swept["status"], swept["counts"]["delete"]) == ("ok", {"done": len(acting.going)})
    left = acting.snapshots()
    assert acting.history.all - acting.going <= left.keys()
    assert acting.going & left.keys() == set()
    assert set(acting.history.foreign.values()) <= left.keys()
    assert acting.marked() & acting.history.all == set()


def test_what_was_deleted_lies_in_the_recycle_bin_for_as_long_as_the_report_says(
    acting: Vault, swept: Json
) -> None:
    assert acting.going <= set(acting.ec2.seed("binned"))
    heading = acting.stack.report(swept)[0]
    assert heading["summary"]["recycle_bin_days"] == 14


def test_a_run_that_comes_again_finds_nothing_to_do(acting: Vault, swept: Json) -> None:
    assert swept["status"] == "ok"
    again = acting.run()
    assert (again["progress"], again["status"]) == (0, "ok")


def test_a_mass_deletion_is_refused_until_a_person_lets_this_very_plan_through(
    acting: Vault,
) -> None:
    volume = acting.ec2.volume()
    past = Past(acting.ec2, acting.stack.outputs["Installation"], datetime.now(UTC))
    nights = past.nights("mass", (volume,), 40)
    event = {"policy": "mass", "keep": {"last": 2}, "blast_radius": {"count": 10, "percent": 25}}

    refused = acting.run(**event)

    assert (refused["status"], refused["reason"]) == ("refused", "blast_radius")
    assert acting.marked() & {each for (each,) in nights.values()} == set()
    plan = refused["plan_id"]
    alarm = acting.heard.wait_for_one(lambda each: plan in each.message)
    assert alarm.subject.startswith("ALARM: [CRIT] prod mass: 38 snapshots not let go")
    assert alarm.document["incidents"][0]["kind"] == "retention_refused"

    unknown = acting.run(**event, approve="p-0123456789abcdef")
    assert (unknown["status"], unknown["reason"]) == ("refused", "plan_unknown")
    approved = acting.run(**event, approve=plan)

    assert approved["counts"]["mark"] == {"done": 38}
    ended = acting.heard.wait_for_one(
        lambda each: each.subject.startswith("OK:") and each.document["policy"] == "mass"
    )
    assert ended.document["incidents_open"] == 0
    acting.ec2.age(hours=49, tags=TIMES)
    swept = acting.run(**event)
    assert swept["counts"]["delete"] == {"done": 38}
    left = acting.snapshots().keys() & {each for (each,) in nights.values()}
    assert left == {*nights[1], *nights[2]}


def test_a_wrong_event_is_refused_with_every_field_named_and_people_hear(vault: Vault) -> None:
    before = vault.snapshots()

    answer = vault.stack.invoke(
        vault.function,
        {"policy": "wrong-here", "keep": {"daily": -1, "nightly": 3}, "approve": "yes"},
    )

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    named = {each["path"] for each in answer["errors"]}
    assert named == {"keep.daily", "keep.nightly", "approve"}
    heard = vault.heard.wait_for_one(lambda each: answer["run"] in each.message)
    assert heard.subject.startswith("ALARM: [NOTE] prod retention wrong-here")
    assert vault.snapshots() == before


def test_without_rules_it_judges_nothing(vault: Vault) -> None:
    answer = vault.stack.invoke(vault.function, {"policy": "no-rules"})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert [each["path"] for each in answer["errors"]] == ["keep"]


def test_the_retention_schedule_judges_by_the_rules_of_the_parameters(stack: Stack) -> None:
    function = stack.outputs["RetentionFunctionName"]
    scheduled = stack.schedule(mode="act", function=function)
    rules = dict.fromkeys(("last", "hourly", "yearly"), 0)
    assert json.loads(scheduled["Target"]["Input"]) == {
        "policy": "daily",
        "keep": {**rules, "daily": 14, "weekly": 8, "monthly": 12, "within_days": 3},
        "orphans_keep_days": 365,
        "blast_radius": {"count": 10, "percent": 25},
        "price_per_gib_month": 0.05,
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }

    started = datetime.now(UTC)
    slot = stack.fire(scheduled)
    answer = stack.wait_for_answer(function, started, slot=slot)

    assert (answer["status"], answer["mode"], answer["policy"]) == ("ok", "report", "daily")
    assert stack.metrics(function)[-1]["Heartbeat"] == [1]
