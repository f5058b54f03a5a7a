"""The strict cloud replaces root volumes of running instances as EC2 does: in steps, or not."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, SeededInstance, StrictCloud
from tests.cloud.asking import (
    ONCE,
    code_of,
    instance_shown,
    tags_of,
    volume_shown,
    volume_states,
)

NUMBER = "0123456789abcdef0"
ROOT = "/dev/sda1"
STEP = 20


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def machine(account: Account) -> SeededInstance:
    """Runs, with an io2 root of 30 GiB and a data volume."""
    root = {"size": 30, "volume_type": "io2", "iops": 700, "blocks": {0: b"then"}}
    return account.machine_with_volumes(root, {"size": 100})


@pytest.fixture
def snapshot(account: Account, machine: SeededInstance) -> str:
    """Of the root, of five hours ago; it has been written on since."""
    made = account.snapshot(machine.volume_ids[0], age_hours=5)
    account.write_blocks(machine.volume_ids[0], {0: b"now"})
    return made


def replace(ec2: Any, machine: SeededInstance, snapshot: str = "", **more: Any) -> dict[str, Any]:
    asked = {"InstanceId": machine.id} | ({"SnapshotId": snapshot} if snapshot else {}) | more
    return dict(ec2.create_replace_root_volume_task(**asked)["ReplaceRootVolumeTask"])


def task(ec2: Any) -> dict[str, Any]:
    (found,) = ec2.describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"]
    return dict(found)


def root_of(ec2: Any, machine: SeededInstance) -> tuple[str, str]:
    """Return the volume at an instance's root device, and its status there."""
    for each in instance_shown(ec2, machine.id)["BlockDeviceMappings"]:
        if each["DeviceName"] == ROOT:
            return each["Ebs"]["VolumeId"], each["Ebs"]["Status"]
    return "", ""


def run(cloud: StrictCloud, ec2: Any) -> list[str]:
    """Let a task run to its end and return the states that it passes through."""
    seen = []
    for _ in range(5):
        seen.append(str(task(ec2)["TaskState"]))
        cloud.clock.advance(STEP)
    return list(dict.fromkeys(seen))


