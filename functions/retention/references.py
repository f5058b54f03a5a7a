"""Which snapshots something else needs: read from what AWS lists. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

type Versions = dict[tuple[str, str], set[str]]
"""By the parameter that names a launch template and its value: numbers of versions."""


def mapped_snapshots(holder: Mapping[str, Any]) -> Iterator[str]:
    """Yield the snapshots in the block device mappings of an image or of launch template data."""
    for mapping in holder.get("BlockDeviceMappings", []):
        snapshot_id = mapping.get("Ebs", {}).get("SnapshotId")
        if snapshot_id:
            yield snapshot_id


def versions_in_use(groups: Iterable[Mapping[str, Any]]) -> Versions:
    """Return the numbered versions that Auto Scaling groups and their instances use.

    `$Default` and `$Latest`, and no version, which means the default, are listed for all templates.
    """
    used: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for group in groups:
        for each in _specifications(group):
            if each.get("Version", "$Default").isdecimal():
                used[_named_by(each)].add(each["Version"])
    return used


def _specifications(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    candidates = [
        group.get("LaunchTemplate"),
        mixed.get("LaunchTemplateSpecification"),
        *(each.get("LaunchTemplateSpecification") for each in mixed.get("Overrides", [])),
        *(each.get("LaunchTemplate") for each in group.get("Instances", [])),
    ]
    yield from filter(None, candidates)


def _named_by(specification: Mapping[str, Any]) -> tuple[str, str]:
    key = "LaunchTemplateId" if "LaunchTemplateId" in specification else "LaunchTemplateName"
    return key, specification[key]


def bin_days(rules: Iterable[Mapping[str, Any]], key: str, value: str) -> int:
    """Return for how many days the Recycle Bin keeps deleted snapshots that have this tag.

    A rule of the region covers all but those that it excludes by tag.
    https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin-concepts.html
    """
    ours = {"ResourceTagKey": key, "ResourceTagValue": value}
    covering = (
        rule["RetentionPeriod"]["RetentionPeriodValue"]
        for rule in rules
        if rule.get("Status", "available") == "available"
        and not _names(rule.get("ExcludeResourceTags", []), ours, any_value=value)
        and (not rule.get("ResourceTags") or _names(rule["ResourceTags"], ours, any_value=""))
    )
    return max(covering, default=0)


def _names(tags: Iterable[Mapping[str, str]], ours: Mapping[str, str], *, any_value: str) -> bool:
    """Tell whether one of a rule's tags is ours.

    AWS does not say what a tag without a value means: it is read as what covers less.
    """
    return any({"ResourceTagValue": any_value, **each} == ours for each in tags)
