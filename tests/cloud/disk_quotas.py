"""Quotas of EBS: how many TiB and IOPS the volumes of a type may have in a region.

Source: EBS user guide, "Quotas for Amazon EBS"; the codes are those Service Quotas lists for `ebs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Extras

_GIB_PER_TIB = 1024


@dataclass(frozen=True, slots=True)
class DiskQuota:
    """A quota as Service Quotas has it, with AWS's default."""

    name: str
    value: float


STORAGE: Mapping[str, str] = {
    "gp2": "L-D18FCD1D",
    "gp3": "L-7A658B76",
    "io1": "L-FD252861",
    "io2": "L-09BD8365",
    "sc1": "L-17AF77E8",
    "st1": "L-82ACEF56",
    "standard": "L-9CF3C2EB",
}
IOPS: Mapping[str, str] = {"io1": "L-B3A130E6", "io2": "L-8D977E7E"}
_WORDS: Mapping[str, str] = {
    "gp2": "General Purpose SSD (gp2)",
    "gp3": "General Purpose SSD (gp3)",
    "io1": "Provisioned IOPS SSD (io1)",
    "io2": "Provisioned IOPS SSD (io2)",
    "sc1": "Cold HDD (sc1)",
    "st1": "Throughput Optimized HDD (st1)",
    "standard": "Magnetic (standard)",
}
QUOTAS: Mapping[str, DiskQuota] = {
    **{
        code: DiskQuota(
            f"Storage for {_WORDS[kind]} volumes, in TiB", 20.0 if kind == "io2" else 50.0
        )
        for kind, code in STORAGE.items()
    },
    IOPS["io1"]: DiskQuota(f"IOPS for {_WORDS['io1']} volumes", 300_000.0),
    IOPS["io2"]: DiskQuota(f"IOPS for {_WORDS['io2']} volumes", 100_000.0),
}
"""By code."""


def refuse_over_quota(backend: Any, extras: Extras, kind: str, size: int, iops: int) -> None:
    """Refuse a volume of so many GiB and IOPS that its type's quotas do not hold."""
    alike = [each for each in backend.volumes.values() if each.volume_type == kind]
    gib = sum(each.size for each in alike) + size
    if gib > value_of(extras, STORAGE[kind]) * _GIB_PER_TIB:
        raise Refusal(
            "VolumeLimitExceeded",
            f"You have exceeded your maximum {kind} volume storage limit of "
            f"{value_of(extras, STORAGE[kind])} TiB in this region.",
        )
    code = IOPS.get(kind)
    if code and sum(each.iops or 0 for each in alike) + iops > value_of(extras, code):
        raise Refusal("MaxIOPSLimitExceeded", f"Volume iops of {iops} is over your limit.")


def value_of(extras: Extras, code: str) -> float:
    """Return a quota's value: AWS's default, or what it was raised to."""
    return extras.quotas.get(code, QUOTAS[code].value)
