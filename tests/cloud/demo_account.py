"""The demo's account: 30 instances and 70 volumes, with everything that goes wrong in real ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cloud.account import BACKUP_TAG, Account, SeededInstance
from tests.cloud.lives import KMS_MESSAGE

if TYPE_CHECKING:
    from tests.cloud.views import View

IGNORE_TAG = "caretaker:ignore"
STRANGER = "999999999999"
DAILY = {BACKUP_TAG: "daily"}
BOTH = {BACKUP_TAG: "daily hourly"}
UNTAGGED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class DemoVolume:
    """One volume and the policies that select it; multi-attach ones name several instances."""

    id: str
    instance_ids: tuple[str, ...]
    policies: tuple[str, ...]
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """What was put there, exactly."""

    instances: tuple[SeededInstance, ...]
    volumes: tuple[DemoVolume, ...]
    multi_attach_volume_id: str
    failing_volume_id: str
    """Its first snapshot ends in error, and with it the set it belongs to."""
    ignored_volume_ids: tuple[str, ...]
    foreign_snapshots: Mapping[str, str]
    """Snapshots nobody may touch, by what they are: `stranger`, `spoofed`, `aws_backup`, `tool`,
    `other_installation`."""

    def selected(self, policy: str = "daily") -> frozenset[str]:
        """Return the ids of the volumes a policy selects."""
        return frozenset(each.id for each in self.volumes if policy in each.policies)

    def unattached(self, policy: str = "daily") -> frozenset[str]:
        """Return the selected volumes that hang on no instance."""
        return frozenset(
            each.id for each in self.volumes if policy in each.policies and not each.instance_ids
        )

    def instances_of(self, policy: str = "daily") -> frozenset[str]:
        """Return the instances with at least one selected volume."""
        return frozenset(
            instance_id
            for each in self.volumes
            if policy in each.policies
            for instance_id in each.instance_ids
        )

    def members_of_failing_set(self) -> frozenset[str]:
        """Return the volumes whose first snapshots end in error together."""
        failing = next(each for each in self.volumes if each.id == self.failing_volume_id)
        return frozenset(
            each.id
            for each in self.volumes
            if "daily" in each.policies and set(each.instance_ids) & set(failing.instance_ids)
        )

    def to_json(self) -> View:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DemoAccount:
        """Read what `to_json` wrote."""
        return cls(
            tuple(
                SeededInstance(each["id"], each["name"], tuple(each["volume_ids"]))
                for each in data["instances"]
            ),
            tuple(
                DemoVolume(
                    each["id"],
                    tuple(each["instance_ids"]),
                    tuple(each["policies"]),
                    each["encrypted"],
                )
                for each in data["volumes"]
            ),
            data["multi_attach_volume_id"],
            data["failing_volume_id"],
            tuple(data["ignored_volume_ids"]),
            data["foreign_snapshots"],
        )


@dataclass
class _Seeding:
    account: Account
    instances: list[SeededInstance] = field(default_factory=list)
    volumes: list[DemoVolume] = field(default_factory=list)

    def machines(
        self,
        names: Iterable[str],
        *volume_tags: Mapping[str, str],
        tags: Mapping[str, str] = UNTAGGED,
        state: str = "running",
        encrypted: bool = False,
    ) -> None:
        for name in names:
            made = self.account.instance(
                *volume_tags, tags=tags, name=name, state=state, encrypted=encrypted
            )
            self.instances.append(made)
            self.volumes += [
                DemoVolume(volume_id, (made.id,), _policies(tags, own), encrypted)
                for volume_id, own in zip(made.volume_ids, volume_tags, strict=True)
            ]

    def loose(self, count: int, tags: Mapping[str, str]) -> None:
        for _ in range(count):
            volume_id = self.account.volume(tags=tags)
            self.volumes.append(DemoVolume(volume_id, (), _policies(UNTAGGED, tags)))

    def shared(self, tags: Mapping[str, str], machines: Iterable[SeededInstance]) -> str:
        volume_id = self.account.volume(tags=tags, size=100, multi_attach=True)
        ids = tuple(each.id for each in machines)
        for instance_id in ids:
            self.account.attach(volume_id, instance_id, "/dev/xvdm")
        self.volumes.append(DemoVolume(volume_id, ids, _policies(DAILY, tags)))
        return volume_id

    def named(self, name: str) -> SeededInstance:
        return next(each for each in self.instances if each.name == name)


def seed_demo(account: Account, installation: str = "caretaker") -> DemoAccount:
    """Fill the account; a stranger's snapshot is tagged as if `installation` had made it."""
    seeding = _Seeding(account)
    pair: tuple[Mapping[str, str], ...] = ({}, {})
    seeding.machines(_numbered("web", 10), *pair, tags=DAILY)
    seeding.machines(["api-1", "api-2"], *pair, tags=BOTH)
    seeding.machines(["vault-1", "vault-2"], *pair, tags=DAILY, encrypted=True)
    seeding.machines(["db-1"], DAILY, DAILY, {})
    seeding.machines(["db-2"], {}, {}, {IGNORE_TAG: "true"}, tags=DAILY)
    seeding.machines(["cluster-1", "cluster-2"], {}, tags=DAILY)
    seeding.machines(["archive-1"], *pair, tags=DAILY, state="stopped")
    seeding.machines(["scratch-1"], *pair, tags={**DAILY, IGNORE_TAG: "true"})
    seeding.machines(_numbered("build", 8), *pair)
    seeding.machines(["node-1", "node-2"], *pair)
    shared = seeding.shared({}, [seeding.named("cluster-1"), seeding.named("cluster-2")])
    seeding.loose(3, DAILY)
    seeding.loose(1, {**DAILY, IGNORE_TAG: "true"})
    seeding.loose(5, {})
    for name in ("node-1", "node-2"):
        account.manage(seeding.named(name).id)
    failing = seeding.named("web-03").volume_ids[1]
    account.cloud.fail_snapshots_of(failing, times=1, message=KMS_MESSAGE)
    return DemoAccount(
        tuple(seeding.instances),
        tuple(seeding.volumes),
        shared,
        failing,
        _ignored(account, seeding),
        _foreign(account, seeding.named("web-01").volume_ids[0], installation),
    )


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}-{number:02d}" for number in range(1, count + 1)]


