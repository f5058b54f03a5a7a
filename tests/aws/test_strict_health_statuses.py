"""The strict cloud tells the status of instances as AWS does: checks, events and pages."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of

NUMBER = "0123456789abcdef0"
SUMMARIES = ("SystemStatus", "InstanceStatus", "AttachedEbsStatus")


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


def status(ec2: Any, instance_id: str) -> dict[str, Any]:
    """Return one instance's status, running or not."""
    asked = {"InstanceIds": [instance_id], "IncludeAllInstances": True}
    (found,) = ec2.describe_instance_status(**asked)["InstanceStatuses"]
    return dict(found)


def summaries(ec2: Any, instance_id: str) -> tuple[str, ...]:
    """Return the system, instance and EBS status of one instance."""
    found = status(ec2, instance_id)
    return tuple(found[each]["Status"] for each in SUMMARIES)


class TestChecks:
    def test_a_healthy_one_shows_all_three_and_no_events(self, account: Account, ec2: Any) -> None:
        machine = account.instance(zone="b")
        found = status(ec2, machine.id)
        fine = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
        assert found == {
            "InstanceId": machine.id,
            "AvailabilityZone": f"{REGION}b",
            "Operator": {"Managed": False},
            "InstanceState": {"Code": 16, "Name": "running"},
            **dict.fromkeys(SUMMARIES, fine),
        }

    def test_one_that_does_not_run_has_no_checks(self, account: Account, ec2: Any) -> None:
        machine = account.instance(state="stopped")
        account.impair(machine.id, "system")
        assert {status(ec2, machine.id)[each]["Status"] for each in SUMMARIES} == {"not-applicable"}
        assert "Details" not in status(ec2, machine.id)["SystemStatus"]
        assert ec2.describe_instance_status(InstanceIds=[machine.id])["InstanceStatuses"] == []

    @pytest.mark.parametrize(
        ("which", "expected"),
        [
            ("instance", ("ok", "impaired", "ok")),
            ("system", ("impaired", "impaired", "ok")),
            ("ebs", ("ok", "ok", "impaired")),
            ("insufficient-data", ("insufficient-data", "insufficient-data", "ok")),
        ],
    )
    def test_a_failing_system_fails_the_instance_and_others_fail_alone(
        self, account: Account, ec2: Any, which: str, expected: tuple[str, ...]
    ) -> None:
        machine = account.instance()
        account.impair(machine.id, which)
        assert summaries(ec2, machine.id) == expected

    def test_a_failed_check_tells_since_when(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        early, late = account.instance(), account.instance()
        account.impair(early.id, "ebs", minutes_ago=7)
        account.impair(late.id, since="2026-11-21T02:30:00+00:00")
        (detail,) = status(ec2, early.id)["AttachedEbsStatus"]["Details"]
        assert detail["Status"] == "failed"
        assert detail["ImpairedSince"] == cloud.clock.now() - timedelta(minutes=7)
        (detail,) = status(ec2, late.id)["InstanceStatus"]["Details"]
        assert detail["ImpairedSince"] == cloud.clock.now() - timedelta(minutes=30)

    def test_an_impairment_to_come_is_not_there_yet(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance()
        account.impair(machine.id, minutes_ago=-5)
        assert summaries(ec2, machine.id) == ("ok", "ok", "ok")
        cloud.clock.advance(300)
        assert summaries(ec2, machine.id) == ("ok", "impaired", "ok")

    def test_the_checks_initialize_after_a_launch_and_after_a_start(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        newborn, machine = account.instance(age_hours=0), account.instance()
        assert set(summaries(ec2, newborn.id)) == {"initializing"}
        cloud.clock.advance(120)
        assert set(summaries(ec2, newborn.id)) == {"ok"}
        cloud.extras.switching_seconds = 30
        ec2.stop_instances(InstanceIds=[machine.id])
        cloud.clock.advance(30)
        ec2.start_instances(InstanceIds=[machine.id])
        assert set(summaries(ec2, machine.id)) == {"not-applicable"}
        cloud.clock.advance(149)
        assert set(summaries(ec2, machine.id)) == {"initializing"}
        cloud.clock.advance(1)
        assert set(summaries(ec2, machine.id)) == {"ok"}

    def test_a_managed_one_says_by_whom(self, account: Account, ec2: Any) -> None:
        machine = account.instance(operator="eks.amazonaws.com")
        found = status(ec2, machine.id)["Operator"]
        assert found == {"Managed": True, "Principal": "eks.amazonaws.com"}


class TestEvents:
    def test_an_event_has_its_times(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        machine = account.instance()
        soon = cloud.clock.now() + timedelta(hours=3)
        event = account.scheduled_event(
            machine.id, "instance-stop", soon, not_after=soon, deadline=soon, description="a <b>"
        )
        assert status(ec2, machine.id)["Events"] == [
            {
                "InstanceEventId": event,
                "Code": "instance-stop",
                "Description": "a <b>",
                "NotBefore": soon,
                "NotAfter": soon,
                "NotBeforeDeadline": soon,
            }
        ]

    def test_one_that_is_over_is_told_for_a_week_more(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance()
        account.complete_event(account.scheduled_event(machine.id, description="one"))
        account.cancel_event(account.scheduled_event(machine.id, description="two"))
        told = [each["Description"] for each in status(ec2, machine.id)["Events"]]
        assert told == ["[Completed] one", "[Canceled] two"]
        cloud.clock.advance(7 * 24 * 3600)
        assert "Events" not in status(ec2, machine.id)

    @pytest.mark.parametrize(
        ("code", "launch", "reboot", "restart"),
        [
            ("instance-reboot", {}, 1, 1),
            ("system-reboot", {}, 1, 1),
            ("system-reboot", {"reboot_migration": "disabled"}, 0, 1),
            ("instance-retirement", {}, 0, 1),
            ("instance-stop", {}, 0, 1),
        ],
    )
    def test_repairs_complete_some(
        self, account: Account, ec2: Any, code: str, launch: Any, reboot: int, restart: int
    ) -> None:
        machine = account.instance(**launch)
        account.scheduled_event(machine.id, code)

        def is_over() -> bool:
            (event,) = status(ec2, machine.id)["Events"]
            return bool(event["Description"].startswith("[Completed] "))

        ec2.reboot_instances(InstanceIds=[machine.id])
        assert is_over() == reboot
        ec2.stop_instances(InstanceIds=[machine.id])
        ec2.start_instances(InstanceIds=[machine.id])
        assert is_over() == restart

    def test_a_stubborn_one_is_completed_by_no_repair(self, account: Account, ec2: Any) -> None:
        machine = account.instance()
        event = account.scheduled_event(machine.id, "instance-reboot", settles=False)
        ec2.reboot_instances(InstanceIds=[machine.id])
        assert not status(ec2, machine.id)["Events"][0]["Description"].startswith("[")
        account.drop_event(event)
        assert "Events" not in status(ec2, machine.id)


class TestListing:
    def test_only_running_ones_are_listed_unless_asked(self, account: Account, ec2: Any) -> None:
        running, stopped = account.instance(), account.instance(state="stopped")
        found = ec2.describe_instance_status()["InstanceStatuses"]
        assert [each["InstanceId"] for each in found] == [running.id]
        found = ec2.describe_instance_status(IncludeAllInstances=True)["InstanceStatuses"]
        assert [each["InstanceId"] for each in found] == [running.id, stopped.id]

    def test_pages_follow_each_other(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        ids = account.crowd("instance", 12, zone="c")
        cloud.pages.size, cloud.pages.empty = None, frozenset({2})
        pages = list(
            ec2.get_paginator("describe_instance_status").paginate(
                IncludeAllInstances=True, PaginationConfig={"PageSize": 5}
            )
        )
        assert [len(each["InstanceStatuses"]) for each in pages] == [5, 0, 5, 2]
        found = [one for each in pages for one in each["InstanceStatuses"]]
        assert [each["InstanceId"] for each in found] == ids
        assert {each["AvailabilityZone"] for each in found} == {f"{REGION}c"}

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"MaxResults": 4}, "InvalidParameterValue"),
            ({"MaxResults": 1001}, "InvalidParameterValue"),
            ({"NextToken": "nobody's"}, "InvalidNextToken"),
            ({"Filters": [{"Name": "tag:a", "Values": ["b"]}]}, "InvalidParameterValue"),
            ({"Filters": [{"Name": "colour", "Values": ["b"]}]}, "InvalidParameterValue"),
            ({"InstanceIds": [f"i-{NUMBER}"]}, "InvalidInstanceID.NotFound"),
            ({"InstanceIds": [f"i-{NUMBER}"] * 101}, "InvalidParameterValue"),
        ],
    )
    def test_wrong_questions_are_refused(self, ec2: Any, asked: Any, code: str) -> None:
        assert code_of(lambda: ec2.describe_instance_status(**asked)) == code

    def test_one_unknown_id_fails_the_call_and_ids_have_no_pages(
        self, account: Account, ec2: Any
    ) -> None:
        known = account.instance().id
        asked: dict[str, Any] = {"InstanceIds": [known, f"i-{NUMBER}"]}
        assert code_of(lambda: ec2.describe_instance_status(**asked)) == (
            "InvalidInstanceID.NotFound"
        )
        asked = {"InstanceIds": [known], "MaxResults": 5}
        assert code_of(lambda: ec2.describe_instance_status(**asked)) == (
            "InvalidParameterCombination"
        )

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("instance-status.status", "impaired"),
            ("instance-status.reachability", "failed"),
            ("availability-zone", f"{REGION}b"),
            ("event.code", "instance-*"),
            ("instance-state-name", "running"),
        ],
    )
    def test_filters_choose(self, account: Account, ec2: Any, name: str, value: str) -> None:
        account.instance(state="stopped")
        odd = account.instance(zone="b")
        account.impair(odd.id)
        account.scheduled_event(odd.id)
        asked = {"IncludeAllInstances": True, "Filters": [{"Name": name, "Values": [value]}]}
        found = ec2.describe_instance_status(**asked)["InstanceStatuses"]
        assert [each["InstanceId"] for each in found] == [odd.id]

    def test_five_thousand_are_told_in_five_pages_in_no_time(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        account.crowd("instance", 4990)
        broken = account.impaired_crowd(10, "system", zone="b", minutes_ago=5)
        cloud.pages.size = None
        began = time.perf_counter()
        paginator = ec2.get_paginator("describe_instance_status")
        asked = {"IncludeAllInstances": True, "PaginationConfig": {"PageSize": 1000}}
        found = [each for page in paginator.paginate(**asked) for each in page["InstanceStatuses"]]
        seconds = time.perf_counter() - began
        assert len(found) == 5000
        assert [each["InstanceId"] for each in found if "failed" in str(each)] == broken
        assert seconds < 10  # most of it is botocore's, which reads the answers
