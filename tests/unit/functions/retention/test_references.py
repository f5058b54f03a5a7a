from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from functions.retention.references import bin_days, mapped_snapshots, versions_in_use

BY_ID = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
BY_NAME = {"LaunchTemplateName": "web", "Version": "4"}


def mapped(*mappings: dict[str, Any]) -> list[str]:
    return list(mapped_snapshots({"BlockDeviceMappings": list(mappings)}))


def test_finds_the_snapshots_of_all_devices() -> None:
    assert mapped({"Ebs": {"SnapshotId": "snap-1"}}, {"Ebs": {"SnapshotId": "snap-2"}}) == [
        "snap-1",
        "snap-2",
    ]


@pytest.mark.parametrize(
    "mapping",
    [
        {"VirtualName": "ephemeral0"},
        {"NoDevice": ""},
        {"Ebs": {}},
        {"Ebs": {"VolumeSize": 8}},
        {"Ebs": {"SnapshotId": ""}},
    ],
    ids=str,
)
def test_a_device_may_have_no_snapshot(mapping: dict[str, Any]) -> None:
    assert mapped(mapping, {"Ebs": {"SnapshotId": "snap-1"}}) == ["snap-1"]


def test_an_image_or_a_template_may_have_no_devices() -> None:
    assert list(mapped_snapshots({"ImageId": "ami-1"})) == []


def in_use(*groups: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    return dict(versions_in_use(groups))


def mixed(specification: dict[str, Any], *overrides: dict[str, Any]) -> dict[str, Any]:
    template = {"LaunchTemplateSpecification": specification, "Overrides": list(overrides)}
    return {"MixedInstancesPolicy": {"LaunchTemplate": template}}


def test_no_group_uses_no_version() -> None:
    assert in_use() == {}
    assert in_use({"LaunchConfigurationName": "old"}) == {}


def test_a_group_uses_the_numbered_version_of_its_template() -> None:
    assert in_use({"LaunchTemplate": BY_ID}) == {("LaunchTemplateId", "lt-1"): {"3"}}


def test_a_template_may_be_known_by_its_name_alone() -> None:
    assert in_use({"LaunchTemplate": BY_NAME}) == {("LaunchTemplateName", "web"): {"4"}}


@pytest.mark.parametrize("version", ["$Default", "$Latest", ""])
def test_the_default_and_the_latest_version_are_listed_anyway(version: str) -> None:
    assert in_use({"LaunchTemplate": {**BY_ID, "Version": version}}) == {}


def test_no_version_means_the_default_one() -> None:
    assert in_use({"LaunchTemplate": {"LaunchTemplateId": "lt-1"}}) == {}


def test_a_mixed_group_uses_its_template_and_those_of_its_overrides() -> None:
    override = {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "7"}}

    assert in_use(mixed(BY_ID, override, {"InstanceType": "m7g.large"})) == {
        ("LaunchTemplateId", "lt-1"): {"3"},
        ("LaunchTemplateId", "lt-2"): {"7"},
    }


def test_a_mixed_group_may_have_no_overrides() -> None:
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": BY_ID}}

    assert in_use({"MixedInstancesPolicy": policy}) == {("LaunchTemplateId", "lt-1"): {"3"}}
    assert in_use({"MixedInstancesPolicy": {}}) == {}


def test_instances_may_run_a_version_that_the_group_has_left_behind() -> None:
    group = {
        "LaunchTemplate": {**BY_ID, "Version": "9"},
        "Instances": [
            {"InstanceId": "i-1", "LaunchTemplate": BY_ID},
            {"InstanceId": "i-2", "LaunchTemplate": {**BY_ID, "Version": "5"}},
            {"InstanceId": "i-3"},
        ],
    }

    assert in_use(group) == {("LaunchTemplateId", "lt-1"): {"3", "5", "9"}}


def test_many_groups_may_use_one_version() -> None:
    assert in_use({"LaunchTemplate": BY_ID}, {"LaunchTemplate": BY_ID}) == {
        ("LaunchTemplateId", "lt-1"): {"3"}
    }


OURS = {"ResourceTagKey": tag.MANAGED_BY, "ResourceTagValue": "prod"}
ANY = {"ResourceTagKey": tag.MANAGED_BY}


def a_rule(days: int, **odd: Any) -> dict[str, Any]:
    period = {"RetentionPeriodValue": days, "RetentionPeriodUnit": "DAYS"}
    return {"RetentionPeriod": period, "Status": "available", **odd}


def days(*rules: dict[str, Any]) -> int:
    return bin_days(rules, tag.MANAGED_BY, "prod")


def test_without_a_rule_nothing_comes_back() -> None:
    assert days() == 0


@pytest.mark.parametrize(
    ("odd", "covered"),
    [
        ({}, True),
        ({"ResourceTags": []}, True),
        ({"ResourceTags": [OURS]}, True),
        ({"ResourceTags": [{**OURS, "ResourceTagValue": "x"}, OURS]}, True),
        ({"ResourceTags": [{**OURS, "ResourceTagValue": "x"}]}, False),
        ({"ResourceTags": [{**OURS, "ResourceTagKey": "team"}]}, False),
        ({"ResourceTags": [ANY]}, False),
        ({"ExcludeResourceTags": []}, True),
        ({"ExcludeResourceTags": [OURS]}, False),
        ({"ExcludeResourceTags": [ANY]}, False),
        ({"ExcludeResourceTags": [{**OURS, "ResourceTagValue": "x"}]}, True),
        ({"ExcludeResourceTags": [{"ResourceTagKey": "team"}, OURS]}, False),
        ({"ResourceTags": [OURS], "ExcludeResourceTags": [OURS]}, False),
        ({"Status": "pending"}, False),
    ],
    ids=str,
)
def test_a_rule_covers_what_it_names_and_does_not_exclude(
    odd: dict[str, Any], *, covered: bool
) -> None:
    assert days(a_rule(14, **odd)) == (14 if covered else 0)


def test_a_rule_without_a_status_stands() -> None:
    rule = a_rule(14)
    del rule["Status"]

    assert days(rule) == 14


def test_of_several_rules_the_longest_counts() -> None:
    foreign = a_rule(99, ResourceTags=[{**OURS, "ResourceTagValue": "x"}])

    assert days(a_rule(7), a_rule(30, ResourceTags=[OURS]), a_rule(14), foreign) == 30
