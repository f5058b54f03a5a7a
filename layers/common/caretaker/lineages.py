"""Lineages: a volume that was restored from a snapshot continues that of the snapshot's. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from caretaker.ec2 import Snapshot
    from caretaker.tags import Tags


def lineages(snapshots: Iterable[Snapshot], volumes: Mapping[str, Tags]) -> dict[str, str]:
    """Return, for each volume, the first of its lineage; `volumes` are the tags of those there are.

    A snapshot that is gone, or is a copy, breaks the line: the volume then begins one of its own.
    """
    return {volume: line[-1] for volume, line in lines_of(snapshots, volumes).items()}


def lines_of(
    snapshots: Iterable[Snapshot], volumes: Mapping[str, Tags]
) -> dict[str, tuple[str, ...]]:
    """Return, for each volume, itself and those that it continues, the nearest first."""
    volume_of = {s.id: s.volume_id for s in snapshots if s.volume_id != COPIED_VOLUME_ID}
    parent = {
        volume_id: volume_of.get(tags.get(tag.RESTORED_FROM, ""), volume_id)
        for volume_id, tags in volumes.items()
    }
    return {volume_id: _line(volume_id, parent) for volume_id in {*parent, *volume_of.values()}}


def _line(volume_id: str, parent: Mapping[str, str]) -> tuple[str, ...]:
    line = [volume_id]
    while (before := parent.get(line[-1], volume_id)) not in line:
        line.append(before)
    return tuple(line)


def by_volume(snapshots: Iterable[Snapshot]) -> Mapping[str, Sequence[Snapshot]]:
    """Return the snapshots of each volume, the oldest first."""
    found: defaultdict[str, list[Snapshot]] = defaultdict(list)
    for each in sorted(snapshots, key=lambda snapshot: (snapshot.started, snapshot.id)):
        found[each.volume_id].append(each)
    return found


def backups_along(
    line: Sequence[str],
    made: Mapping[str, datetime],
    snapshots: Mapping[str, Sequence[Snapshot]],
) -> Iterator[Snapshot]:
    """Yield the snapshots of what a volume holds or held, its own last.

    `line` is the volume and those that it continues, `made` when volumes were made. What one held
    after the next was made of it, was never the next one's own: it may live on beside it.
    """
    for after, volume_id in reversed(tuple(pairwise(line))):
        born = made.get(after)
        yield from (s for s in snapshots.get(volume_id, ()) if born and s.started < born)
    yield from snapshots.get(line[0], ())
