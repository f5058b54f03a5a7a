"""Recycle Bin: retention rules, and the snapshots they keep.

Source: Recycle Bin API reference; EBS user guide, "Recycle Bin".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import choice
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Where

SNAPSHOTS = "EBS_SNAPSHOT"
AVAILABLE = "available"

Pairs = tuple[tuple[str, str], ...]


@dataclass
class Rule:
    """A retention rule: of a whole region but for `excluded` tags, or of `tags`."""

    days: int
    resource_type: str = SNAPSHOTS
    tags: Pairs = ()
    excluded: Pairs = ()
    description: str = ""
    status: str = AVAILABLE
    identifier: str = field(
        default_factory=lambda: "".join(choice(ascii_letters + digits) for _ in range(11))
    )

    def covers(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a snapshot with these tags is kept; only an available rule keeps any."""
        if self.status != AVAILABLE or self.resource_type != SNAPSHOTS:
            return False
        if self.tags:
            return any(tags.get(key) == value for key, value in self.tags)
        return not any(tags.get(key) == value for key, value in self.excluded)


@dataclass
class Binned:
    """A snapshot in the bin, as moto knew it."""

    snapshot: Any
    where: Where
    entered_at: datetime
    exits_at: datetime


class RecycleBin:
    """The rules and the bins of every account and region."""

    def __init__(self) -> None:
        """Start without rules: what is deleted is gone."""
        self.rules: dict[Where, dict[str, Rule]] = {}
        self.kept: dict[str, Binned] = {}

    def add(self, where: Where, rule: Rule) -> Rule:
        """Take in a rule."""
        self.rules.setdefault(where, {})[rule.identifier] = rule
        return rule

    def receive(
        self, snapshot: Any, tags: Mapping[str, str], where: Where, now: datetime
    ) -> Binned | None:
        """Keep a deleted snapshot where a rule covers it; of several rules the longest counts."""
        days = [each.days for each in self.rules.get(where, {}).values() if each.covers(tags)]
        if not days:
            return None
        kept = Binned(snapshot, where, now, now + timedelta(days=max(days)))
        self.kept[snapshot.id] = kept
        return kept

    def contents(self, where: Where, now: datetime) -> list[Binned]:
        """Return what is in a region's bin now."""
        for snapshot_id in [key for key, each in self.kept.items() if each.exits_at <= now]:
            del self.kept[snapshot_id]
        return [each for each in self.kept.values() if each.where == where]

    def age(self, shift: timedelta) -> None:
        """Move what is in the bin into the past."""
        for each in self.kept.values():
            each.entered_at -= shift
            each.exits_at -= shift
            each.snapshot.start_time -= shift
