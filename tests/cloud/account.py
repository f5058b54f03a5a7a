"""Fills an account: single resources for tests, and the whole demo account.

Everything goes straight into moto's tables: no call is logged, no limit or bucket is touched.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Unpack
from zipfile import ZipFile

from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends

from tests.cloud.account_fleet import Launch
from tests.cloud.account_health import HealthPlace
from tests.cloud.account_services import ServicesPlace
from tests.cloud.bare import bare_instances
from tests.cloud.power import USER, put_down
from tests.cloud.views import aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BACKUP_TAG = "caretaker:backup"
ROOT_DEVICE = "/dev/sda1"


@dataclass(frozen=True, slots=True)
class SeededInstance:
    """One instance; its first volume is the root."""

    id: str
    name: str
    volume_ids: tuple[str, ...]


@dataclass
class Account(HealthPlace, ServicesPlace):
    """Puts resources into one account and region of a strict cloud."""

    _count: int = field(default=0, init=False)

    def volume(
        self,
        *,
        tags: Mapping[str, str] | None = None,
        size: int = 8,
        volume_type: str = "gp3",
        encrypted: bool = False,
        multi_attach: bool = False,
        state: str = "",
        snapshot_id: str = "",
        age_hours: float = 30 * 24,
        zone: str = "",
        kms_key: str = "",
    ) -> str:
        """Add a volume and return its id; multi-attach ones are io2, with a key it is encrypted.

        One made from a snapshot, which may be gone, is in state `creating` for as long as it is
        told to; `cloud.extras.states.pop(volume_id)` ends that.
        """
        backend = self.backend
        volume_type = "io2" if multi_attach else volume_type
        volume = backend.create_volume(
            size=size,
            zone_name=self.zone_named(zone),
            encrypted=encrypted or bool(kms_key),
            kms_key_id=kms_key or None,
            volume_type=volume_type,
            iops=100 if volume_type in {"io1", "io2"} else None,
            multi_attach_enabled=multi_attach or None,
        )
        volume.create_time = self.cloud.clock.now() - timedelta(hours=age_hours)
        volume.snapshot_id = snapshot_id or None
        backend.tags[volume.id] = dict(tags or {})
        if state:
            self.cloud.extras.states[volume.id] = state
        return str(volume.id)

    def instance(
        self,
        *volume_tags: Mapping[str, str],
        tags: Mapping[str, str] | None = None,
        name: str = "",
        state: str = "running",
        encrypted: bool = False,
        kms_key: str = "",
        zone: str = "",
        **launch: Unpack[Launch],
    ) -> SeededInstance:
        """Add an instance with one volume for each set of tags, at least a root; see `Launch`.

        It is 30 days old unless told otherwise. One whose root is an instance store has the volumes
        that are named, none of them its root.
        """
        backend = self.backend
        self._count += 1
        name = name or f"machine-{self._count}"
        (instance,) = bare_instances(backend, self.zone_named(zone)).instances
        backend.tags[instance.id] = {"Name": name, **(tags or {})}
        self.shape(instance, launch)
        if state == "stopped":
            message = f"{USER}: User initiated shutdown"
            put_down(instance, USER, message, self.cloud.clock.now())
        rootless = bool(launch.get("instance_store"))
        wanted = volume_tags if volume_tags or rootless else ({},)
        disk = {"encrypted": encrypted, "kms_key": kms_key, "zone": zone}
        ids = [self.volume(tags=each, **disk) for each in wanted]  # type: ignore[arg-type]
        for position, volume_id in enumerate(ids, start=int(rootless)):
            self.attach(volume_id, instance.id, _device(position), root=position == 0)
            if "operator" in launch:
                self.manage(volume_id, launch["operator"])
        return SeededInstance(instance.id, name, tuple(ids))

    def attach(self, volume_id: str, instance_id: str, device: str, *, root: bool = False) -> None:
        """Attach a volume, also a second time where it is a multi-attach one."""
        backend = self.backend
        volume = backend.volumes[volume_id]
        if volume.attachment is not None:
            others = self.cloud.extras.attachments.setdefault(volume_id, [])
            others.append(volume.attachment)
        made = backend.attach_volume(volume_id, instance_id, device, delete_on_termination=root)
        moment = max(aware(volume.create_time), aware(made.instance.launch_time))
        made.attach_time = moment
        made.instance.block_device_mapping[device].attach_time = moment

    def snapshot(
        self,
        volume_id: str,
        *,
        age_hours: float = 0.0,
        state: str = "completed",
        tags: Mapping[str, str] | None = None,
        owner: str = "",
        public: bool = False,
        message: str = "",
        description: str = "",
        tier: str = "standard",
        full_bytes: int | None = None,
        encrypted: bool | None = None,
    ) -> str:
        """Add a snapshot as if it had been started `age_hours` ago; its volume may be gone."""
        backend = self.backend
        volume = backend.volumes.get(volume_id)
        known = volume is not None
        if not known:
            backend.volumes[volume_id] = SimpleNamespace(
                id=volume_id, size=8, encrypted=False, kms_key_id=None
            )
        snapshot = backend.create_snapshot(volume_id, description, owner_id=owner or None)
        if not known:
            del backend.volumes[volume_id]
        snapshot.start_time = self.cloud.clock.now() - timedelta(hours=age_hours)
        snapshot.status = state
        snapshot.state_message = message
        backend.tags[snapshot.id] = dict(tags or {})
        snapshot.storage_tier = tier
        if encrypted is not None:
            snapshot.encrypted = encrypted
        if full_bytes is not None:
            self.cloud.extras.full_sizes[snapshot.id] = full_bytes
        if public:
            self.cloud.extras.public.add(snapshot.id)
        return str(snapshot.id)

    def function(self, name: str) -> str:
        """Add a Lambda function that can be invoked and does nothing; return its ARN."""
        code = BytesIO()
        with ZipFile(code, "w") as archive:
            archive.writestr("app.py", "")
        role = iam_backends[self.account]["aws"].create_role(name, "{}", "/", "", "", [], None)
        made = lambda_backends[self.account][self.region].create_function(
            {
                "FunctionName": name,
                "Runtime": "python3.13",
                "Handler": "app.handler",
                "Role": role.arn,
                "Code": {"ZipFile": b64encode(code.getvalue()).decode()},
            },
        )
        return str(made.function_arn)

    def manage(self, resource_id: str, principal: str = "eks.amazonaws.com") -> None:
        """Let a service manage a resource (`Operator.Managed`)."""
        self.cloud.extras.operators[resource_id] = principal

    def remove_volume(self, volume_id: str) -> None:
        """Delete a volume behind everybody's back; its snapshots stay."""
        backend = self.backend
        volume = backend.volumes.pop(volume_id)
        self.cloud.extras.attachments.pop(volume_id, None)
        if volume.attachment is not None:
            volume.attachment.instance.block_device_mapping.pop(volume.attachment.device)

    def own_snapshots(self, volume_id: str = "") -> list[Any]:
        """Return the snapshots this account owns, of one volume or of all, oldest first."""
        found = [
            each
            for each in self.backend.snapshots.values()
            if each.owner_id == self.account and volume_id in {"", each.volume_id}
        ]
        return sorted(found, key=lambda each: (each.start_time, each.id))

    def tag(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set tags behind everybody's back."""
        self.backend.tags[resource_id].update(tags)

    def tags_of(self, resource_id: str) -> dict[str, str]:
        """Return a resource's tags."""
        return dict(self.backend.tags.get(resource_id, {}))


def _device(position: int) -> str:
    return ROOT_DEVICE if position == 0 else f"/dev/xvd{_letters(position)}"


def _letters(position: int) -> str:
    first, second = divmod(position, 26)
    last = chr(ord("a") + second)
    return last if first == 0 else chr(ord("a") + first) + last


def ids_of(instances: Iterable[SeededInstance]) -> tuple[str, ...]:
    """Return all volumes of these instances."""
    return tuple(volume_id for each in instances for volume_id in each.volume_ids)
