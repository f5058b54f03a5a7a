"""What the gates know beyond the snapshot before them: worked out once a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from caretaker.lineages import lineages
from caretaker.provenance import why_not_ours
from caretaker.slots import slot_time

from .facts import Facts, Reason, by_lineage, is_good, newest_good
from .keep import Rules, kept_slots

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from caretaker.ec2 import Snapshot

    from .request import RetentionRequest

"""How far before its slot a snapshot may have been started."""


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of one run, seen from any one of its snapshots.

    `kept` are the snapshots that the rules keep, `spares` those whose slot has a newer one of the
    same volume, `orphans` those of volumes that are gone for longer than they are kept. `newest`
    are the last good ones of each volume, over all policies; `good` is how many the policy has.
    `shared` and `deleted_at` are of the one snapshot that is looked at again before its change; a
    snapshot that had been deleted is back from the Recycle Bin.
    """

    facts: Facts
    request: RetentionRequest
    now: datetime
    kept: Mapping[str, Rules] = field(default_factory=dict)
    spares: frozenset[str] = frozenset()
    orphans: frozenset[str] = frozenset()
    newest: Mapping[str, Snapshot] = field(default_factory=dict)
    good: int = 0
    shared: frozenset[str] = frozenset()
    deleted_at: Mapping[str, datetime] = field(default_factory=dict)


def open_case(facts: Facts, request: RetentionRequest, now: datetime) -> Case:
    """Apply the rules to every lineage of the policy."""
    ours = [s for s in facts.snapshots if reason_not_ours(s, facts) is None]
    of_policy = [s for s in ours if is_good(s) and s.policy == request.policy]
    lineage_of = lineages(facts.snapshots, {v.id: v.tags for v in facts.volumes})
    living = {lineage_of[volume.id] for volume in facts.volumes}
    kept: dict[str, Rules] = {}
    spares: set[str] = set()
    orphans: set[str] = set()
    for lineage, members in by_lineage(of_policy, lineage_of).items():
        best = _best_of_slots(members)
        rules = kept_slots((s.slot for s in best), request.keep)
        if lineage not in living and _is_over(best, request, now):
            orphans.update(s.id for s in best)
        else:
            kept.update((s.id, rules[s.slot]) for s in best if s.slot in rules)
        spares.update({s.id for s in members} - {s.id for s in best})
    return Case(
        facts, request, now, kept, frozenset(spares), frozenset(orphans), newest_good(ours),
        len(of_policy),
    )  # fmt: skip


def reason_not_ours(snapshot: Snapshot, facts: Facts) -> Reason | None:
    """Return what speaks against our having made a snapshot; None when all speaks for it."""
    why = why_not_ours(snapshot, facts.account, facts.installation)
    return Reason(why) if why else None


def _best_of_slots(members: Iterable[Snapshot]) -> list[Snapshot]:
    """Return one snapshot of each volume and slot; any others of it are spares."""
    best: dict[tuple[str, str], Snapshot] = {}
    for snapshot in sorted(members, key=lambda s: (s.started, s.id)):
        best[snapshot.volume_id, snapshot.slot] = snapshot
    return list(best.values())


def _is_over(members: Collection[Snapshot], request: RetentionRequest, now: datetime) -> bool:
    """Tell whether a lineage without a volume has been kept for long enough."""
    if not request.orphans_keep_days:
        return False
    newest = max(slot_time(s.slot) for s in members)
    return newest + timedelta(days=request.orphans_keep_days) <= now
