"""Moves what moto's EC2 holds into the past: that is how time passes for a deployed function."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")


def age_backend(backend: Any, shift: timedelta) -> None:
    """Move the times of one region's resources."""
    for snapshot in backend.snapshots.values():
        snapshot.start_time -= shift
    for volume in backend.volumes.values():
        volume.create_time -= shift
        for attachment in volume.attachments:
            attachment.attach_time -= shift
    for instance in backend.all_instances():
        instance.launch_time -= shift
    for eni in backend.enis.values():
        if eni.attach_time is not None:
            eni.attach_time -= shift
    for image in backend.amis.values():
        image.creation_date -= shift


def age_texts(backend: Any, shift: timedelta, keys: Sequence[str]) -> None:
    """Move the times in these tags; where any are named, those in descriptions too."""
    if not keys:
        return
    for tags in backend.tags.values():
        tags |= {key: aged(tags[key], shift) for key in keys if key in tags}
    for snapshot in backend.snapshots.values():
        snapshot.description = aged(snapshot.description or "", shift)


def aged(text: str, shift: timedelta) -> str:
    """Move every UTC time in a text; each keeps its seconds, or stays without."""

    def earlier(found: re.Match[str]) -> str:
        time = found[0]
        shape = "%Y-%m-%dT%H:%M:%SZ" if time.count(":") > 1 else "%Y-%m-%dT%H:%MZ"
        return (datetime.strptime(time, shape).replace(tzinfo=UTC) - shift).strftime(shape)

    return _TIME.sub(earlier, text)
