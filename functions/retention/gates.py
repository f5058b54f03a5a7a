"""The gates: each may keep a snapshot, none may send one away. Pure.

A snapshot goes only when every gate lets it through, so a gate more can only keep more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker import tags as tag
from caretaker.decisions import NOTHING, Detail
from caretaker.ec2 import STANDARD_TIER, Snapshot, SnapshotState

from .case import Case, reason_not_ours
from .facts import Reason

if TYPE_CHECKING:
    from caretaker.decisions import Json

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MIN_AGE: Final = timedelta(hours=24)


class Stop(NamedTuple):
    """A gate that is closed: why, and what shows it."""

    reason: Reason
    detail: Detail = NOTHING


type Gate = Callable[[Snapshot, Case], Stop | None]


def scope(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what we made for this policy."""
    reason = reason_not_ours(snapshot, case.facts)
    if reason is None and snapshot.policy != case.request.policy:
        reason = Reason.OTHER_POLICY
    return Stop(reason) if reason else None


def state(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what is finished: good, or failed and older than a good one."""
    if snapshot.state == SnapshotState.ERROR:
        good = case.newest.get(snapshot.volume_id)
        superseded = good is not None and good.started > snapshot.started
        return None if superseded else Stop(Reason.NEWEST_FAILED)
    if snapshot.state == SnapshotState.PENDING:
        return Stop(Reason.PENDING)
    if snapshot.state != SnapshotState.COMPLETED:
        return Stop(Reason.STATE_UNKNOWN, {"state": snapshot.state})
    return None


def tier(snapshot: Snapshot, _: Case) -> Stop | None:
    """Let through the standard tier: AWS bills an archived one for 90 days at least.

    https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html
    """
    return Stop(Reason.ARCHIVED) if snapshot.tier != STANDARD_TIER else None


def age(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what is a day old."""
    return Stop(Reason.TOO_YOUNG) if case.now - snapshot.started < MIN_AGE else None


def rules(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what no rule keeps and what is not a volume's last good one."""
    if snapshot.id in case.kept:
        shown: list[Json] = list(case.kept[snapshot.id])
        return Stop(Reason.KEPT_BY_RULE, {"rules": shown})
    newest = case.newest.get(snapshot.volume_id)
    return Stop(Reason.LAST_GOOD) if newest is not None and newest.id == snapshot.id else None


def references(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what nothing else needs."""
    if snapshot.id in case.shared:
        return Stop(Reason.SHARED)
    reason = case.facts.references.get(snapshot.id)
    return Stop(reason) if reason else None


def opt_out(snapshot: Snapshot, case: Case) -> Stop | None:
    """Let through what nobody asked to keep, or not beyond a day that has passed."""
    value = snapshot.tags.get(tag.KEEP)
    if value is None or _has_passed(value, case.now):
        return None
    return Stop(Reason.KEEP_TAG, {"keep": value})


def _has_passed(value: str, now: datetime) -> bool:
    """Tell whether the tag holds a day, or a time with its zone, that is over; else it keeps."""
    try:
        if _DAY.fullmatch(value):
            end = datetime.combine(date.fromisoformat(value), time.max, UTC)
        elif _DAY.match(value):
            end = datetime.fromisoformat(value)
        else:
            return False
    except ValueError:
        return False
    return end.tzinfo is not None and end < now


CHAIN: Final[tuple[Gate, ...]] = (scope, state, tier, age, rules, references, opt_out)


def closed_gate(snapshot: Snapshot, case: Case) -> Stop | None:
    """Return the first gate that is closed to a snapshot; None when it may go."""
    return next((stop for gate in CHAIN if (stop := gate(snapshot, case))), None)


def why_it_goes(snapshot: Snapshot, case: Case) -> Reason:
    """Return what it is that lets a snapshot go which no gate keeps."""
    if snapshot.state == SnapshotState.ERROR:
        return Reason.FAILED
    if snapshot.id in case.spares:
        return Reason.SPARE
    return Reason.ORPHAN_EXPIRED if snapshot.id in case.orphans else Reason.EXPIRED