class TestSuccess:
    def test_a_new_volume_takes_the_seat_and_the_original_is_left_available(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        machine: SeededInstance,
        snapshot: str,
    ) -> None:
        original, data = machine.volume_ids
        begun = replace(ec2, machine, snapshot)
        assert (begun["TaskState"], begun["SnapshotId"]) == ("pending", snapshot)
        assert begun["DeleteReplacedRootVolume"] is False
        assert run(cloud, ec2) == ["pending", "in-progress", "succeeded"]
        new, status = root_of(ec2, machine)
        assert (new != original, status) == (True, "attached")
        assert volume_states(ec2) == {original: "available", data: "in-use", new: "in-use"}
        assert account.read_blocks(new)[0].startswith(b"then")
        assert account.read_blocks(original)[0].startswith(b"now")
        assert account.power_log(machine.id) == ["reboot"]
        assert instance_shown(ec2, machine.id)["State"]["Name"] == "running"

    def test_it_is_like_the_original_but_for_its_tags(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        machine: SeededInstance,
        snapshot: str,
    ) -> None:
        original = machine.volume_ids[0]
        account.tag(original, {"Name": "root"})
        told = [{"ResourceType": "replace-root-volume-task", "Tags": [{"Key": "a", "Value": "b"}]}]
        before = volume_shown(ec2, original)
        replace(ec2, machine, snapshot, TagSpecifications=told)
        assert tags_of(task(ec2)) == {"a": "b"}
        run(cloud, ec2)
        new = volume_shown(ec2, root_of(ec2, machine)[0])
        alike = ("Size", "VolumeType", "Iops", "AvailabilityZone", "Encrypted")
        assert {key: new[key] for key in alike} == {key: before[key] for key in alike}
        assert new["Attachments"][0]["DeleteOnTermination"] is True
        assert new["SnapshotId"] == snapshot
        assert "Tags" not in new

    def test_while_it_is_under_way_the_new_volume_is_creating_and_the_original_leaves(
        self, cloud: StrictCloud, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        original = machine.volume_ids[0]
        replace(ec2, machine, snapshot)
        assert sorted(volume_states(ec2).values()) == ["creating", "in-use", "in-use"]
        cloud.clock.advance(STEP)
        assert root_of(ec2, machine) == (original, "detaching")
        assert volume_shown(ec2, original)["Attachments"][0]["State"] == "detaching"

    def test_the_original_may_be_deleted(
        self, cloud: StrictCloud, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        replace(ec2, machine, snapshot, DeleteReplacedRootVolume=True)
        run(cloud, ec2)
        assert machine.volume_ids[0] not in volume_states(ec2)

    def test_snapshots_of_any_former_root_can_still_be_used(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        machine: SeededInstance,
        snapshot: str,
    ) -> None:
        replace(ec2, machine, snapshot)
        cloud.clock.advance(2 * STEP)
        between = account.snapshot(root_of(ec2, machine)[0])
        for each in (snapshot, between):
            replace(ec2, machine, each)
            cloud.clock.advance(2 * STEP)
        cloud.pages.size = None
        tasks = ec2.describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"]
        assert [each["TaskState"] for each in tasks] == ["succeeded"] * 3


class TestFailure:
    def test_a_task_may_fail_and_the_original_sits_as_before(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        machine: SeededInstance,
        snapshot: str,
    ) -> None:
        before = volume_states(ec2)
        account.fail_root_tasks(machine.id)
        replace(ec2, machine, snapshot)
        assert run(cloud, ec2) == ["pending", "failing", "failed"]
        assert root_of(ec2, machine) == (machine.volume_ids[0], "attached")
        assert volume_states(ec2) == before
        assert account.power_log(machine.id) == ["reboot"]
        replace(ec2, machine, snapshot)

    def test_or_leave_the_instance_without_a_root(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        machine: SeededInstance,
        snapshot: str,
    ) -> None:
        account.fail_root_tasks(machine.id, "failed-detached")
        replace(ec2, machine, snapshot)
        states = ["pending", "in-progress", "failing-detached", "failed-detached"]
        assert run(cloud, ec2) == states
        assert root_of(ec2, machine) == ("", "")
        original, data = machine.volume_ids
        assert volume_states(ec2) == {original: "available", data: "in-use"}
        with pytest.raises(ValueError, match="no such ends"):
            account.fail_root_tasks(machine.id, "exploded")

    def test_a_key_that_can_not_be_used_lets_it_fail(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        key = account.key()
        machine = account.instance(kms_key=key)
        snapshot = account.snapshot(machine.volume_ids[0])
        account.set_key_state(key, "Disabled")
        replace(ec2, machine, snapshot)
        assert run(cloud, ec2)[-1] == "failed"

    @pytest.mark.parametrize("way", ["stop", "terminate"])
    def test_an_instance_that_stops_meanwhile_lets_it_fail(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str, way: str
    ) -> None:
        (machine,) = account.backend.all_instances()
        seeded = SeededInstance(machine.id, "", ())
        replace(ec2, seeded, snapshot)
        if way == "stop":
            ec2.stop_instances(InstanceIds=[machine.id])
        else:
            account.terminate(machine.id)
        cloud.clock.advance(2 * STEP)
        assert task(ec2)["TaskState"] == "failed"
        assert "creating" not in volume_states(ec2).values()


class TestRefusals:
    def test_only_of_what_runs(
        self, account: Account, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        ec2.stop_instances(InstanceIds=[machine.id])
        assert code_of(lambda: replace(ec2, machine, snapshot)) == "IncorrectInstanceState"
        stored = account.instance(instance_store=True)
        assert code_of(lambda: replace(ec2, stored, snapshot)) == "UnsupportedOperation"
        missing = SeededInstance(f"i-{NUMBER}", "", ())
        assert code_of(lambda: replace(ec2, missing, snapshot)) == "InvalidInstanceID.NotFound"

    def test_only_from_snapshots_of_its_own_root(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        of_data = account.snapshot(machine.volume_ids[1])
        of_other = account.snapshot(account.instance().volume_ids[0])
        copy = ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion=REGION)["SnapshotId"]
        cloud.clock.advance(60)
        for each in (of_data, of_other, copy):
            with pytest.raises(ec2.exceptions.ClientError, match="Invalid snapshot for root"):
                replace(ec2, machine, each)

    def test_only_from_those_that_can_be_read(
        self, account: Account, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        pending = account.snapshot(machine.volume_ids[0], state="pending")
        assert code_of(lambda: replace(ec2, machine, pending)) == "IncorrectState"
        account.archive(snapshot)
        assert code_of(lambda: replace(ec2, machine, snapshot)) == "IncorrectState"
        missing = f"snap-{NUMBER}"
        assert code_of(lambda: replace(ec2, machine, missing)) == "InvalidSnapshot.NotFound"
        fine = account.snapshot(machine.volume_ids[0])
        assert code_of(lambda: replace(ec2, machine, fine, DryRun=True)) == "DryRunOperation"

    def test_one_at_a_time_and_once_for_a_token(
        self, ec2: Any, machine: SeededInstance, snapshot: str
    ) -> None:
        first = replace(ec2, machine, snapshot, ClientToken="t-1")
        assert replace(ec2, machine, snapshot, ClientToken="t-1") == first
        assert code_of(lambda: replace(ec2, machine, snapshot)) == "IncorrectState"
        other = {"ClientToken": "t-1", "DeleteReplacedRootVolume": True}
        code = code_of(lambda: replace(ec2, machine, snapshot, **other))
        assert code == "IdempotentParameterMismatch"


class TestListings:
    def test_tasks_are_found_by_id_and_instance_and_come_in_pages(
        self, account: Account, ec2: Any
    ) -> None:
        machines = [account.instance() for _ in range(3)]
        ids = {
            each.id: replace(ec2, each, account.snapshot(each.volume_ids[0])) for each in machines
        }
        known = {key: each["ReplaceRootVolumeTaskId"] for key, each in ids.items()}
        describe = ec2.describe_replace_root_volume_tasks
        (by_id,) = describe(ReplaceRootVolumeTaskIds=[known[machines[0].id]])[
            "ReplaceRootVolumeTasks"
        ]
        assert by_id["InstanceId"] == machines[0].id
        own = [{"Name": "instance-id", "Values": [machines[1].id]}]
        (by_instance,) = describe(Filters=own)["ReplaceRootVolumeTasks"]
        assert by_instance["ReplaceRootVolumeTaskId"] == known[machines[1].id]
        pages = ec2.get_paginator("describe_replace_root_volume_tasks").paginate()
        assert [len(each["ReplaceRootVolumeTasks"]) for each in pages] == [2, 1]
        code = code_of(lambda: describe(ReplaceRootVolumeTaskIds=[f"replacevol-{NUMBER}"]))
        assert code == "InvalidReplaceRootVolumeTaskId.NotFound"
