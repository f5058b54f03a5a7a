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
from tests.cloud.account_volumes import VolumesPlace
from tests.cloud.bare import bare_instances
from tests.cloud.power import USER, put_down

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
class Account(HealthPlace, ServicesPlace, VolumesPlace):
    """Puts resources into one account and region of a strict cloud."""

    _count: int = field(default=0, init=False)

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
        rootless = bool(launch.get("instance_store"))
        wanted = volume_tags if volume_tags or rootless else ({},)
        encryption = {"encrypted": encrypted, "kms_key": kms_key}
        disks = [{"tags": each, **encryption} for each in wanted]
        return self.machine_with_volumes(
            *disks, tags=tags, name=name, state=state, zone=zone, **launch
        )

    def machine_with_volumes(
        self,
        *disks: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
        name: str = "",
        state: str = "running",
        zone: str = "",
        **launch: Unpack[Launch],
    ) -> SeededInstance:
        """Add an instance with exactly these volumes, the first its root; see `Launch`.

        Each is what `volume` takes, and `device`, `deletes_on_termination` and `blocks` (what is
        written on it, by index).
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
        ids = []
        for position, disk in enumerate(disks, start=int(bool(launch.get("instance_store")))):
            ids.append(self._seat(instance.id, position, {"zone": zone, **disk}))
            if "operator" in launch:
                self.manage(ids[-1], launch["operator"])
        return SeededInstance(instance.id, name, tuple(ids))

    def _seat(self, instance_id: str, position: int, disk: dict[str, Any]) -> str:
        device = disk.pop("device", "") or _device(position)
        goes, blocks = disk.pop("deletes_on_termination", None), disk.pop("blocks", {})
        volume_id = self.volume(**disk)
        self.write_blocks(volume_id, blocks)
        root = position == 0
        self.attach(volume_id, instance_id, device, root=root, deletes_on_termination=goes)
        return volume_id

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
        self.cloud.extras.blocks.copy(volume_id, snapshot.id)
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
