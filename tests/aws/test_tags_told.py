"""What people hear of tags: once, and again when there is more of it; the numbers and the list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.snapshots import kinds
from tests.support.tags_world import OWNED, TOP, TagsWorld, only

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


METRIC: Final = "TagCompliancePercent"
VOLUMES: Final[dict[str, Any]] = {"Owner": only("volume")}
TWO: Final[dict[str, Any]] = {"Owner": only("volume"), "Env": only("volume", values=["prod"])}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    cloud.pages.size = None
    return TagsWorld(cloud, clock, stack, account)


def violated(world: TagsWorld, state: str = "ALARM") -> list[dict[str, Any]]:
    """Return and forget what was told of violations."""
    return [
        incident
        for each in world.stack.alerts()
        if each["state"] == state
        for incident in each["incidents"]
        if incident["kind"] == "tags_violated"
    ]


def test_violations_are_told_once_as_a_notice_with_the_first_of_them_and_the_list(
    world: TagsWorld,
) -> None:
    bare = world.account.volume()
    world.account.crowd("volume", 9, tags=OWNED)

    answer = world.daily(VOLUMES)

    (told,) = violated(world)
    assert told["severity"] == "notice"
    assert told["resource"] == "default"
    assert told["what"] == "1 tags missing or wrong, 1 new: 90.0 % right"
    assert told["evidence"]["new 1"] == f"{bare} Owner missing, owner unknown"
    assert told["evidence"]["list"] == answer["summary"]["list"]
    for _ in range(4):
        world.daily(VOLUMES)
    assert world.stack.alerts() == []


def test_it_is_told_again_when_a_new_one_appears(world: TagsWorld) -> None:
    world.account.volume()
    world.daily(VOLUMES)
    violated(world)
    new = world.account.volume()

    answer = world.daily(VOLUMES)

    (told,) = violated(world)
    assert told["evidence"]["new 1"].startswith(new)
    assert "new 2" not in told["evidence"]
    assert answer["summary"]["new_violations"] == 1
    assert answer["summary"]["violations"] == 2
    world.daily(VOLUMES)
    assert world.stack.alerts() == []


def test_another_tag_of_the_same_resource_is_a_new_one(world: TagsWorld) -> None:
    volume = world.account.volume(tags={"Env": "prod"})
    world.daily(TWO)
    violated(world)
    world.account.tag(volume, {"Env": "test"})

    world.daily(TWO)

    (told,) = violated(world)
    assert told["evidence"]["new 1"] == f"{volume} Env wrong_value: test, owner unknown"


def test_it_is_told_again_when_fewer_are_right(world: TagsWorld) -> None:
    world.account.volume()
    right = world.account.crowd("volume", 9, tags=OWNED)
    world.daily(VOLUMES)
    violated(world)
    for each in right[:5]:
        world.account.backend.volumes.pop(each)

    answer = world.daily(VOLUMES)

    (told,) = violated(world)
    assert told["what"] == "1 tags missing or wrong, 0 new: 80.0 % right"
    assert told["evidence"]["before"] == "90.0 % right"
    assert answer["summary"]["new_violations"] == 0


def test_it_is_not_told_again_when_more_are_right(world: TagsWorld) -> None:
    one, other = world.account.volume(), world.account.volume()
    world.daily(VOLUMES)
    violated(world)
    world.account.tag(one, OWNED)

    world.daily(VOLUMES)

    assert world.stack.alerts() == []
    world.account.tag(other, OWNED)
    world.daily(VOLUMES)
    assert len(violated(world, "OK")) == 1


def test_one_that_comes_back_after_it_was_right_is_new(world: TagsWorld) -> None:
    volume = world.account.volume()
    world.daily(VOLUMES)
    world.account.tag(volume, OWNED)
    world.daily(VOLUMES)
    world.stack.alerts()
    world.account.backend.tags[volume].clear()

    world.daily(VOLUMES)

    assert len(violated(world)) == 1


def test_when_all_is_right_from_the_first_nobody_hears_anything(world: TagsWorld) -> None:
    world.account.crowd("volume", 9, tags=OWNED)

    answer = world.daily(VOLUMES)

    assert world.stack.alerts() == []
    assert answer["summary"]["compliance"] == {"before": 100.0, "after": 100.0}


def test_what_was_set_in_the_same_run_is_no_violation(world: TagsWorld) -> None:
    world.account.crowd("volume", 4)

    answer = world.daily({"Owner": only("volume", **TOP)})

    assert answer["summary"]["violations"] == 0
    assert answer["summary"]["compliance"] == {"before": 0.0, "after": 100.0}
    assert world.stack.alerts() == []


def test_with_a_type_that_cannot_be_listed_for_days_the_same_list_is_told_once(
    world: TagsWorld,
) -> None:
    world.account.volume()
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)
    rules = {"Owner": only("volume", "image")}

    for _ in range(4):
        world.daily(rules)

    assert sorted(kinds(world.stack.alerts())) == ["tags_violated", "type_unlisted"]


def test_a_type_that_was_not_listed_for_a_day_makes_none_of_its_violations_new(
    world: TagsWorld,
) -> None:
    world.account.volume()
    world.account.image(age_hours=99)
    rules = {"Owner": only("volume", "image")}
    world.daily(rules)
    world.stack.alerts()
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)
    world.daily(rules)
    assert kinds(world.stack.alerts()) == ["type_unlisted"]
    world.cloud.faults.clear()

    answer = world.daily(rules)

    assert answer["summary"]["new_violations"] == 0
    assert kinds(world.stack.alerts()) == []


def test_a_type_that_cannot_be_listed_does_not_let_the_violations_count_as_ended(
    world: TagsWorld,
) -> None:
    world.account.image(age_hours=99)
    world.account.volume(tags=OWNED)
    rules = {"Owner": only("volume", "image")}
    world.daily(rules)
    world.stack.alerts()
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)

    world.daily(rules)

    assert kinds(world.stack.alerts(), "OK") == []


def test_a_run_by_hand_in_report_mode_disturbs_nothing(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.account.volume()
    world.daily(VOLUMES)
    world.stack.alerts()
    new = world.account.volume()
    before = world.stack.items()
    capsys.readouterr()

    answer = world.run(VOLUMES, mode="report", scheduled_time="2026-11-22T12:00:00Z")

    assert answer["summary"]["violations"] == 2
    assert world.stack.alerts() == []
    assert metrics_of(capsys.readouterr().out, METRIC) == {}
    kept = [each for each in before if str(each["pk"]).startswith(("incidents#", "compliance#"))]
    assert all(
        _without_version(each) in map(_without_version, world.stack.items()) for each in kept
    )
    world.daily(VOLUMES)
    (told,) = violated(world)
    assert told["evidence"]["new 1"].startswith(new)


def _without_version(item: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in item.items() if k not in {"version", "writer", "writing_until"}}


def test_a_run_by_hand_in_report_mode_does_not_call_anything_right_again(
    world: TagsWorld,
) -> None:
    """With rules of one's own: to try them."""
    world.account.volume()
    world.daily(VOLUMES)
    world.stack.alerts()

    world.run({"Name": only("volume", required=False)}, mode="report")

    assert world.stack.alerts() == []
    assert "tags_violated" in world.open_kinds


