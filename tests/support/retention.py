"""Facts for tests of retention: ordinary snapshots of ours; keywords tell what is odd."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.decisions import Decision
from caretaker.ec2 import STANDARD_TIER, Snapshot, Volume, description_of
from caretaker.plans import StoredPlan
from caretaker.request import parse_request
from caretaker.slots import slot_of, slot_time
from functions.retention.facts import Facts, Population, Reason
from functions.retention.plan import Plan, plan_retention
from functions.retention.request import RetentionRequest
from tests.support.builders import ACCOUNT, NOW, POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from caretaker.decisions import Detail
    from caretaker.tags import Tags

INSTALLATION: Final = "prod"
VOLUME: Final = "vol-00000001"
OLD: Final = "snap-00000001"
NEW: Final = "snap-00000002"
KEEP_ONE: Final = {"last": 1}


def a_backup(
    snapshot_id: str = OLD,
    *,
    of: str = VOLUME,
    days: float = 40,
    slot: str | None = None,
    policy: str = POLICY,
    state: str = "completed",
    tier: str = STANDARD_TIER,
    gib: float = 8,
    owner: str = ACCOUNT,
    description: str | None = None,
    marked: timedelta | str | None = None,
    tags: Tags | None = None,
) -> Snapshot:
    """Return a snapshot made by the snapshot chore `days` before NOW.

    Its slot is the minute it was started in unless given. `marked` is the time from NOW to the end
    of its mark, or the tag as it stands.
    """
    started = NOW - timedelta(days=days)
    slot = slot_of(started) if slot is None else slot
    own = {tag.MANAGED_BY: INSTALLATION, tag.POLICY: policy, tag.SLOT: slot}
    if marked is not None:
        own[tag.DELETE_AFTER] = marked if isinstance(marked, str) else mark_at(NOW + marked)
    return Snapshot(
        id=snapshot_id,
        volume_id=of,
        state=state,
        started=started,
        owner_id=owner,
        tags={**own, **(tags or {})},
        description=description_of(policy, slot) if description is None else description,
        tier=tier,
        size_gib=gib,
    )


def backups(
    *slots: str, of: str = VOLUME, policy: str = POLICY, first: int = 1
) -> tuple[Snapshot, ...]:
    """Return one snapshot for each slot, started in its minute."""
    return tuple(
        a_backup(
            f"snap-{number:08x}",
            of=of,
            policy=policy,
            days=(NOW - slot_time(slot)) / timedelta(days=1),
        )
        for number, slot in enumerate(slots, first)
    )


def mark_at(until: datetime) -> str:
    """Return the tag that lets a snapshot go at a moment."""
    return until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_disk(volume_id: str = VOLUME, *, restored_from: str = "", state: str = "in-use") -> Volume:
    """Return a volume that exists."""
    tags = {tag.RESTORED_FROM: restored_from} if restored_from else {}
    return Volume(volume_id, state, NOW - timedelta(days=400), 8, "gp3", tags=tags)


def evidence(
    *snapshots: Snapshot,
    disks: Iterable[Volume] | None = None,
    references: Mapping[str, Reason] | None = None,
    last_seen: Population | None = None,
    approved: Iterable[str] = (),
    plan: Iterable[str] | None = None,
    refused_for: str = "blast_radius",
) -> Facts:
    """Return the facts of a run; without `disks` all volumes of the snapshots exist.

    `plan` are the snapshots of the plan that is approved, and `refused_for` is why it had to be.
    """
    if disks is None:
        disks = [a_disk(each) for each in sorted({s.volume_id for s in snapshots})]
    return Facts(
        account=ACCOUNT,
        installation=INSTALLATION,
        snapshots=snapshots,
        volumes=tuple(disks),
        references=references or {},
        last_seen=last_seen,
        approved=frozenset(approved),
        plan=None if plan is None else StoredPlan(refused_for, frozenset(plan)),
    )


def ask(keep: Mapping[str, int] = KEEP_ONE, **event: Any) -> RetentionRequest:
    """Return a request, checked as an event is."""
    return parse_request(RetentionRequest, {"keep": dict(keep), **event})


def planned(facts: Facts, request: RetentionRequest | None = None, now: datetime = NOW) -> Plan:
    """Return the plan of a run at NOW that keeps one slot, unless told otherwise."""
    return plan_retention(facts, request or ask(), now=now)


def verdicts(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return, by snapshot, what happens to it and why."""
    return {d.target: (d.action, d.reason) for d in plan.decisions}


def verdict(
    odd: Snapshot, *others: Snapshot, request: RetentionRequest | None = None, **known: Any
) -> tuple[str, str]:
    """Return what happens to a snapshot beside a new one that the rules keep, and why."""
    new = a_backup(NEW, of=odd.volume_id, days=2)
    return verdicts(planned(evidence(odd, new, *others, **known), request))[odd.id]


def a_crowd(number: int, *, first: int = 1, days: float = 40, **odd: Any) -> tuple[Snapshot, ...]:
    """Return snapshots of one volume, each a slot older than the one before it."""
    return tuple(
        a_backup(f"snap-{n:08x}", days=days + n, **odd) for n in range(first, first + number)
    )


def a_change(
    target: str = OLD,
    action: str = "mark",
    reason: str = Reason.EXPIRED,
    *,
    started: str = "2026-10-12T03:00:00Z",
    gib: float = 8,
    saving: float = 0.4,
) -> Decision:
    """Return a decision as a plan holds it."""
    shown: Detail = {"volume": VOLUME, "started": started, "gib": gib, "saving_per_month": saving}
    return Decision(target, action, reason, shown)


def ids(things: Iterable[Snapshot | Decision]) -> Sequence[str]:
    """Return the snapshots' ids."""
    return [t.id if isinstance(t, Snapshot) else t.target for t in things]
