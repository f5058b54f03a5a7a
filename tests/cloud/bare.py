"""Launches instances behind EC2's API."""

from __future__ import annotations

from typing import Any


def bare_instances(backend: Any, zone: str) -> Any:
    """Launch one instance without volumes, tags or public address; return its reservation."""
    reservation = backend.run_instances(
        "ami-12345678",
        1,
        "",
        [],
        instance_type="t3.small",
        is_instance_type_default=False,
        placement=zone,
        block_device_mappings=None,
    )
    for instance in reservation.instances:
        for eni in instance.nics.values():
            eni.public_ip, eni.public_ip_auto_assign = None, False
    return reservation
