"""What was just made gets its tags within seconds, and nothing else happens by such an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import ListingError
from tests.support.crashes import at_call
from tests.support.snapshots import kinds, metrics
from tests.support.tags_world import CHANGES, OWNED, SET, TOP, TagsWorld, item, only, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

YOUNG: Final = ("skip", "too_young", "unchanged")
KEPT: Final = ("keep", "compliant", "unchanged")
ANN: Final = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/Admin/ann@example.com",
}
CREATED_BY: Final = {"CreatedBy": {"from": ["creator"]}}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def birth(event: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the detail of what CloudTrail tells of a call."""
    return {
        "eventVersion": "1.10",
        "eventSource": "ec2.amazonaws.com",
        "eventName": event,
        "eventID": "3f8b2c1e-0000-4000-8000-000000000001",
        "awsRegion": "eu-west-1",
        "userIdentity": ANN,
        "requestParameters": {"instanceId": "i-0000000a", "volumeId": "vol-0000000a"},
        "responseElements": answer,
        **more,
    }


def run_instances(*ids: str) -> dict[str, Any]:
    """Return what CloudTrail tells of a launch."""
    items = [{"instanceId": each, "imageId": "ami-12345678"} for each in ids]
    return birth("RunInstances", {"instancesSet": {"items": items}})


