"""Puts crowds into an account: thousands of resources that are all alike, but for their tags."""

from __future__ import annotations

import copy
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.cloud.account_fleet import FleetPlace
from tests.cloud.bare import bare_instances

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tags = Mapping[str, str]
    Put = Callable[[str], None]

_NUMBERS = count(1)


class CrowdedPlace(FleetPlace):
    """Seeds copies of one resource, without asking moto to make each."""

    def crowd(
        self,
        kind: str,
        number: int,
        *,
        tags: Tags | None = None,
        tags_of: Callable[[int], Tags] | None = None,
        zone: str = "",
    ) -> list[str]:
        """Add very many resources of one kind at once, all alike but for tags; return their ids.

        Kinds: instance (no volume, no interface), volume, snapshot, image, network-interface,
        elastic-ip, security-group, or another service's, as `rds:db`. `tags_of` takes the place.
        `zone` is where instances and volumes are.
        """
        if ":" in kind:
            return [
                self.resource(kind, tags=tags_of(place) if tags_of else tags)
                for place in range(number)
            ]
        ids = []
        prefix, put = self._cloner(kind, self.zone_named(zone))
        for place in range(number):
            identifier = f"{prefix}-c{next(_NUMBERS):016x}"
            put(identifier)
            self.backend_tags[identifier] = dict(tags_of(place) if tags_of else tags or {})
            ids.append(identifier)
        return ids

    @property
    def backend_tags(self) -> dict[str, dict[str, str]]:
        """moto's table of tags."""
        tags: dict[str, dict[str, str]] = self.backend.tags
        return tags

    def _cloner(self, kind: str, zone: str) -> tuple[str, Put]:
        """Return a kind's prefix, and what puts a copy of one into moto's table."""
        makers: Mapping[str, Callable[[], tuple[str, Put]]] = {
            "elastic-ip": self._addresses,
            "image": self._images,
            "instance": lambda: self._instances(zone),
            "network-interface": lambda: self._table("eni", "enis", self.network_interface()),
            "security-group": self._groups,
            "snapshot": self._snapshots,
            "volume": lambda: self._volumes(zone),
        }
        return makers[kind]()

    def _table(self, prefix: str, name: str, model_id: str) -> tuple[str, Put]:
        table = getattr(self.backend, name)
        model = table.pop(model_id)
        self.backend.tags.pop(model_id, None)

        def put(identifier: str) -> None:
            table[identifier] = _copy(model, id=identifier)

        return prefix, put

    def _volumes(self, zone: str) -> tuple[str, Put]:
        model = self.backend.create_volume(size=8, zone_name=zone, volume_type="gp3")
        model.create_time = self.cloud.clock.now() - timedelta(days=30)
        return self._table("vol", "volumes", model.id)

    def _snapshots(self) -> tuple[str, Put]:
        backend, volume = self.backend, "vol-cccccccc"
        backend.volumes[volume] = SimpleNamespace(
            id=volume, size=8, encrypted=False, kms_key_id=None
        )
        model = backend.create_snapshot(volume, "")
        del backend.volumes[volume]
        model.start_time = self.cloud.clock.now() - timedelta(days=30)
        return self._table("snap", "snapshots", model.id)

    def _images(self) -> tuple[str, Put]:
        prefix, put = self._table("ami", "amis", self.image())
        images, extras = self.backend.amis, self.cloud.extras

        def put_named(identifier: str) -> None:
            put(identifier)
            images[identifier].name = identifier
            extras.image_snapshots[identifier] = []

        return prefix, put_named

    def _instances(self, zone: str) -> tuple[str, Put]:
        backend = self.backend
        reservation = bare_instances(backend, zone)
        (model,) = reservation.instances
        reservation.instances.clear()
        for eni in model.nics.values():
            del backend.enis[eni.id]
        model.launch_time = self.cloud.clock.now() - timedelta(days=30)

        def put(identifier: str) -> None:
            state = copy.copy(model._state)  # noqa: SLF001
            reservation.instances.append(_copy(model, id=identifier, _state=state))

        return "i", put

    def _addresses(self) -> tuple[str, Put]:
        addresses = self.backend.addresses
        self.elastic_ip()
        model = addresses.pop()
        self.backend.tags.pop(model.allocation_id, None)

        def put(identifier: str) -> None:
            place = len(addresses)
            ip = f"52.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
            addresses.append(_copy(model, id=identifier, allocation_id=identifier, public_ip=ip))

        return "eipalloc", put

    def _groups(self) -> tuple[str, Put]:
        groups = self.backend.groups[self.backend.default_vpc.id]
        model = groups.pop(self.security_group())
        self.backend.tags.pop(model.id, None)

        def put(identifier: str) -> None:
            groups[identifier] = _copy(model, id=identifier, group_id=identifier, name=identifier)

        return "sg", put


def _copy(model: Any, **changed: object) -> Any:
    made = copy.copy(model)
    made.__dict__.update(changed)
    return made
