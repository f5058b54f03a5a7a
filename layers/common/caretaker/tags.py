"""Caretaker's tags, and what AWS allows in a tag set.

Limits: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

type Tags = Mapping[str, str]

PREFIX: Final = "caretaker:"
MANAGED_BY: Final = "caretaker:managed-by"
POLICY: Final = "caretaker:policy"
SLOT: Final = "caretaker:slot"
INSTANCE: Final = "caretaker:instance"
RUN: Final = "caretaker:run"
ATTEMPT: Final = "caretaker:attempt"
BACKUP: Final = "caretaker:backup"
IGNORE: Final = "caretaker:ignore"
DELETE_AFTER: Final = "caretaker:delete-after"
KEEP: Final = "caretaker:keep"
STOP_AFTER: Final = "caretaker:stop-after"
RESTORED_FROM: Final = "caretaker:restored-from"
REPLACED_BY: Final = "caretaker:replaced-by"
PROVEN_AT: Final = "caretaker:proven-at"
EXPIRES_AT: Final = "caretaker:expires-at"
REMEDIATE: Final = "caretaker:remediate"
EXPECT: Final = "caretaker:expect"
PROBE: Final = "caretaker:probe"

MAX_TAGS: Final = 50
AWS: Final = "aws:"
SCALING_GROUP: Final = "aws:autoscaling:groupName"
_RESERVED: Final = (AWS, PREFIX)
_NO: Final = frozenset({"false", "no", "0", "off"})


def is_ignored(tags: Tags) -> bool:
    """Tell whether the user opted out: `caretaker:ignore` with any value but a no."""
    return IGNORE in tags and tags[IGNORE].strip().lower() not in _NO


def policies_of(tags: Tags) -> frozenset[str]:
    """Return the policy names in `caretaker:backup`, which are separated by spaces."""
    return frozenset(tags.get(BACKUP, "").split())


def matches(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern with `*` and `?`; brackets stand for themselves."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def copyable(tags: Tags, patterns: Sequence[str]) -> dict[str, str]:
    """Return the user's tags whose key matches a pattern; `aws:` and `caretaker:` keys never do."""
    return {
        key: value
        for key, value in sorted(tags.items())
        if not key.startswith(_RESERVED) and any(matches(key, p) for p in patterns)
    }


def all_copyable(tags: Tags, patterns: Sequence[str], *, beside: int) -> bool:
    """Tell whether EC2 may copy the whole tag set by itself, next to `beside` tags of ours.

    EC2's `CopyTagsFromSource` is all or nothing. `caretaker:backup` may come along: it opts volumes
    in, not snapshots.
    """
    free = {key: value for key, value in tags.items() if key != BACKUP}
    return len(copyable(free, patterns)) == len(free) and len(tags) + beside <= MAX_TAGS


def common(tag_sets: Iterable[Tags]) -> dict[str, str]:
    """Return the tags that all sets hold with the same value."""
    pairs = [set(tags.items()) for tags in tag_sets]
    return dict(sorted(set.intersection(*pairs))) if pairs else {}


def fitting(copied: Tags, *, beside: int) -> dict[str, str]:
    """Return as many of these tags as fit into a set next to `beside` tags of ours."""
    return dict(list(copied.items())[: MAX_TAGS - beside])
