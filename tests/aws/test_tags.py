"""The tags of snapshots: ours, those copied, and what happens where not all of them fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.snapshot import app
from tests.support.snapshots import BACKUP, DAILY, SLOT_TAG, by_target, in_slot

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack


def tags_of_only(account: Account, volume_id: str) -> dict[str, str]:
    (taken,) = in_slot(account, volume_id)
    return account.tags_of(taken.id)


def our_part(tags: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in tags.items() if k.startswith("caretaker:")}


def users_part(tags: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in tags.items() if not k.startswith("caretaker:")}


def many(count: int, prefix: str = "tag") -> dict[str, str]:
    return {f"{prefix}-{number:02}": str(number) for number in range(count)}


def test_tags_a_single_snapshot_with_ours_and_the_volumes_own(
    stack: Stack, account: Account
) -> None:
    lone = account.volume(tags={**BACKUP, "Name": "data", "team": "web"})

    answer = stack.run(app.CHORE, DAILY)

    assert tags_of_only(account, lone) == {
        "caretaker:managed-by": "caretaker",
        "caretaker:policy": "daily",
        "caretaker:slot": SLOT_TAG,
        "caretaker:run": answer["run"],
        "caretaker:attempt": "1",
        "Name": "data",
        "team": "web",
    }


def test_tags_a_set_member_with_its_instance_and_all_of_its_own_tags(
    stack: Stack, account: Account
) -> None:
    web = account.instance({"Name": "root"}, {"Name": "data", **BACKUP}, tags=BACKUP)

    answer = stack.run(app.CHORE, DAILY)

    root, data = (tags_of_only(account, each) for each in web.volume_ids)
    assert root["caretaker:instance"] == data["caretaker:instance"] == web.id
    assert (root["Name"], data["Name"]) == ("root", "data")
    assert "tags" not in by_target(answer)[web.volume_ids[0]]["detail"]


def test_tags_are_part_of_the_create_call(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.instance({}, {}, tags=BACKUP)
    account.volume(tags=BACKUP)

    stack.run(app.CHORE, DAILY)

    assert cloud.calls.count("CreateTags") == 0
    for call in cloud.calls.of("CreateSnapshot", "CreateSnapshots"):
        (specification,) = call.params["TagSpecifications"]
        keys = {tag["Key"] for tag in specification["Tags"]}
        assert {"caretaker:managed-by", "caretaker:policy", "caretaker:slot"} <= keys


@pytest.mark.parametrize(
    "spoiler",
    [{"aws:cloudformation:stack-name": "web"}, {"caretaker:remediate": "reboot"}, many(45)],
    ids=["aws-tag", "caretaker-tag", "too-many"],
)
def test_a_set_keeps_the_common_tags_alone_where_not_all_may_be_copied(
    stack: Stack, account: Account, spoiler: dict[str, str]
) -> None:
    shared = {"team": "web", "env": "prod"}
    web = account.instance(
        {**shared, **spoiler}, {**shared, "Name": "data"}, {**shared, "env": "test"}, tags=BACKUP
    )

    answer = stack.run(app.CHORE, DAILY)

    for volume_id in web.volume_ids:
        assert by_target(answer)[volume_id]["result"] == "done"
        assert by_target(answer)[volume_id]["detail"]["tags"] == "tags_reduced"
        assert users_part(tags_of_only(account, volume_id)) == {"team": "web"}


def test_a_set_copies_only_the_keys_that_were_asked_for(stack: Stack, account: Account) -> None:
    web = account.instance({"Name": "a", "cost": "1"}, {"Name": "a", "cost": "2"}, tags=BACKUP)

    stack.run(app.CHORE, {**DAILY, "copy_tags": ["Name"]})

    for volume_id in web.volume_ids:
        assert users_part(tags_of_only(account, volume_id)) == {"Name": "a"}


def test_a_single_snapshot_copies_by_pattern_and_never_reserved_keys(
    stack: Stack, account: Account
) -> None:
    tags = {**BACKUP, "aws:backup:source": "x", "Name": "data", "cost-a": "1", "other": "2"}
    lone = account.volume(tags=tags)

    stack.run(app.CHORE, {**DAILY, "copy_tags": ["Name", "cost-*"]})

    assert users_part(tags_of_only(account, lone)) == {"Name": "data", "cost-a": "1"}
    assert "caretaker:backup" not in tags_of_only(account, lone)


@pytest.mark.parametrize("attached", [False, True])
def test_of_fifty_tags_ours_come_first_and_the_mark_of_retention_has_its_place(
    stack: Stack, account: Account, *, attached: bool
) -> None:
    tags = {**BACKUP, **many(49)}
    volume = account.instance({}, tags).volume_ids[1] if attached else account.volume(tags=tags)

    answer = stack.run(app.CHORE, DAILY)

    kept = tags_of_only(account, volume)
    assert len(kept) <= 49
    assert len(our_part(kept)) == 5 + attached
    assert len(users_part(kept)) >= 43
    assert by_target(answer)[volume]["detail"]["tags"] == "tags_reduced"


def test_a_set_whose_tags_just_fit_is_copied_whole(stack: Stack, account: Account) -> None:
    web = account.instance(many(43), many(43, "other"), tags=BACKUP)

    stack.run(app.CHORE, DAILY)

    assert [len(tags_of_only(account, each)) for each in web.volume_ids] == [49, 49]
