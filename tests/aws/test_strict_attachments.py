"""The strict cloud attaches and detaches volumes as AWS does: after a while, where they fit."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, SeededInstance, StrictCloud
from tests.cloud.asking import ONCE, code_of, instance_shown, make_volume, volume_shown

NUMBER = "0123456789abcdef0"
DATA, FREE = "/dev/xvdb", "/dev/sdf"


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def machine(account: Account) -> SeededInstance:
    """Runs, with a root and a data volume."""
    return account.machine_with_volumes({"size": 8}, {"size": 100})


def attach(ec2: Any, volume: str, machine: SeededInstance, device: str = FREE) -> Any:
    return ec2.attach_volume(VolumeId=volume, InstanceId=machine.id, Device=device)


def detach(ec2: Any, volume: str, **more: Any) -> Any:
    return ec2.detach_volume(VolumeId=volume, **more)


def seats(ec2: Any, machine: SeededInstance) -> dict[str, tuple[str, str]]:
    """Return what an instance shows at its devices: volume and status."""
    return {
        each["DeviceName"]: (each["Ebs"]["VolumeId"], each["Ebs"]["Status"])
        for each in instance_shown(ec2, machine.id)["BlockDeviceMappings"]
    }


def seat(ec2: Any, volume: str) -> tuple[str, str]:
    """Return the states of a volume and of its attachment."""
    found = volume_shown(ec2, volume)
    return found["State"], "".join(each["State"] for each in found["Attachments"])


class TestAttaching:
    @pytest.mark.parametrize("state", ["running", "stopped"])
    def test_a_volume_is_attaching_and_then_attached(
        self, cloud: StrictCloud, account: Account, ec2: Any, state: str
    ) -> None:
        machine, volume = account.instance(state=state), account.volume()
        answer = attach(ec2, volume, machine)
        assert (answer["State"], answer["AttachTime"]) == ("attaching", cloud.clock.now())
        assert seat(ec2, volume) == ("in-use", "attaching")
        assert seats(ec2, machine)[FREE] == (volume, "attaching")
        cloud.clock.advance(3)
        assert seat(ec2, volume) == ("in-use", "attached")
        assert seats(ec2, machine)[FREE] == (volume, "attached")

    def test_a_device_that_is_taken_is_refused_until_its_volume_is_gone(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        volume, (_, data) = account.volume(), machine.volume_ids
        with pytest.raises(ec2.exceptions.ClientError, match="/dev/xvdb is already in use") as got:
            attach(ec2, volume, machine, DATA)
        assert got.value.response["Error"]["Code"] == "InvalidParameterValue"
        detach(ec2, data)
        assert code_of(lambda: attach(ec2, volume, machine, DATA)) == "InvalidParameterValue"
        cloud.clock.advance(3)
        attach(ec2, volume, machine, DATA)

    def test_a_volume_of_another_zone_is_refused(
        self, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        far = account.volume(zone="b")
        assert code_of(lambda: attach(ec2, far, machine)) == "InvalidVolume.ZoneMismatch"

    def test_so_is_one_that_is_attached(
        self, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        (elsewhere,) = account.instance().volume_ids
        _, here = machine.volume_ids
        for each in (elsewhere, here):
            with pytest.raises(ec2.exceptions.ClientError, match="VolumeInUse"):
                attach(ec2, each, machine)
        detach(ec2, here)
        assert code_of(lambda: attach(ec2, here, machine)) == "VolumeInUse"

    def test_so_is_one_that_is_not_available(
        self, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        fresh, broken = make_volume(ec2, Size=8), account.volume(state="error")
        assert code_of(lambda: attach(ec2, fresh, machine)) == "IncorrectState"
        assert code_of(lambda: attach(ec2, broken, machine)) == "IncorrectState"

    @pytest.mark.parametrize("state", ["stopping", "pending", "terminated"])
    def test_an_instance_that_neither_runs_nor_is_stopped_takes_none(
        self, cloud: StrictCloud, account: Account, ec2: Any, state: str
    ) -> None:
        cloud.extras.switching_seconds = 30
        machine = account.instance(state="stopped" if state == "pending" else "running")
        if state == "stopping":
            ec2.stop_instances(InstanceIds=[machine.id])
        elif state == "pending":
            ec2.start_instances(InstanceIds=[machine.id])
        else:
            account.terminate(machine.id)
        volume = account.volume()
        assert code_of(lambda: attach(ec2, volume, machine)) == "IncorrectState"
        assert seat(ec2, volume) == ("available", "")

    def test_what_is_missing_is_told(
        self, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        volume = account.volume()
        missing = SeededInstance(f"i-{NUMBER}", "", ())
        codes = [
            code_of(lambda: attach(ec2, f"vol-{NUMBER}", machine)),
            code_of(lambda: attach(ec2, volume, missing)),
            code_of(lambda: attach(ec2, volume, machine, "")),
        ]
        assert codes == ["InvalidVolume.NotFound", "InvalidInstanceID.NotFound", "MissingParameter"]

    def test_what_a_service_manages_is_left_to_it(
        self, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        managed, volume = account.instance({}, {}, operator="eks.amazonaws.com"), account.volume()
        assert code_of(lambda: attach(ec2, volume, managed)) == "OperationNotPermitted"
        theirs = managed.volume_ids[1]
        assert code_of(lambda: detach(ec2, theirs)) == "OperationNotPermitted"
        account.manage(volume)
        assert code_of(lambda: attach(ec2, volume, machine)) == "OperationNotPermitted"
        assert code_of(lambda: ec2.delete_volume(VolumeId=volume)) == "OperationNotPermitted"

    def test_an_instance_takes_so_many_and_no_more(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        cloud.limits.volumes_per_instance = 3
        attach(ec2, account.volume(), machine)
        full = account.volume()
        assert code_of(lambda: attach(ec2, full, machine, "/dev/sdg")) == "AttachmentLimitExceeded"

    def test_some_are_attaching_for_ever_until_they_are_detached(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        volume = account.volume()
        account.hang_volumes(volume)
        attach(ec2, volume, machine)
        cloud.clock.advance(3600)
        assert seat(ec2, volume) == ("in-use", "attaching")
        detach(ec2, volume)
        cloud.clock.advance(3)
        assert seat(ec2, volume) == ("available", "")
        attach(ec2, volume, machine)
        cloud.clock.advance(3)
        assert seat(ec2, volume) == ("in-use", "attached")

    @pytest.mark.parametrize(("state", "end"), [("running", ""), ("stopped", "attached")])
    def test_what_runs_does_not_take_one_whose_key_can_not_be_used(
        self, cloud: StrictCloud, account: Account, ec2: Any, state: str, end: str
    ) -> None:
        key = account.key()
        machine, volume = account.instance(state=state), account.volume(kms_key=key)
        account.set_key_state(key, "Disabled")
        attach(ec2, volume, machine)
        cloud.clock.advance(3)
        assert seat(ec2, volume)[1] == end


class TestDetaching:
    def test_a_volume_is_detaching_and_then_available(
        self, cloud: StrictCloud, ec2: Any, machine: SeededInstance
    ) -> None:
        _, data = machine.volume_ids
        answer = detach(ec2, data, InstanceId=machine.id, Device=DATA)
        assert (answer["State"], answer["Device"]) == ("detaching", DATA)
        assert seat(ec2, data) == ("in-use", "detaching")
        assert seats(ec2, machine)[DATA] == (data, "detaching")
        assert code_of(lambda: detach(ec2, data)) == "IncorrectState"
        cloud.clock.advance(3)
        assert seat(ec2, data) == ("available", "")
        assert DATA not in seats(ec2, machine)
        assert code_of(lambda: detach(ec2, data)) == "IncorrectState"

    def test_the_root_of_what_runs_stays(
        self, cloud: StrictCloud, ec2: Any, machine: SeededInstance
    ) -> None:
        root, _ = machine.volume_ids
        assert code_of(lambda: detach(ec2, root)) == "OperationNotPermitted"
        ec2.stop_instances(InstanceIds=[machine.id])
        cloud.clock.advance(1)
        detach(ec2, root)
        cloud.clock.advance(3)
        assert seat(ec2, root) == ("available", "")

    @pytest.mark.parametrize(
        "where", [{"InstanceId": f"i-{NUMBER}"}, {"Device": "/dev/sdz"}], ids=["instance", "device"]
    )
    def test_it_is_detached_only_from_where_it_is(
        self, ec2: Any, machine: SeededInstance, where: dict[str, str]
    ) -> None:
        _, data = machine.volume_ids
        assert code_of(lambda: detach(ec2, data, **where)) == "InvalidAttachment.NotFound"
        assert seat(ec2, data) == ("in-use", "attached")

    def test_some_are_detaching_until_they_are_forced(
        self, cloud: StrictCloud, account: Account, ec2: Any, machine: SeededInstance
    ) -> None:
        _, data = machine.volume_ids
        account.hang_volumes("*", "detaching", times=None)
        detach(ec2, data)
        cloud.clock.advance(3600)
        assert seat(ec2, data) == ("in-use", "detaching")
        assert code_of(lambda: ec2.delete_volume(VolumeId=data)) == "VolumeInUse"
        detach(ec2, data, Force=True)
        cloud.clock.advance(3)
        assert seat(ec2, data) == ("available", "")

    def test_a_dry_run_changes_nothing(self, ec2: Any, machine: SeededInstance) -> None:
        _, data = machine.volume_ids
        assert code_of(lambda: detach(ec2, data, DryRun=True)) == "DryRunOperation"
        assert seat(ec2, data) == ("in-use", "attached")
