"""Which volumes a chore is about: tags, ids, states, exclusions, and the two tags of the users.

A volume carries its own tags and stands behind the tags of the instances it is attached to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from caretaker import tags as tag
from caretaker.request import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caretaker.ec2 import Instance, Volume
    from caretaker.tags import Tags

type TagPattern = Annotated[str, Field(min_length=1, max_length=384)]
type VolumeId = Annotated[str, Field(pattern=r"^vol-[0-9a-f]{8,17}$")]
type InstanceId = Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$")]

USABLE_STATES: Final = frozenset({"available", "in-use"})


class Select(Part):
    """Narrow or widen what is selected.

    Left empty, a volume is selected when its own `caretaker:backup` or its instance's names the
    policy. `tags_any` and `tags_all` hold `key` or `key=value`, both with `*` and `?`, and replace
    that rule; `volumes` and `instances` name ids; `everything` selects all that nobody opted out.
    """

    everything: bool = False
    tags_any: tuple[TagPattern, ...] = ()
    tags_all: tuple[TagPattern, ...] = ()
    volumes: tuple[VolumeId, ...] = ()
    instances: tuple[InstanceId, ...] = ()
    states: tuple[Annotated[str, Field(pattern=r"^(available|in-use)$")], ...] = ()
    exclude_tags: tuple[TagPattern, ...] = ()
    exclude_volumes: tuple[VolumeId, ...] = ()
    exclude_instances: tuple[InstanceId, ...] = ()

    @property
    def is_by_policy(self) -> bool:
        """Tell whether `caretaker:backup` decides, as nothing else was asked for."""
        return not (
            self.everything or self.tags_any or self.tags_all or self.volumes or self.instances
        )


def reason_to_skip(
    volume: Volume, instances: Mapping[str, Instance], select: Select, policy: str
) -> str | None:
    """Return why a volume is left out (`ignored`, `volume_state`, `excluded`, `not_selected`).

    None means that it is selected.
    """
    owners = [instances[i] for i in volume.instance_ids if i in instances]
    tag_sets = [volume.tags, *(owner.tags for owner in owners)]
    if any(tag.is_ignored(tags) for tags in tag_sets):
        return "ignored"
    if not _is_asked_for(volume, tag_sets, select, policy):
        return "not_selected"
    if _is_excluded(volume, tag_sets, select):
        return "excluded"
    if volume.state not in USABLE_STATES:
        return "volume_state"
    return None


def _is_asked_for(volume: Volume, tag_sets: Sequence[Tags], select: Select, policy: str) -> bool:
    if select.is_by_policy:
        return any(policy in tag.policies_of(tags) for tags in tag_sets)
    if select.everything:
        return True
    by_id = volume.id in select.volumes or not set(volume.instance_ids).isdisjoint(select.instances)
    return by_id or _matches_tags(tag_sets, select)


def _matches_tags(tag_sets: Sequence[Tags], select: Select) -> bool:
    if not (select.tags_any or select.tags_all):
        return False
    any_of = not select.tags_any or any(has_tag(tag_sets, p) for p in select.tags_any)
    return any_of and all(has_tag(tag_sets, p) for p in select.tags_all)


def _is_excluded(volume: Volume, tag_sets: Sequence[Tags], select: Select) -> bool:
    return (
        volume.id in select.exclude_volumes
        or not set(volume.instance_ids).isdisjoint(select.exclude_instances)
        or any(has_tag(tag_sets, pattern) for pattern in select.exclude_tags)
        or bool(select.states and volume.state not in select.states)
    )


def has_tag(tag_sets: Sequence[Tags], pattern: str) -> bool:
    """Tell whether any of the tag sets has a tag that matches `key` or `key=value`."""
    wanted_key, has_value, wanted_value = pattern.partition("=")
    return any(
        tag.matches(key, wanted_key) and (not has_value or tag.matches(value, wanted_value))
        for tags in tag_sets
        for key, value in tags.items()
    )
