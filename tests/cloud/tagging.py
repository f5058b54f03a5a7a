"""AWS's rules about tags, checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.cloud.refusals import Refusal, invalid_value

MAX_KEY = 128
MAX_VALUE = 256

Tags = dict[str, str]


def requested_tags(params: Mapping[str, Any], resource_type: str) -> Tags:
    """Return the tags a create call asks for, refusing what AWS refuses."""
    tags: Tags = {}
    for specification in params.get("TagSpecifications") or ():
        if specification.get("ResourceType") != resource_type:
            raise invalid_value(
                f"'{specification.get('ResourceType')}' is not a valid taggable resource type "
                "for this operation.",
            )
        tags |= checked_tags(specification.get("Tags") or ())
    return tags


def checked_tags(entries: Sequence[Mapping[str, Any]]) -> Tags:
    """Return tags as a dict; refuse reserved, repeated, empty and too long ones."""
    tags: Tags = {}
    for entry in entries:
        key, value = entry.get("Key") or "", entry.get("Value") or ""
        if not key:
            raise Refusal("InvalidParameterValue", "Tag key cannot be null or empty.")
        if key.lower().startswith("aws:"):
            raise invalid_value(
                f"Value ( {key} ) for parameter key is invalid. "
                "Tag keys starting with 'aws:' are reserved for internal use",
            )
        if len(key) > MAX_KEY:
            raise invalid_value(f"Tag key exceeds the maximum length of {MAX_KEY} characters")
        if len(value) > MAX_VALUE:
            raise invalid_value(f"Tag value exceeds the maximum length of {MAX_VALUE} characters")
        if key in tags:
            raise invalid_value(f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    return tags


def refuse_too_many(tags: Mapping[str, str], most: int) -> None:
    """Refuse more than `most` tags on one resource; those of AWS do not count."""
    if sum(not key.startswith("aws:") for key in tags) > most:
        raise Refusal(
            "TagLimitExceeded",
            f"The maximum number of tags for this resource has been reached. Limit: {most}",
        )


def copied_tags(source: Mapping[str, str], own: Mapping[str, str]) -> Tags:
    """Return what `CopyTagsFromSource` makes of both; a key in both is refused."""
    copied = {key: value for key, value in source.items() if not key.startswith("aws:")}
    twice = sorted(copied.keys() & own.keys())
    if twice:
        raise invalid_value(f"Duplicate tag key '{twice[0]}' specified.")
    return copied | dict(own)