def test_a_stack_that_reports_tells_as_well(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    world.account.volume()

    for _ in range(3):
        world.daily(VOLUMES)

    assert kinds(world.stack.alerts()) == ["tags_violated"]


def test_policies_are_told_apart(world: TagsWorld) -> None:
    world.account.volume()
    world.daily(VOLUMES)
    world.daily(VOLUMES, policy="other")

    assert [each["resource"] for each in violated(world)] == ["default", "other"]


def test_a_table_that_fails_at_the_end_tells_again_rather_than_never(world: TagsWorld) -> None:
    world.account.volume()
    world.daily(VOLUMES)
    world.stack.alerts()
    world.account.volume()
    world.cloud.faults.add("denied", operation="Publish", times=None)
    world.daily(VOLUMES)
    world.cloud.faults.clear()

    assert any(item.get("status") == "to_send" for item in world.stack.items())


def metrics_of(printed: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Return a metric's values by the dimensions they were printed with, but for our own three."""
    found = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            if name not in {metric["Name"] for metric in directive["Metrics"]}:
                continue
            assert directive["Namespace"] == "Caretaker"
            value = document[name]
            for names in directive["Dimensions"]:
                assert {"Installation", "Chore"} <= set(names)
                key = tuple(sorted((n, document[n]) for n in names if n not in _OURS))
                found[key] = value[0] if isinstance(value, list) else value
    return found


_OURS: Final = {"Installation", "Chore", "Policy"}