def born_instance(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.instance(OWNED, age_hours=0, interface_tags={"CreatedBy": "ann"}).id
    return made, run_instances(made)


def born_volume(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.volume(age_hours=0)
    return made, birth("CreateVolume", {"volumeId": made, "size": "8", "snapshotId": ""})


def born_snapshot(a: Account) -> tuple[str, dict[str, Any]]:
    volume = a.volume()
    made = a.snapshot(volume)
    return made, birth("CreateSnapshot", {"snapshotId": made, "volumeId": volume})


def born_set(a: Account) -> tuple[str, dict[str, Any]]:
    instance = a.instance({}, {})
    one, other = (a.snapshot(each) for each in instance.volume_ids)
    members = [{"snapshotId": one, "volumeId": "vol-0"}, {"snapshotId": other}]
    answer = {"CreateSnapshotsResponse": {"snapshotSet": {"item": members}}}
    return one, birth("CreateSnapshots", answer)


def born_copy(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.snapshot("vol-ffffffff")
    return made, birth("CopySnapshot", {"snapshotId": made})


def born_image(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.image()
    return made, birth("CreateImage", {"imageId": made})


BORN: Final[dict[str, Callable[[Account], tuple[str, dict[str, Any]]]]] = {
    "RunInstances": born_instance,
    "CreateVolume": born_volume,
    "CreateSnapshot": born_snapshot,
    "CreateSnapshots": born_set,
    "CopySnapshot": born_copy,
    "CreateImage": born_image,
}


@pytest.mark.parametrize("call", BORN)
def test_what_each_call_makes_is_tagged_with_its_creator_and_nothing_else_is_touched(
    world: TagsWorld, call: str
) -> None:
    old = world.account.volume(), world.account.snapshot("vol-0000000b"), world.account.image()
    made, detail = BORN[call](world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert told(answer, made) == [SET]
    assert world.tags(made)["CreatedBy"] == "Admin/ann@example.com"
    assert item(answer, made)["detail"]["because"] == {"CreatedBy": "creator"}
    assert not any(told(answer, each) or world.tags(each) for each in old)
    assert answer["status"] == "ok"


def test_all_members_of_a_set_are_tagged_by_one_call(world: TagsWorld) -> None:
    _, detail = born_set(world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert answer["counts"] == {"set": {"done": 2}}
    assert len(world.changes()) == 1


def test_a_launch_tags_the_volumes_and_interfaces_of_its_instances_too(world: TagsWorld) -> None:
    a = world.account
    born = [a.instance({}, {}, tags=OWNED, age_hours=0) for _ in range(2)]
    other = a.instance({}, tags=OWNED, age_hours=0)
    rules = {"Owner": only("volume", "network-interface", **{"from": ["instance"]})}

    answer = world.run(rules, birth=run_instances(*(each.id for each in born)))

    for each in born:
        for part in (*each.volume_ids, a.network_of(each.id)[2]):
            assert told(answer, part) == [SET]
            assert world.tags(part) == OWNED
    assert world.tags(other.volume_ids[0]) == {}


def test_a_snapshot_inherits_from_its_volume_and_its_instance(world: TagsWorld) -> None:
    instance = world.account.instance({"Env": "prod"}, tags=OWNED)
    (volume,) = instance.volume_ids
    made = world.account.snapshot(volume)
    detail = birth("CreateSnapshot", {"snapshotId": made, "volumeId": volume})
    rules = {"Owner": {"from": ["instance"]}, "Env": {"from": ["volume"]}}

    answer = world.run(rules, birth=detail)

    assert world.tags(made) == {"Owner": "ann", "Env": "prod"}
    assert {each["target"] for each in answer["outcomes"]} == {made}


def test_neither_defaults_nor_reports_nor_escalations_come_of_a_birth(world: TagsWorld) -> None:
    a = world.account
    made = a.instance({}, tags={"Env": "PROD"}).id
    rules = {
        "Owner": only("instance", escalate=True),
        "Env": only("instance", values=["prod"]),
        "Team": only("instance", **TOP),
    }

    answer = world.run(rules, birth=run_instances(made), grace_hours=0)

    assert told(answer, made) == [YOUNG]
    assert world.changes() == []
    assert world.stack.alerts() == []
    assert answer["summary"]["violations"] == 0


def test_an_event_that_comes_again_late_undoes_no_escalation(world: TagsWorld) -> None:
    made = world.account.instance().id
    rules = {"Owner": only("instance", escalate=True)}
    world.daily(rules)
    world.daily(rules)
    assert "caretaker:stop-after" in world.tags(made)
    world.account.tag(made, OWNED)
    world.cloud.calls.clear()
    world.stack.alerts()

    answer = world.run(rules, birth=run_instances(made))

    assert set(answer["counts"]) <= {"keep", "skip", "set"}
    assert world.changes() == []
    assert "caretaker:stop-after" in world.tags(made)
    assert world.stack.alerts() == []
    assert world.daily(rules)["counts"] == {"unmark": {"done": 1}}


def test_the_same_event_again_changes_nothing(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    world.run(CREATED_BY, birth=detail)
    world.cloud.calls.clear()

    again = world.run(CREATED_BY, birth=detail)

    assert told(again, made) == [KEPT]
    assert world.changes() == []


def test_what_cannot_be_seen_yet_is_left_to_the_schedule(world: TagsWorld) -> None:
    detail = birth("CreateVolume", {"volumeId": "vol-0123456789abcdef0"})

    answer = world.run(CREATED_BY, birth=detail)

    assert (answer["status"], answer["outcomes"]) == ("ok", [])
    assert world.stack.alerts() == []


def test_a_failed_call_made_nothing(world: TagsWorld) -> None:
    volume = world.account.volume(age_hours=0)
    detail = birth("CreateVolume", {"volumeId": volume}, errorCode="Client.Whatever")

    answer = world.run(CREATED_BY, birth=detail)

    assert answer["outcomes"] == []
    assert world.tags(volume) == {}
    assert not {each for each in world.cloud.calls.operations() if each.startswith("Describe")}


@pytest.mark.parametrize("answer", [None, {}, {"instancesSet": None}, {"volumeId": "vol-1; rm"}])
def test_an_event_that_names_nothing_is_about_nothing(
    world: TagsWorld, answer: dict[str, Any]
) -> None:
    volume = world.account.volume(age_hours=0)

    found = world.run(CREATED_BY, birth=birth("CreateVolume", answer))

    assert (found["status"], found["outcomes"]) == ("ok", [])
    assert world.tags(volume) == {}


def test_an_event_of_another_call_is_refused(world: TagsWorld) -> None:
    answer = world.run(CREATED_BY, birth=birth("TerminateInstances", {}))

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert "birth.eventName" in {error["path"] for error in answer["errors"]}


def test_a_birth_by_a_service_has_no_creator(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    group = {**ANN, "invokedBy": "autoscaling.amazonaws.com"}

    answer = world.run(CREATED_BY, birth={**detail, "userIdentity": group})

    assert told(answer, made) == [YOUNG]
    assert world.tags(made) == {}


@pytest.mark.parametrize(
    ("pattern", "value"),
    [(r".+", "Admin/ann@example.com"), (r"[^/]+@[^/]+", "ann@example.com"), (r"[A-Z]\w+", "Admin")],
)
def test_a_rule_takes_the_fullest_name_of_the_creator_that_it_allows(
    world: TagsWorld, pattern: str, value: str
) -> None:
    made, detail = born_volume(world.account)

    world.run({"CreatedBy": {"from": ["creator"], "pattern": pattern}}, birth=detail)

    assert world.tags(made) == {"CreatedBy": value}


def test_opted_out_and_managed_ones_are_left_alone_at_birth_too(world: TagsWorld) -> None:
    out = world.account.instance({}, tags={"caretaker:ignore": "yes"}, age_hours=0)
    node = world.account.instance({}, age_hours=0, operator="eks.amazonaws.com")

    answer = world.run(CREATED_BY, birth=run_instances(out.id, node.id))

    assert world.changes() == []
    assert told(answer, out.volume_ids[0]) == [("skip", "ignored", "unchanged")]
    assert told(answer, node.id) == [("skip", "service_managed", "unchanged")]


def test_a_birth_goes_on_beside_a_schedule_and_beside_another_birth(world: TagsWorld) -> None:
    one, first = born_volume(world.account)
    two, second = born_volume(world.account)
    met: list[dict[str, Any]] = []

    def meanwhile() -> None:
        met.append(world.run(CREATED_BY, birth=first))
        met.append(world.run(CREATED_BY, birth=second))

    at_call(world.cloud, "DescribeImages", meanwhile)
    answer = world.run({"CreatedBy": {"default": "somebody"}})

    assert [each["status"] for each in met] == ["ok", "ok"]
    assert answer["status"] == "ok"
    names = {world.tags(each)["CreatedBy"] for each in (one, two)}
    assert names == {"Admin/ann@example.com"}


def test_one_event_that_comes_twice_at_once_is_one_run(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    met: list[dict[str, Any]] = []
    at_call(
        world.cloud, "DescribeVolumes", lambda: met.append(world.run(CREATED_BY, birth=detail))
    )

    answer = world.run(CREATED_BY, birth=detail)

    assert [each["status"] for each in met] == ["skipped"]
    assert told(answer, made) == [SET]
    assert world.cloud.calls.count("CreateTags") == 1


def test_a_birth_is_no_sign_of_life_of_the_schedule(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    _, detail = born_volume(world.account)

    world.run(CREATED_BY, birth=detail)

    printed = metrics(capsys.readouterr().out)
    assert "Heartbeat" not in printed
    assert "TagCompliancePercent" not in printed


def test_a_birth_resolves_nothing_that_the_schedule_has_found(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that is open it has seen one resource."""
    a = world.account
    a.volume()
    database = a.resource("rds:db", tags={"env": "prod"})
    a.refuse_tagging(database)
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)
    world.cloud.faults.add("denied", operation="CreateTags", times=None)
    rules = {
        "Owner": only("volume", "image", "rds:db", **{"from": ["creator"], "default": "ops"}),
        "Team": only("volume"),
    }
    monkeypatch.setattr("functions.tagging.units.ARNS_AT_ONCE", 1)
    world.run(rules, seconds=900)
    opened = set(kinds(world.stack.alerts()))
    assert opened == {"type_unlisted", "resource_untaggable", "tags_violated"}
    world.cloud.faults.clear()
    _, detail = born_volume(a)

    answer = world.run(rules, birth=detail)

    assert answer["counts"]["set"] == {"done": 1}
    assert world.stack.alerts() == []
    assert set(world.open_kinds) == opened


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_birth_does_not_resolve_what_the_schedule_left_over(world: TagsWorld) -> None:
    """The schedule had no time for its changes."""
    world.account.volume()
    world.cloud.seconds_per_call = 4
    world.run({"Owner": only("volume", **TOP)}, seconds=60 + 22, round=10)
    assert kinds(world.stack.alerts()) == ["tags_violated", "work_left_over"]
    world.cloud.seconds_per_call = 0
    _, detail = born_image(world.account)

    world.run(CREATED_BY, birth=detail)

    assert kinds(world.stack.alerts(), "OK") == []


def test_a_birth_whose_listing_is_unavailable_is_repeated(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    world.cloud.faults.add("unavailable", operation="DescribeVolumes", times=None)

    with pytest.raises(ListingError):
        world.run(CREATED_BY, birth=detail)

    world.cloud.faults.clear()
    assert told(world.run(CREATED_BY, birth=detail), made) == [SET]


def test_a_birth_on_a_stack_that_reports_changes_nothing(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    made, detail = born_volume(world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert told(answer, made) == [("set", "missing", "planned")]
    assert not CHANGES & set(world.cloud.calls.operations())
    assert world.tags(made) == {}


def test_a_launch_of_very_many_is_read_in_parts(world: TagsWorld) -> None:
    """A filter takes 200 values."""
    world.cloud.pages.size = None
    ids = world.account.crowd("instance", 210)

    answer = world.run({"CreatedBy": only("instance", **{"from": ["creator"]})},
                       birth=run_instances(*ids))  # fmt: skip

    assert answer["counts"] == {"set": {"done": 210}}

