"""The strict cloud lets volumes change seats, and go with their instance, as AWS does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.aws.test_strict_attachments import attach, detach, seat
from tests.cloud import REGION, Account, SeededInstance, StrictCloud
from tests.cloud.asking import ONCE, code_of, instance_shown, volume_shown

ROOT, DATA, FREE = "/dev/sda1", "/dev/xvdb", "/dev/sdf"


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def machine(account: Account) -> SeededInstance:
    """Runs, with a root and a data volume."""
    return account.machine_with_volumes({"size": 8}, {"size": 100})


class TestSwaps:
    def test_an_instance_does_not_start_without_its_root(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance(state="stopped")
        (root,) = machine.volume_ids
        detach(ec2, root)

        def start() -> Any:
            return ec2.start_instances(InstanceIds=[machine.id])

        assert code_of(start) == "InvalidParameterValue"
        cloud.clock.advance(3)
        assert code_of(start) == "InvalidParameterValue"
        attach(ec2, account.volume(), machine, ROOT)
        start()
        assert account.power_log(machine.id) == ["start"]

    def test_a_volume_loses_what_becomes_of_it_with_its_instance_when_it_is_detached(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance(state="stopped")
        (root,) = machine.volume_ids
        assert account.attachment(root)["deletes_on_termination"] is True
        detach(ec2, root)
        cloud.clock.advance(3)
        attach(ec2, root, machine, ROOT)
        assert account.attachment(root)["deletes_on_termination"] is False


class TestTermination:
    def test_what_becomes_of_volumes_can_be_changed_and_is_shown_in_both_listings(
        self, ec2: Any, machine: SeededInstance
    ) -> None:
        changed = {ROOT: False, DATA: True}
        ec2.modify_instance_attribute(
            InstanceId=machine.id,
            BlockDeviceMappings=[
                {"DeviceName": device, "Ebs": {"DeleteOnTermination": goes}}
                for device, goes in changed.items()
            ],
        )
        by_instance = {
            each["DeviceName"]: each["Ebs"]["DeleteOnTermination"]
            for each in instance_shown(ec2, machine.id)["BlockDeviceMappings"]
        }
        by_volume = {
            each["Attachments"][0]["Device"]: each["Attachments"][0]["DeleteOnTermination"]
            for each in (volume_shown(ec2, volume) for volume in machine.volume_ids)
        }
        assert by_instance == by_volume == changed

    def test_an_unmapped_device_changes_none(self, ec2: Any, machine: SeededInstance) -> None:
        asked = [
            {"DeviceName": device, "Ebs": {"DeleteOnTermination": True}} for device in (DATA, FREE)
        ]
        code = code_of(
            lambda: ec2.modify_instance_attribute(InstanceId=machine.id, BlockDeviceMappings=asked)
        )
        assert code == "InvalidInstanceAttributeValue"
        (shown,) = volume_shown(ec2, machine.volume_ids[1])["Attachments"]
        assert shown["DeleteOnTermination"] is False

    def test_volumes_go_with_their_instance_or_are_left(
        self, cloud: StrictCloud, ec2: Any, machine: SeededInstance
    ) -> None:
        root, data = machine.volume_ids
        ec2.terminate_instances(InstanceIds=[machine.id])
        cloud.clock.advance(60)
        assert code_of(lambda: volume_shown(ec2, root)) == "InvalidVolume.NotFound"
        assert seat(ec2, data) == ("available", "")

    def test_so_does_one_that_was_on_its_way(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        volume = account.volume()
        attach(ec2, volume, machine)
        account.terminate(machine.id)
        cloud.clock.advance(60)
        assert seat(ec2, volume) == ("available", "")
