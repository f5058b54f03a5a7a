"""The strict cloud tells what a snapshot is needed for: images, templates, fast restores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import STRANGER

ALL_TEMPLATES = ["$Latest", "$Default"]


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def snapshot(account: Account) -> str:
    return account.snapshot(account.volume(), age_hours=48)


def images(ec2: Any, **request: Any) -> list[str]:
    pages = ec2.get_paginator("describe_images").paginate(Owners=["self"], **request)
    return [image["ImageId"] for page in pages for image in page["Images"]]


class TestImages:
    def test_an_image_names_its_snapshots(self, account: Account, ec2: Any, snapshot: str) -> None:
        other = account.snapshot(account.volume())
        image = account.image(snapshot, other, name="golden", tags={"team": "web"})
        (found,) = ec2.describe_images(Owners=["self"])["Images"]
        assert (found["ImageId"], found["Name"], found["State"]) == (image, "golden", "available")
        mappings = [each["Ebs"]["SnapshotId"] for each in found["BlockDeviceMappings"]]
        assert mappings == [snapshot, other]
        assert found["Tags"] == [{"Key": "team", "Value": "web"}]
        named = [{"Name": "block-device-mapping.snapshot-id", "Values": [other]}]
        assert images(ec2, Filters=named) == [image]
        assert len(account.own_snapshots()) == 2

    def test_they_come_in_pages_and_strangers_only_when_asked_for(
        self, account: Account, ec2: Any
    ) -> None:
        made = [account.image() for _ in range(5)]
        alien = account.image(owner=STRANGER, public=True)
        account.image(owner=STRANGER)
        assert images(ec2) == made
        first = ec2.describe_images(Owners=["self"])
        assert (len(first["Images"]), "NextToken" in first) == (2, True)
        found = ec2.describe_images(Owners=[STRANGER])["Images"]
        assert [each["ImageId"] for each in found] == [alien]

    def test_disabled_ones_are_shown_only_when_asked_for(self, account: Account, ec2: Any) -> None:
        kept, disabled = account.image(), account.image()
        account.disable_image(disabled)
        assert images(ec2) == [kept]
        assert images(ec2, IncludeDisabled=True) == [kept, disabled]

    def test_deprecated_ones_are_always_shown_to_their_owner(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        own, alien = account.image(), account.image(owner=STRANGER, public=True)
        account.deprecate_image(own)
        account.deprecate_image(alien)
        ec2.enable_image_deprecation(ImageId=own, DeprecateAt=cloud.clock.now())
        assert images(ec2) == [own]
        assert ec2.describe_images(Owners=["self"])["Images"][0]["DeprecationTime"]
        assert ec2.describe_images(Owners=[STRANGER])["Images"] == []
        found = ec2.describe_images(Owners=[STRANGER], IncludeDeprecated=True)["Images"]
        assert [each["ImageId"] for each in found] == [alien]

    def test_its_snapshots_stay_until_it_is_deregistered(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        image = account.image(snapshot)

        def delete() -> None:
            ec2.delete_snapshot(SnapshotId=snapshot)

        assert code_of(delete) == "InvalidSnapshot.InUse"
        ec2.disable_image(ImageId=image)
        account.deprecate_image(image)
        assert code_of(delete) == "InvalidSnapshot.InUse"
        account.deregister_image(image)
        delete()
        assert account.own_snapshots() == []

    def test_missing_and_malformed_ids_are_refused(self, ec2: Any) -> None:
        assert (
            code_of(lambda: ec2.describe_images(ImageIds=["ami-0123456789abcdef0"]))
            == "InvalidAMIID.NotFound"
        )
        assert code_of(lambda: ec2.describe_images(ImageIds=["golden"])) == "InvalidAMIID.Malformed"


class TestLaunchTemplates:
    def versions(self, ec2: Any, **request: Any) -> list[tuple[str, int]]:
        pages = ec2.get_paginator("describe_launch_template_versions").paginate(**request)
        return [
            (each["LaunchTemplateId"], each["VersionNumber"])
            for page in pages
            for each in page["LaunchTemplateVersions"]
        ]

    def test_a_version_names_the_snapshots_of_its_devices(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        template = account.launch_template([], [snapshot], image_id="ami-12345678")
        (found,) = ec2.describe_launch_template_versions(
            LaunchTemplateId=template, Versions=["$Latest"]
        )["LaunchTemplateVersions"]
        data = found["LaunchTemplateData"]
        assert [each["Ebs"]["SnapshotId"] for each in data["BlockDeviceMappings"]] == [snapshot]
        assert (data["ImageId"], found["DefaultVersion"]) == ("ami-12345678", False)

    def test_latest_and_default_ones_of_all_templates_come_in_pages(
        self, account: Account, ec2: Any
    ) -> None:
        one = account.launch_template([])
        several = account.launch_template([], [], [], default=2)
        found = self.versions(ec2, Versions=ALL_TEMPLATES)
        assert sorted(found) == sorted([(one, 1), (several, 2), (several, 3)])
        first = ec2.describe_launch_template_versions(Versions=ALL_TEMPLATES)
        assert (len(first["LaunchTemplateVersions"]), bool(first["NextToken"])) == (2, True)

    def test_numbers_need_a_template(self, account: Account, ec2: Any) -> None:
        template = account.launch_template([], [], [])

        def code(**request: Any) -> str:
            return code_of(lambda: ec2.describe_launch_template_versions(**request))

        assert self.versions(ec2, LaunchTemplateId=template, Versions=["1", "3"]) == [
            (template, 1),
            (template, 3),
        ]
        assert len(self.versions(ec2, LaunchTemplateId=template)) == 3
        assert code(Versions=["$Latest", "3"]) == "InvalidParameterValue"
        assert code() == "MissingParameter"
        assert (
            code(LaunchTemplateId=template, Versions=["4"])
            == "InvalidLaunchTemplateId.VersionNotFound"
        )
        assert (
            code(LaunchTemplateId="lt-0123456789abcdef0", Versions=["1"])
            == "InvalidLaunchTemplateId.NotFound"
        )
        assert code(Versions=["$Latest"], MaxResults=201) == "InvalidParameterValue"


class TestFastRestores:
    def test_they_are_listed_by_zone_in_pages(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str
    ) -> None:
        zones = [f"{REGION}{letter}" for letter in "abc"]
        states = ["enabled", "disabling", "disabled"]
        for zone, state in zip(zones, states, strict=True):
            account.fast_restore(snapshot, zone=zone, state=state)
        pages = list(ec2.get_paginator("describe_fast_snapshot_restores").paginate())
        found = [each for page in pages for each in page["FastSnapshotRestores"]]
        assert len(pages) == 2
        assert [each["AvailabilityZone"] for each in found] == zones
        assert [each["State"] for each in found] == states
        cloud.clock.advance(60)
        wanted = [{"Name": "state", "Values": ["disabled"]}]
        answer = ec2.describe_fast_snapshot_restores(Filters=wanted)
        assert len(answer["FastSnapshotRestores"]) == 2

    def test_one_that_is_enabled_gets_there_by_and_by(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        asked = {"SourceSnapshotIds": [snapshot], "AvailabilityZones": [f"{REGION}a"]}
        made = ec2.enable_fast_snapshot_restores(**asked)
        assert [each["State"] for each in made["Successful"]] == ["enabling"]
        assert len(ec2.enable_fast_snapshot_restores(**asked)["Unsuccessful"]) == 1

        def state() -> str:
            answer = ec2.describe_fast_snapshot_restores()
            return str(answer["FastSnapshotRestores"][0]["State"])

        seen = [state()]
        for seconds in (60, 3600):
            cloud.clock.advance(seconds)
            seen.append(state())
        assert seen == ["enabling", "optimizing", "enabled"]
        ec2.disable_fast_snapshot_restores(**asked)
        assert state() == "disabling"

    def test_it_does_not_keep_a_snapshot_from_being_deleted(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        account.fast_restore(snapshot)
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert ec2.describe_fast_snapshot_restores()["FastSnapshotRestores"] == []


class TestScalingGroups:
    @pytest.fixture
    def scaling(self, cloud: StrictCloud) -> Any:
        return boto3.client("autoscaling", REGION, config=ONCE)

    def test_groups_come_in_pages_with_the_versions_they_use(
        self, account: Account, scaling: Any
    ) -> None:
        template = account.launch_template([], [], name="web")
        account.scaling_group(template, "1")
        account.scaling_group(template, "$Latest", overrides=[(template, "2")])
        account.scaling_group(name="old")
        pages = list(scaling.get_paginator("describe_auto_scaling_groups").paginate())
        plain, mixed, old = [each for page in pages for each in page["AutoScalingGroups"]]
        assert len(pages) == 2
        used = {"LaunchTemplateId": template, "LaunchTemplateName": "web"}
        assert plain["LaunchTemplate"] == used | {"Version": "1"}
        policy = mixed["MixedInstancesPolicy"]["LaunchTemplate"]
        assert policy["LaunchTemplateSpecification"]["Version"] == "$Latest"
        assert policy["Overrides"][0]["LaunchTemplateSpecification"] == used | {"Version": "2"}
        assert "LaunchTemplate" not in mixed
        assert old["LaunchConfigurationName"] == "old-configuration"

    def test_they_are_logged_and_can_fail(self, cloud: StrictCloud, scaling: Any) -> None:
        cloud.faults.add("throttled", service="autoscaling")
        cloud.faults.add("denied", operation="DescribeAutoScalingGroups", nth=2)
        codes = [code_of(scaling.describe_auto_scaling_groups) for _ in range(2)]
        assert codes == ["Throttling", "AccessDenied"]
        assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
        assert cloud.calls.actions() == {"autoscaling:DescribeAutoScalingGroups"}
        assert [each.outcome for each in cloud.calls] == [*codes, "ok"]

    def test_a_wrong_token_and_too_large_pages_are_refused(self, scaling: Any) -> None:
        assert (
            code_of(lambda: scaling.describe_auto_scaling_groups(NextToken="x"))
            == "InvalidNextToken"
        )
        assert (
            code_of(lambda: scaling.describe_auto_scaling_groups(MaxRecords=101))
            == "ValidationError"
        )


def test_ageing_moves_what_refers_to_snapshots(
    cloud: StrictCloud, account: Account, ec2: Any, snapshot: str
) -> None:
    account.image(snapshot)
    account.lock(snapshot, days=2)
    cloud.age(hours=49)
    (lock,) = ec2.describe_locked_snapshots()["Snapshots"]
    assert lock["LockState"] == "expired"
    assert lock["LockExpiresOn"] == cloud.clock.now() - timedelta(hours=1)
