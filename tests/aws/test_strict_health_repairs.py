"""The strict cloud repairs instances, or does not, as AWS does: reboots, stops and starts."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import ACCOUNT, REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of

NUMBER = "0123456789abcdef0"


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


def shown(ec2: Any, instance_id: str) -> dict[str, Any]:
    (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return dict(reservation["Instances"][0])


def checked(ec2: Any, instance_id: str) -> dict[str, Any]:
    """Return the instance check of one that runs."""
    (found,) = ec2.describe_instance_status(InstanceIds=[instance_id])["InstanceStatuses"]
    return dict(found["InstanceStatus"])


def restart(ec2: Any, instance_id: str) -> None:
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.start_instances(InstanceIds=[instance_id])


class TestReboots:
    def test_a_reboot_is_remembered_and_changes_neither_state_nor_launch(
        self, account: Account, ec2: Any
    ) -> None:
        machine, other = account.instance(), account.instance()
        before = shown(ec2, machine.id)
        ec2.reboot_instances(InstanceIds=[machine.id])
        assert shown(ec2, machine.id) == before
        assert account.power_log(machine.id) == ["reboot"]
        assert account.power_log(other.id) == []

    @pytest.mark.parametrize(
        ("launch", "code"),
        [
            ({"state": "stopped"}, "IncorrectInstanceState"),
            ({"operator": "eks.amazonaws.com"}, "OperationNotPermitted"),
        ],
    )
    def test_one_that_cannot_be_rebooted_keeps_all_from_it(
        self, account: Account, ec2: Any, launch: Any, code: str
    ) -> None:
        fine, other = account.instance(), account.instance(**launch)
        asked = {"InstanceIds": [fine.id, other.id]}
        assert code_of(lambda: ec2.reboot_instances(**asked)) == code
        asked = {"InstanceIds": [fine.id, f"i-{NUMBER}"]}
        assert code_of(lambda: ec2.reboot_instances(**asked)) == "InvalidInstanceID.NotFound"
        assert account.power_log() == []

    def test_terminated_ones_are_ignored(self, account: Account, ec2: Any) -> None:
        fine, gone = account.instance(), account.instance()
        account.terminate(gone.id)
        ec2.reboot_instances(InstanceIds=[fine.id, gone.id])
        assert account.power_log(fine.id) == ["reboot"]
        assert account.power_log(gone.id) == ["terminate"]


class TestRepairs:
    def test_the_second_reboot_helps_after_its_time(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance()
        account.impair(machine.id, after=2, seconds=90)
        for _ in range(2):
            assert checked(ec2, machine.id)["Status"] == "impaired"
            ec2.reboot_instances(InstanceIds=[machine.id])
        cloud.clock.advance(89)
        assert checked(ec2, machine.id)["Status"] == "impaired"
        cloud.clock.advance(1)
        assert checked(ec2, machine.id)["Status"] == "ok"

    @pytest.mark.parametrize(
        ("repaired_by", "reboot", "start"),
        [
            ("reboot", "ok", "ok"),
            ("stop-start", "impaired", "ok"),
            ("nothing", "impaired", "impaired"),
        ],
    )
    def test_each_repair_ends_what_it_is_for(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        repaired_by: str,
        reboot: str,
        start: str,
    ) -> None:
        rebooted, restarted = account.instance(), account.instance()
        account.impair([rebooted.id, restarted.id], until_repaired_by=repaired_by)
        ec2.reboot_instances(InstanceIds=[rebooted.id])
        restart(ec2, restarted.id)
        cloud.clock.advance(120)
        assert checked(ec2, rebooted.id)["Status"] == reboot
        assert checked(ec2, restarted.id)["Status"] == start
        assert account.power_log(restarted.id) == ["stop", "start"]

    def test_one_that_a_start_did_not_help_is_impaired_since_that_start(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance()
        account.impair(machine.id, "system", minutes_ago=60, until_repaired_by="nothing")
        cloud.clock.advance(60)
        started = cloud.clock.now()
        restart(ec2, machine.id)
        assert checked(ec2, machine.id)["Status"] == "initializing"
        cloud.clock.advance(120)
        (detail,) = checked(ec2, machine.id)["Details"]
        assert detail["ImpairedSince"] == started

    def test_some_end_by_themselves_and_all_by_hand(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        one, other = account.instance(), account.instance()
        account.impair(one.id, until_repaired_by="itself", seconds=60)
        account.impair(other.id, until_repaired_by="nothing")
        cloud.clock.advance(60)
        account.heal(other.id)
        assert checked(ec2, one.id)["Status"] == checked(ec2, other.id)["Status"] == "ok"

    @pytest.mark.parametrize(
        "wrong", [{"which": "disk"}, {"until_repaired_by": "hope"}, {"status": "fine"}]
    )
    def test_what_is_no_fault_is_refused(self, account: Account, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"no such|one of"):
            account.impair(account.instance().id, **wrong)


class TestStarts:
    def test_a_start_without_capacity_changes_nothing_for_some_times(
        self, account: Account, ec2: Any
    ) -> None:
        fine, machine = account.instance(state="stopped"), account.instance(state="stopped")
        account.refuse_start(machine.id, times=2)
        asked = {"InstanceIds": [fine.id, machine.id]}
        for _ in range(2):
            assert code_of(lambda: ec2.start_instances(**asked)) == "InsufficientInstanceCapacity"
        assert account.power_log() == []
        ec2.start_instances(**asked)
        assert account.power_log(machine.id) == ["start"]

    def test_a_start_may_be_accepted_and_fall_back(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.extras.switching_seconds = 20
        machine = account.instance(state="stopped", address="amazon")
        account.start_falls_back(machine.id)
        ec2.start_instances(InstanceIds=[machine.id])
        assert shown(ec2, machine.id)["State"]["Name"] == "pending"
        cloud.clock.advance(20)
        found = shown(ec2, machine.id)
        assert found["State"]["Name"] == "stopped"
        assert found["StateReason"]["Code"] == "Client.InternalError"
        assert "PublicIpAddress" not in found
        assert account.power_log(machine.id) == ["start", "fell-back"]
        ec2.start_instances(InstanceIds=[machine.id])
        cloud.clock.advance(20)
        assert shown(ec2, machine.id)["State"]["Name"] == "running"

    @pytest.mark.parametrize("state", ["stopping", "pending"])
    def test_a_switch_may_hang(
        self, cloud: StrictCloud, account: Account, ec2: Any, state: str
    ) -> None:
        machine = account.instance(state="running" if state == "stopping" else "stopped")
        account.hang(machine.id, 3600, state)
        change = ec2.stop_instances if state == "stopping" else ec2.start_instances
        change(InstanceIds=[machine.id])
        cloud.clock.advance(3599)
        assert shown(ec2, machine.id)["State"]["Name"] == state
        cloud.clock.advance(1)
        assert shown(ec2, machine.id)["State"]["Name"] in {"stopped", "running"}

    def test_an_instance_may_be_put_down_by_others(self, account: Account, ec2: Any) -> None:
        machine = account.instance()
        account.put_down(machine.id, "Server.ScheduledStop")
        found = shown(ec2, machine.id)
        assert (found["State"]["Name"], found["StateReason"]["Code"]) == (
            "stopped",
            "Server.ScheduledStop",
        )
        assert account.power_log(machine.id) == []


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "owner", "kept"),
        [("none", "", True), ("amazon", "amazon", False), ("elastic", ACCOUNT, True)],
    )
    def test_a_restart_keeps_all_but_amazons_own(
        self, account: Account, ec2: Any, address: str, owner: str, kept: object
    ) -> None:
        machine = account.instance(address=address)
        before = shown(ec2, machine.id)
        (interface,) = before["NetworkInterfaces"]
        assert interface.get("Association", {}).get("IpOwnerId", "") == owner
        assert interface.get("Association", {}).get("PublicIp") == before.get("PublicIpAddress")
        ec2.stop_instances(InstanceIds=[machine.id])
        if address == "amazon":
            assert "PublicIpAddress" not in shown(ec2, machine.id)
        ec2.start_instances(InstanceIds=[machine.id])
        after = shown(ec2, machine.id)
        assert (after.get("PublicIpAddress") == before.get("PublicIpAddress")) is kept
        assert ("PublicIpAddress" in after) is (address != "none")


class TestTerminated:
    def test_it_is_listed_for_an_hour(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        cloud.extras.switching_seconds = 30
        machine = account.instance(tags={"a": "b"})
        ec2.terminate_instances(InstanceIds=[machine.id])
        assert shown(ec2, machine.id)["State"]["Name"] == "shutting-down"
        cloud.clock.advance(3599)
        found = shown(ec2, machine.id)
        assert found["State"]["Name"] == "terminated"
        assert found["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
        assert {"Key": "a", "Value": "b"} in found["Tags"]
        cloud.clock.advance(1)
        assert code_of(lambda: shown(ec2, machine.id)) == "InvalidInstanceID.NotFound"

    def test_its_tags_may_vanish_at_once(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        by_hand, by_call = account.instance(), account.instance()
        account.terminate(by_hand.id, tags_vanish=True)
        cloud.extras.vanishing_tags = True
        ec2.terminate_instances(InstanceIds=[by_call.id])
        assert "Tags" not in shown(ec2, by_hand.id) | shown(ec2, by_call.id)

    def test_a_launch_happens_at_the_clouds_time(self, cloud: StrictCloud, ec2: Any) -> None:
        made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        (instance,) = made["Instances"]
        assert shown(ec2, instance["InstanceId"])["LaunchTime"] == cloud.clock.now()
        assert checked(ec2, instance["InstanceId"])["Status"] == "initializing"
