"""Decide which snapshots are taken by one call: pure, from the decisions and the same facts.

Limits of a set: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceSpecification.html
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.decisions import Batch, Detail

from .plan import Action, Facts, History, VolumeDecision, histories
from .request import Consistency, SnapshotRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caretaker.ec2 import Volume

MAX_SET: Final = 128
MAX_EXCLUDED: Final = 40
SET_STATES: Final = frozenset({"running", "stopping", "stopped"})
OUR_TAGS: Final = 7
"""managed-by, policy, slot, run, attempt, instance, and one day delete-after."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unit(Batch):
    """What one CreateSnapshots or CreateSnapshot call takes.

    `instance_id` is set for a set and for the volume of an instance alike; `is_set` tells which
    call it is. `clear` are failed snapshots to delete first; `tags` go on top of ours; `own_tags`
    are those that each member of a set would get by itself.
    """

    is_set: bool = False
    instance_id: str = ""
    attempt: int = 1
    clear: tuple[str, ...] = ()
    exclude_boot: bool = False
    exclude_volumes: tuple[str, ...] = ()
    copy_all_tags: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    own_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def volume_ids(self) -> tuple[str, ...]:
        """Return the volumes it takes."""
        return tuple(decision.target for decision in self.decisions)


def plan_units(
    decisions: Iterable[VolumeDecision], facts: Facts, request: SnapshotRequest, *, slot: str
) -> list[Unit]:
    """Group the changes into calls: the oldest backup first, retakes (which have to wait) last."""
    grouping = _Grouping(facts, request)
    groups: defaultdict[tuple[str, str, int], list[VolumeDecision]] = defaultdict(list)
    for decision in decisions:
        if decision.is_change:
            groups[grouping.key_of(decision)].append(decision)
    units = [unit for key, members in groups.items() for unit in grouping.units(key[0], members)]
    past = histories(facts.snapshots, slot)
    return sorted(units, key=lambda unit: (unit.attempt > 1, _oldest(unit, past), unit.volume_ids))


def _oldest(unit: Unit, past: Mapping[str, History]) -> datetime:
    newest = [past.get(volume_id, History()).newest_good for volume_id in unit.volume_ids]
    return min(snapshot.started if snapshot else _NEVER for snapshot in newest)


class _Grouping:
    """The facts, by volume and by instance."""

    def __init__(self, facts: Facts, request: SnapshotRequest) -> None:
        self._request = request
        self._instances = facts.instances
        self._volumes = {volume.id: volume for volume in facts.volumes}
        self._members: defaultdict[str, list[Volume]] = defaultdict(list)
        for volume in facts.volumes:
            for instance_id in volume.instance_ids:
                self._members[instance_id].append(volume)

    def key_of(self, decision: VolumeDecision) -> tuple[str, str, int]:
        """Members of one set: same instance, same action, same attempt.

        A multi-attach volume belongs to the first of its instances, so that it is taken once.
        """
        instance_id = next(iter(self._volumes[decision.target].instance_ids), "")
        alone = not instance_id or decision.action == Action.GIVE_UP
        return (
            ("", decision.target, decision.attempt)
            if alone
            else (instance_id, "", decision.attempt)
        )

    def units(self, instance_id: str, members: Sequence[VolumeDecision]) -> list[Unit]:
        """Return one set, or a unit for each member where a set is not possible."""
        lost = self._why_not_together(instance_id, members)
        if lost is None and len(members) > 1:
            return [self._set(instance_id, members)]
        notes = {"consistency": lost} if lost and len(members) > 1 else {}
        return [self._single(instance_id, member, notes) for member in members]

    def _why_not_together(self, instance_id: str, members: Sequence[VolumeDecision]) -> str | None:
        if self._request.consistency is Consistency.VOLUME:
            return "volume_by_request"
        instance = self._instances.get(instance_id)
        if instance is None or instance.state not in SET_STATES:
            return "volume_by_instance_state"
        if len(self._members[instance_id]) > MAX_SET:
            return "volume_by_set_size"
        if len(self._excluded_data(instance_id, members)) > MAX_EXCLUDED:
            return "volume_by_exclusions"
        return None

    def _set(self, instance_id: str, members: Sequence[VolumeDecision]) -> Unit:
        sources = [self._volumes[member.target] for member in members]
        patterns = self._request.copy_tags
        copy_all = all(tag.all_copyable(s.tags, patterns, beside=OUR_TAGS) for s in sources)
        wanted = [tag.copyable(source.tags, patterns) for source in sources]
        copied = {} if copy_all else tag.fitting(tag.common(wanted), beside=OUR_TAGS)
        reduced = not copy_all and any(tags != copied for tags in wanted)
        chosen = {member.target for member in members}
        return Unit(
            lane="CreateSnapshots",
            decisions=tuple(members),
            is_set=True,
            instance_id=instance_id,
            attempt=members[0].attempt,
            clear=_clear(members),
            exclude_boot=any(
                self._is_boot(v, instance_id)
                for v in self._members[instance_id]
                if v.id not in chosen
            ),
            exclude_volumes=self._excluded_data(instance_id, members),
            copy_all_tags=copy_all,
            tags=copied,
            own_tags={
                source.id: tag.fitting(tags, beside=OUR_TAGS)
                for source, tags in zip(sources, wanted, strict=True)
            },
            notes={"tags": "tags_reduced"} if reduced else {},
        )

    def _single(self, instance_id: str, member: VolumeDecision, notes: Detail) -> Unit:
        source = self._volumes[member.target]
        wanted = tag.copyable(source.tags, self._request.copy_tags)
        kept = tag.fitting(wanted, beside=OUR_TAGS)
        trimmed = {"tags": "tags_reduced"} if len(kept) < len(wanted) else {}
        return Unit(
            lane="DeleteSnapshot" if member.action == Action.GIVE_UP else "CreateSnapshot",
            decisions=(member,),
            instance_id=instance_id,
            attempt=member.attempt,
            clear=_clear([member]),
            tags=kept,
            notes={**notes, **trimmed},
        )

    def _excluded_data(
        self, instance_id: str, members: Sequence[VolumeDecision]
    ) -> tuple[str, ...]:
        chosen = {member.target for member in members}
        return tuple(
            sorted(
                volume.id
                for volume in self._members[instance_id]
                if volume.id not in chosen and not self._is_boot(volume, instance_id)
            )
        )

    def _is_boot(self, volume: Volume, instance_id: str) -> bool:
        root = self._instances[instance_id].root_device if instance_id in self._instances else ""
        return any(
            attachment.instance_id == instance_id and attachment.device == root
            for attachment in volume.attachments
        )


def _clear(members: Iterable[VolumeDecision]) -> tuple[str, ...]:
    return tuple(sorted({snapshot_id for member in members for snapshot_id in member.clear}))
