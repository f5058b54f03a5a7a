"""Months of nightly snapshots, as the snapshot chore would have left them behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.cloud.remote import RemoteCloud

STRANGER = "999999999999"
MARK = "caretaker:delete-after"
TIMES = (MARK, "caretaker:slot")
"""Tags that move along when a history is to age: `RemoteCloud.age(hours, tags=TIMES)`."""


@dataclass(frozen=True, slots=True)
class History:
    """The snapshots of some volumes by night; night 1 is the newest.

    `guarded` are those that something outside the rules keeps, by what it is; `foreign` those that
    look like Caretaker's and are not.
    """

    policy: str
    nights: Mapping[int, tuple[str, ...]]
    guarded: Mapping[str, str]
    foreign: Mapping[str, str]

    @property
    def all(self) -> frozenset[str]:
        """The snapshots that Caretaker made."""
        return frozenset(each for night in self.nights.values() for each in night)

    def older_than(self, nights: int) -> frozenset[str]:
        """Return the snapshots before the newest so many nights."""
        old = (ids for night, ids in self.nights.items() if night > nights)
        return frozenset(each for ids in old for each in ids)


def nights_kept(
    slots: Iterable[datetime], *, daily: int, weekly: int, monthly: int, within_days: int
) -> set[datetime]:
    """Work out by hand which slots such rules keep; slots are in UTC."""
    newest_first = sorted(slots, reverse=True)
    kept = {each for each in newest_first if newest_first[0] - each < timedelta(days=within_days)}
    for shape, number in (("%Y-%m-%d", daily), ("%G-%V", weekly), ("%Y-%m", monthly)):
        newest: dict[str, datetime] = {}
        for each in newest_first:
            newest.setdefault(each.strftime(shape), each)
        kept |= set(list(newest.values())[:number])
    return kept


def let_marks_age(ec2: RemoteCloud, hours: float) -> None:
    """Let time pass for marks alone: slots stay in their weeks and months."""
    for each in ec2.snapshots():
        tags = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
        if MARK in tags:
            due = datetime.fromisoformat(tags[MARK]) - timedelta(hours=hours)
            ec2.seed("tag", each["SnapshotId"], {MARK: due.strftime("%Y-%m-%dT%H:%M:%SZ")})


@dataclass(frozen=True, slots=True)
class Past:
    """Writes histories of one installation into an account; the newest night was `until`."""

    ec2: RemoteCloud
    installation: str
    until: datetime

    def nights(
        self, policy: str, volume_ids: tuple[str, ...], number: int, *, gib: float = 0
    ) -> dict[int, tuple[str, ...]]:
        """Add one good snapshot of each volume for each of so many nights; return their ids."""
        return {
            night: tuple(self.snapshot(policy, each, night, gib=gib) for each in volume_ids)
            for night in range(1, number + 1)
        }

    def night(self, night: int) -> datetime:
        """Return when that night's snapshots were started."""
        return self.until - timedelta(days=night - 1)

    def snapshot(
        self, policy: str, volume_id: str, night: int, *, gib: float = 0, **odd: object
    ) -> str:
        """Add one snapshot; `odd` is what `Account.snapshot` takes."""
        started = self.night(night)
        slot = started.strftime("%Y-%m-%dT%H:%MZ")
        tags = {
            "caretaker:managed-by": self.installation,
            "caretaker:policy": policy,
            "caretaker:slot": slot,
            "caretaker:attempt": "1",
        }
        size = {"full_bytes": round(gib * 2**30)} if gib else {}
        made = {"tags": tags, "description": f"caretaker {policy} {slot}", **size, **odd}
        age_hours = (datetime.now(UTC) - started) / timedelta(hours=1)
        return self.ec2.snapshot(volume_id, age_hours=age_hours, **made)

    def guard(self, **guards: str) -> dict[str, str]:
        """Guard snapshots: `image`, `launch_template`, `shared`, `locked`, `kept`, by their ids."""
        ways = {
            "image": lambda each: self.ec2.seed("image", each),
            "launch_template": lambda each: self.ec2.seed("launch_template", [each]),
            "shared": lambda each: self.ec2.seed("share", each, STRANGER),
            "locked": lambda each: self.ec2.seed("lock", each, days=365),
            "kept": lambda each: self.ec2.seed("tag", each, {"caretaker:keep": "true"}),
        }
        for guard, snapshot_id in guards.items():
            ways[guard](snapshot_id)
        return dict(guards)

    def foreign(self, policy: str, volume_id: str, night: int) -> dict[str, str]:
        """Add old snapshots that bear Caretaker's tags and are somebody else's all the same."""
        return {
            "tagged_by_hand": self.snapshot(policy, volume_id, night, description="before upgrade"),
            "of_another_account": self.snapshot(policy, volume_id, night, owner=STRANGER),
        }
