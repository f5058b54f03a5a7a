"""The strict cloud has a Recycle Bin: rules to ask for, and deleted snapshots that stay a while."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import ACCOUNT, REGION, Account, FaultKind, StrictCloud
from tests.cloud.asking import ONCE, code_of

SNAPSHOTS = "EBS_SNAPSHOT"
OURS = {"caretaker:managed-by": "caretaker"}
WEEK = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def rbin(cloud: StrictCloud) -> Any:
    return boto3.client("rbin", REGION, config=ONCE)


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"ResourceTagKey": key, "ResourceTagValue": value} for key, value in tags.items()]


class TestRules:
    def test_they_are_listed_by_type_in_pages(self, account: Account, rbin: Any) -> None:
        ids = [account.bin_rule(days) for days in (1, 2, 3)]
        account.bin_rule(4, resource_type="EC2_IMAGE")
        pages = list(rbin.get_paginator("list_rules").paginate(ResourceType=SNAPSHOTS))
        found = [each for page in pages for each in page["Rules"]]
        assert [len(page["Rules"]) for page in pages] == [2, 1]
        assert [each["Identifier"] for each in found] == ids
        assert found[0]["RetentionPeriod"] == WEEK | {"RetentionPeriodValue": 1}

    def test_they_are_listed_by_their_tags(self, account: Account, rbin: Any) -> None:
        account.bin_rule(1)
        tagged = account.bin_rule(7, tags=OURS)
        found = rbin.list_rules(ResourceType=SNAPSHOTS, ResourceTags=pairs(OURS))["Rules"]
        assert [each["Identifier"] for each in found] == [tagged]

    def test_one_tells_all_about_itself(self, account: Account, rbin: Any) -> None:
        rule = account.bin_rule(7, tags=OURS, status="pending")
        found = rbin.get_rule(Identifier=rule)
        assert (found["Status"], found["RetentionPeriod"]) == ("pending", WEEK)
        assert found["ResourceTags"] == pairs(OURS)
        assert found["RuleArn"] == f"arn:aws:rbin:{REGION}:{ACCOUNT}:rule/{rule}"

    def test_they_are_made_changed_and_deleted(self, account: Account, rbin: Any) -> None:
        made = rbin.create_rule(
            ResourceType=SNAPSHOTS, RetentionPeriod=WEEK, ResourceTags=pairs(OURS)
        )
        rule = made["Identifier"]
        rbin.update_rule(Identifier=rule, RetentionPeriod=WEEK | {"RetentionPeriodValue": 9})
        assert rbin.get_rule(Identifier=rule)["RetentionPeriod"]["RetentionPeriodValue"] == 9
        rbin.delete_rule(Identifier=rule)
        assert code_of(lambda: rbin.get_rule(Identifier=rule)) == "ResourceNotFoundException"

    def test_what_is_wrong_is_refused(self, rbin: Any) -> None:
        asked = {"ResourceType": SNAPSHOTS, "RetentionPeriod": WEEK}
        for wrong in (
            {"RetentionPeriod": WEEK | {"RetentionPeriodValue": 366}},
            {"ResourceTags": pairs(OURS), "ExcludeResourceTags": pairs(OURS)},
        ):
            assert (
                code_of(lambda wrong=wrong: rbin.create_rule(**asked | wrong))  # type: ignore[misc]
                == "ValidationException"
            )
        assert (
            code_of(lambda: rbin.list_rules(ResourceType=SNAPSHOTS, NextToken="x"))
            == "ValidationException"
        )

    def test_calls_are_logged_and_can_fail_in_every_way(
        self, cloud: StrictCloud, rbin: Any
    ) -> None:
        for kind in FaultKind:
            cloud.faults.add(kind, service="rbin", code="Own" if kind is FaultKind.ERROR else "")
            with pytest.raises(Exception):  # noqa: B017, PT011 - a refusal or no answer at all
                rbin.list_rules(ResourceType=SNAPSHOTS)
            cloud.faults.clear()
        rbin.list_rules(ResourceType=SNAPSHOTS)
        assert cloud.calls.actions() == {"rbin:ListRules"}
        assert cloud.calls[-1].params == {"ResourceType": SNAPSHOTS}
        assert [each.outcome for each in cloud.calls] == [
            *("answer_lost", "connection_dropped", "never_arrived", "caller_dies"),
            *("ThrottlingException", "InternalServerException", "ServiceUnavailable"),
            *("AccessDeniedException", "Own", "ok"),
        ]


class TestBin:
    def listed(self, ec2: Any) -> list[str]:
        found = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return [each["SnapshotId"] for each in found]

    def test_a_covered_snapshot_moves_to_the_bin_and_leaves_it_in_time(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        snapshot = account.snapshot(account.volume(), tags=OURS)
        account.bin_rule(7, tags=OURS)
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert (self.listed(ec2), account.binned()) == ([], [snapshot])
        (kept,) = ec2.list_snapshots_in_recycle_bin()["Snapshots"]
        assert (kept["RecycleBinExitTime"] - kept["RecycleBinEnterTime"]).days == 7
        cloud.clock.advance(7 * 86_400)
        assert account.binned() == []

    def test_one_can_be_brought_back_with_its_tags(self, account: Account, ec2: Any) -> None:
        snapshot = account.snapshot(account.volume(), tags=OURS)
        account.bin_rule(7)
        ec2.delete_snapshot(SnapshotId=snapshot)
        ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
        assert self.listed(ec2) == [snapshot]
        assert account.tags_of(snapshot) == OURS

    def test_of_several_rules_the_longest_counts(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        account.bin_rule(1)
        account.bin_rule(30, tags=OURS)
        snapshot = account.snapshot(account.volume(), tags=OURS)
        ec2.delete_snapshot(SnapshotId=snapshot)
        cloud.age(hours=29 * 24)
        assert account.binned() == [snapshot]

    @pytest.mark.parametrize(
        "rule",
        [
            {"tags": {"caretaker:managed-by": "neighbour"}},
            {"excluded": OURS},
            {"resource_type": "EC2_IMAGE"},
            {"status": "pending"},
        ],
    )
    def test_a_rule_that_does_not_cover_it_keeps_nothing(
        self, account: Account, ec2: Any, rule: dict[str, Any]
    ) -> None:
        account.bin_rule(7, **rule)
        ec2.delete_snapshot(SnapshotId=account.snapshot(account.volume(), tags=OURS))
        assert (self.listed(ec2), account.binned()) == ([], [])
