"""Keys: an instance does not start when EC2 cannot use the key of one of its volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.aws.keys import why_unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.run import Scene


def bad_keys(scene: Scene, keys: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Return, by instance, which key of a volume could not be used at a start, and why.

    `ListingError` when that cannot be told.
    """
    problems = {key: why_unusable(scene, key) for key in sorted(frozenset().union(*keys.values()))}
    return {
        instance_id: next(problems[key] for key in sorted(its_keys) if problems[key])
        for instance_id, its_keys in keys.items()
        if any(problems[key] for key in its_keys)
    }
