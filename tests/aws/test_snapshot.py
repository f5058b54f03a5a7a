"""Which snapshots are taken together, which singly, and what is never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.snapshot import app
from tests.support.snapshots import (
    BACKUP,
    DAILY,
    by_target,
    good_in_slot,
    in_slot,
    ours,
    results,
    the_account,
)

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

OTHER_INSTALLATION = {**ours(), "caretaker:managed-by": "another-stack"}


def calls_with(cloud: StrictCloud, operation: str) -> list[Any]:
    return [call.params for call in cloud.calls.of(operation)]


def test_takes_all_volumes_of_an_instance_at_one_moment(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, {}, tags=BACKUP)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == dict.fromkeys(web.volume_ids, "done")
    assert cloud.calls.count("CreateSnapshots") == 1
    assert cloud.calls.count("CreateSnapshot") == 0
    assert all(len(good_in_slot(account, volume_id)) == 1 for volume_id in web.volume_ids)


def test_takes_one_set_for_each_instance(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    for _ in range(3):
        account.instance({}, {}, tags=BACKUP)

    stack.run(app.CHORE, DAILY)

    asked = calls_with(cloud, "CreateSnapshots")
    assert len({each["InstanceSpecification"]["InstanceId"] for each in asked}) == len(asked) == 3


def test_leaves_data_volumes_out_of_the_set_that_nobody_selected(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance(BACKUP, BACKUP, {}, {"caretaker:backup": "weekly"})

    stack.run(app.CHORE, DAILY)

    taken = [bool(good_in_slot(account, volume_id)) for volume_id in web.volume_ids]
    assert taken == [True, True, False, False]
    assert cloud.calls.count("CreateSnapshots") == 1


def test_leaves_the_root_out_as_the_boot_volume(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, BACKUP, BACKUP)

    stack.run(app.CHORE, DAILY)

    (asked,) = calls_with(cloud, "CreateSnapshots")
    assert str(asked["InstanceSpecification"]["ExcludeBootVolume"]).lower() == "true"
    assert "ExcludeDataVolumeIds" not in asked["InstanceSpecification"]
    assert [len(in_slot(account, each)) for each in web.volume_ids] == [0, 1, 1]


def test_takes_an_ignored_volume_of_a_selected_instance_never(
    stack: Stack, account: Account
) -> None:
    web = account.instance({}, {"caretaker:ignore": "true"}, {}, tags=BACKUP)

    answer = stack.run(app.CHORE, DAILY)

    assert [len(in_slot(account, each)) for each in web.volume_ids] == [1, 0, 1]
    assert by_target(answer)[web.volume_ids[1]]["reason"] == "ignored"


def test_takes_unattached_volumes_and_lone_members_singly(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    lone = account.volume(tags=BACKUP)
    data = account.instance({}, BACKUP).volume_ids[1]

    answer = stack.run(app.CHORE, DAILY)

    asked = {each["VolumeId"] for each in calls_with(cloud, "CreateSnapshot")}
    assert asked == {lone, data}
    assert cloud.calls.count("CreateSnapshots") == 0
    assert {results(answer)[each] for each in asked} == {"done"}


def test_takes_a_multi_attach_volume_once(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    shared = account.volume(tags=BACKUP, multi_attach=True)
    instances = [account.instance({}, {}, tags=BACKUP) for _ in range(3)]
    for instance in instances:
        account.attach(shared, instance.id, "/dev/xvdz")

    answer = stack.run(app.CHORE, DAILY)

    assert answer["counts"] == {"create": {"done": 7}}
    assert len(in_slot(account, shared)) == 1
    assert cloud.calls.count("CreateSnapshots") == 3


def test_takes_volume_by_volume_on_request(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "consistency": "volume"})

    assert cloud.calls.count("CreateSnapshots") == 0
    assert {each["VolumeId"] for each in calls_with(cloud, "CreateSnapshot")} == {*web.volume_ids}
    assert by_target(answer)[web.volume_ids[0]]["detail"]["consistency"] == "volume_by_request"


def test_excludes_forty_volumes_and_goes_volume_by_volume_beyond(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    many = account.instance({}, BACKUP, BACKUP, *[{}] * 41)
    just = account.instance({}, BACKUP, BACKUP, *[{}] * 40)
    cloud.pages.size = None

    answer = stack.run(app.CHORE, DAILY)

    (asked,) = calls_with(cloud, "CreateSnapshots")
    assert asked["InstanceSpecification"]["InstanceId"] == just.id
    for volume_id in many.volume_ids[1:3]:
        assert by_target(answer)[volume_id]["result"] == "done"
        assert by_target(answer)[volume_id]["detail"]["consistency"] == "volume_by_exclusions"
        told = {item["target"]: item for item in stack.report(answer)[1:]}
        assert told[volume_id]["detail"]["consistency"] == "volume_by_exclusions"


def test_takes_the_volumes_of_a_stopped_instance_together(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, tags=BACKUP, state="stopped")

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == dict.fromkeys(web.volume_ids, "done")
    assert cloud.calls.count("CreateSnapshots") == 1


def test_a_second_identical_run_changes_nothing(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    account.instance({}, {}, tags=BACKUP)
    account.volume(tags=BACKUP)
    stack.run(app.CHORE, DAILY)
    before = the_account(account)
    cloud.calls.clear()

    answer = stack.run(app.CHORE, DAILY)

    assert the_account(account) == before
    assert answer["counts"] == {"keep": {"unchanged": 3}}
    changing = {"CreateSnapshot", "CreateSnapshots", "DeleteSnapshot", "CreateTags"}
    assert not changing & set(cloud.calls.operations())


def test_the_next_slot_takes_the_next_snapshot(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    stack.run(app.CHORE, DAILY)
    clock.advance(86_400)

    stack.run(app.CHORE, {**DAILY, "scheduled_time": "2026-11-22T03:00:00Z"})

    assert len(good_in_slot(account, volume)) == 1
    assert len(good_in_slot(account, volume, "2026-11-22T03:00Z")) == 1


def test_snapshots_of_others_never_count_and_are_never_touched(
    stack: Stack, account: Account
) -> None:
    volume = account.volume(tags=BACKUP)
    foreign = [
        account.snapshot(volume, tags=OTHER_INSTALLATION),
        account.snapshot(volume, tags=OTHER_INSTALLATION, state="error"),
        account.snapshot(volume, tags=ours(), owner="210987654321", public=True),
        account.snapshot(volume, tags={"Name": "by hand"}, state="error"),
        account.snapshot(volume, tags={**ours(), "caretaker:policy": "weekly"}, state="error"),
    ]
    before = {i: s for i, s in the_account(account).items() if i in foreign}

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {volume: "done"}
    assert {i: s for i, s in the_account(account).items() if i in foreign} == before


def test_report_mode_plans_the_same_and_changes_nothing(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.instance({}, {}, tags=BACKUP)
    account.snapshot(account.volume(tags=BACKUP), tags=ours(), state="error")
    before = the_account(account)

    planned = stack.run(app.CHORE, {**DAILY, "mode": "report"})

    assert the_account(account) == before
    assert planned["counts"] == {"create": {"planned": 3}}
    assert planned["progress"] == 0
    assert stack.run(app.CHORE, DAILY)["plan_id"] == planned["plan_id"]


def test_a_listing_that_shows_an_item_twice_takes_it_once(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    cloud.pages.repeat_last = True
    cloud.pages.empty = frozenset({2})
    volumes = [account.volume(tags=BACKUP) for _ in range(5)]

    answer = stack.run(app.CHORE, DAILY)

    assert answer["counts"] == {"create": {"done": 5}}
    assert [len(in_slot(account, each)) for each in volumes] == [1] * 5


def test_the_report_lists_every_item_and_the_answer_points_to_it(
    stack: Stack, account: Account
) -> None:
    volumes = {account.volume(tags=BACKUP), account.volume()}

    answer = stack.run(app.CHORE, DAILY)

    head, *items = stack.report(answer)
    assert answer["report"] == (
        f"s3://caretaker-reports/snapshot/daily/2026-11-21T0300Z/{answer['run']}.jsonl.gz"
    )
    assert head["counts"] == answer["counts"]
    assert {item["target"] for item in items} == volumes