def _policies(instance: Mapping[str, str], volume: Mapping[str, str]) -> tuple[str, ...]:
    if IGNORE_TAG in instance or IGNORE_TAG in volume:
        return ()
    named = f"{instance.get(BACKUP_TAG, '')} {volume.get(BACKUP_TAG, '')}".split()
    return tuple(dict.fromkeys(named))


def _ignored(account: Account, seeding: _Seeding) -> tuple[str, ...]:
    ignored = [
        each.id
        for each in seeding.volumes
        if any(IGNORE_TAG in account.tags_of(of) for of in (each.id, *each.instance_ids))
    ]
    return tuple(ignored)


def _foreign(account: Account, volume_id: str, installation: str) -> dict[str, str]:
    spoof = {
        "caretaker:managed-by": installation,
        "caretaker:policy": "daily",
        BACKUP_TAG: "daily",
    }
    return {
        "stranger": account.snapshot(volume_id, age_hours=900, owner=STRANGER, public=True),
        "spoofed": account.snapshot(
            volume_id, age_hours=901, owner=STRANGER, public=True, tags=spoof
        ),
        "aws_backup": account.snapshot(
            volume_id,
            age_hours=902,
            tags={"aws:backup:source-resource": f"{volume_id}:0a1b2c3d"},
            description="This snapshot is created by the AWS Backup service.",
        ),
        "tool": account.snapshot(
            volume_id, age_hours=903, tags={"aws:dlm:lifecycle-policy-id": "policy-0a1b2c3d4e5f"}
        ),
        "other_installation": account.snapshot(
            volume_id, age_hours=904, tags={**spoof, "caretaker:managed-by": "somebody-else"}
        ),
    }
