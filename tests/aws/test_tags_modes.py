"""Modes, places, rounds and the state table: when nothing may change, and when work goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from caretaker.errors import StateError
from functions.tagging import app
from tests.cloud import REGION, Account
from tests.support.crashes import at_call
from tests.support.snapshots import kinds
from tests.support.stack import TABLE
from tests.support.tags_world import CHANGES, OWNED, TOP, TagsWorld, only, told

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


EVENTS: Final = sorted((Path(__file__).parents[2] / "events" / "tagging").glob("*.json"))
WRONG: Final = {"empty", "reserved-key", "wrong-rules", "approve"}
ELSEWHERE: Final = "210987654321"
VOLUMES: Final[dict[str, Any]] = {"Owner": only("volume", **TOP)}
EVERYTHING: Final[dict[str, Any]] = {
    "Owner": {
        "from": ["instance"],
        "escalate": True,
        "applies_to": ["instance", "volume", "snapshot", "rds:db"],
    },
    "Env": {"values": ["prod", "dev"], "case": "normalise", "default": "dev"},
}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def one_of_everything(a: Account) -> None:
    """Add what is to be set, normalised, told, marked, reported and left alone."""
    a.instance({}, tags={**OWNED, "Env": "PROD"})
    a.instance({}, tags={"env": "dev"})
    a.instance({}, tags={"Env": "test"}, state="stopped")
    a.instance({}, tags={"caretaker:ignore": "true"})
    a.instance(group="web", template=a.launch_template([]))
    a.snapshot(a.volume(tags=OWNED), age_hours=99)
    a.resource("rds:db", tags={"env": "prod"})
    a.volume(age_hours=1)
    a.volume(tags={f"mine-{n}": "x" for n in range(50)})


def without_results(answer: dict[str, Any]) -> list[Any]:
    """Return what was decided, whatever came of it."""
    return sorted(
        json.dumps([each["target"], each["action"], each["reason"], each["detail"]["type"]])
        for each in answer["outcomes"]
    )


def test_report_mode_changes_nothing_and_decides_what_act_mode_does(world: TagsWorld) -> None:
    one_of_everything(world.account)
    before = world.photograph()

    reported = world.run(EVERYTHING, mode="report")

    assert world.photograph() == before
    assert not CHANGES & set(world.cloud.calls.operations())
    assert {"planned", "unchanged"} == {each["result"] for each in reported["outcomes"]}
    acted = world.run(EVERYTHING)
    assert without_results(acted) == without_results(reported)
    assert world.photograph() != before
    assert acted["plan_id"] == reported["plan_id"]


def test_a_stack_that_reports_changes_nothing_day_after_day(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    one_of_everything(world.account)
    before = world.photograph()

    answers = [world.daily(EVERYTHING) for _ in range(5)]

    assert world.photograph() == before
    assert not CHANGES & set(world.cloud.calls.operations())
    assert not {each["pk"] for each in world.stack.items() if "escalations" in each["pk"]}
    assert {answer["status"] for answer in answers} == {"ok"}
    assert "instance_escalated" not in kinds(world.stack.alerts())


def test_a_stack_that_reports_cannot_be_made_to_act_by_an_event(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    volume = world.account.volume()

    answer = world.run(VOLUMES, mode="act")

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")
    assert world.tags(volume) == {}


@pytest.mark.parametrize("kind", ["denied", "never_arrived", "throttled", "internal_error"])
def test_without_an_answering_table_nothing_is_changed(world: TagsWorld, kind: str) -> None:
    one_of_everything(world.account)
    before = world.photograph()
    world.cloud.faults.add(kind, service="dynamodb", times=None)

    try:
        answer = world.run(EVERYTHING)
    except StateError:
        assert kind != "denied"
    else:
        assert answer["status"] == "failed"
        assert kinds(world.stack.alerts()) == ["run_failed"]

    assert world.photograph() == before
    assert not CHANGES & set(world.cloud.calls.operations())


def test_without_the_table_nothing_is_changed_and_people_hear_of_it(world: TagsWorld) -> None:
    volume = world.account.volume()
    boto3.client("dynamodb", REGION).delete_table(TableName=TABLE)

    answer = world.run(VOLUMES)

    assert answer["status"] == "failed"
    assert world.tags(volume) == {}
    assert kinds(world.stack.alerts()) == ["run_failed"]


def test_a_table_that_fails_while_the_run_remembers_costs_no_tags(world: TagsWorld) -> None:
    volume = world.account.volume()

    def break_it() -> None:
        world.cloud.faults.add("denied", service="dynamodb", times=None)

    at_call(world.cloud, "CreateTags", break_it)
    answer = world.run(VOLUMES)

    assert told(answer, volume) == [("set", "missing", "done")]
    assert world.tags(volume) == {"Owner": "ops"}


def test_works_in_another_account_through_its_role(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    there = Account(world.cloud, account=ELSEWHERE)
    theirs, mine = there.volume(), world.account.volume()
    database = there.resource("rds:db", tags={"env": "prod"})
    foreign = world.account.resource("rds:db", tags={"env": "prod"})

    answer = world.run({"Owner": only("volume", "rds:db", **TOP)}, target={"account": ELSEWHERE})

    assert answer["account"] == ELSEWHERE
    assert there.tags_of(theirs) == {"Owner": "ops"}
    assert there.resource_tags(database)["Owner"] == "ops"
    assert (world.tags(mine), world.account.resource_tags(foreign)) == ({}, {"env": "prod"})
    touched = {c.account for c in world.cloud.calls if c.service not in _OF_THE_STACK}
    assert touched == {ELSEWHERE}
    assert world.csv(answer)[0]["account"] == ELSEWHERE


_OF_THE_STACK: Final = {"dynamodb", "s3", "sns", "sts", "lambda"}


def test_works_in_another_region(world: TagsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    there = Account(world.cloud, region="eu-central-1")
    theirs, mine = there.volume(), world.account.volume()

    answer = world.run(VOLUMES, target={"region": "eu-central-1"})

    assert answer["region"] == "eu-central-1"
    assert there.tags_of(theirs) == {"Owner": "ops"}
    assert world.tags(mine) == {}


def test_places_and_policies_are_remembered_apart(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    Account(world.cloud, account=ELSEWHERE).volume()
    world.account.volume()
    rules = {"Owner": only("volume")}
    world.daily(rules)

    answer = world.daily(rules, target={"account": ELSEWHERE})

    assert answer["summary"]["new_violations"] == 1
    assert kinds(world.stack.alerts()) == ["tags_violated", "tags_violated"]


def test_a_role_that_may_not_be_assumed_fails_the_run_and_is_told(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    world.cloud.faults.add("denied", operation="AssumeRole", times=None)

    answer = world.run(VOLUMES, target={"account": ELSEWHERE})

    assert answer["status"] == "failed"
    assert kinds(world.stack.alerts()) == ["run_failed"]


def test_another_account_without_a_role_is_refused(world: TagsWorld) -> None:
    answer = world.run(VOLUMES, target={"account": ELSEWHERE})

    assert (answer["status"], answer["reason"]) == ("refused", "target_not_allowed")
    assert world.changes() == []


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_file_runs_on_a_stack_that_acts(
    world: TagsWorld, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    one_of_everything(world.account)
    world.account.organization()
    world.cloud.pages.size = None
    event = json.loads(path.read_text(encoding="utf-8"))
    for topic in event.get("owners", {}).values():
        boto3.client("sns", REGION).create_topic(Name=topic.rpartition(":")[2])

    answer = world.stack.run(app.CHORE, event)

    expected = "refused" if path.stem in WRONG else "ok"
    assert answer["status"] == expected, answer["errors"]


def test_the_files_are_all_there() -> None:
    assert len(EVENTS) > 10
