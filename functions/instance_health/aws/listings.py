"""Listings: the status checks of all instances, and what else is known of some."""

from __future__ import annotations

from itertools import batched
from sys import intern
from typing import TYPE_CHECKING, Any, Final, cast

from caretaker import tags as tag
from caretaker.aws.ec2 import FILTER_VALUES, list_pages
from caretaker.aws.stops import lost_address
from functions.instance_health.facts import (
    IMPAIRED,
    RUNNING,
    Machine,
    ScheduledEvent,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_ec2.type_defs import InstanceStatusTypeDef, InstanceTypeDef

    from caretaker.run import Scene

_CHECKS: Final = ("SystemStatus", "AttachedEbsStatus", "InstanceStatus")
_OVER: Final = ("[completed]", "[canceled]", "[cancelled]")
"""How the description of an event begins that is over; it is listed for up to a week.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instances-status-check_sched.html
"""


def list_statuses(scene: Scene) -> tuple[Status, ...]:
    """Return the status of every instance there is, whatever state it is in.

    No filter: they hold together, and what is absent from a filtered answer may be anything.
    """
    found = list_pages(
        scene.pacer,
        scene.account.ec2.describe_instance_status,
        "DescribeInstanceStatus",
        "InstanceStatuses",
        IncludeAllInstances=True,
    )
    return tuple({item["InstanceId"]: _status(item) for item in found}.values())


def list_machines(scene: Scene, ids: Iterable[str]) -> dict[str, Machine]:
    """Return those instances that exist; a filter, as one id that is gone fails a list of ids."""
    parts = batched(sorted(ids), FILTER_VALUES, strict=False)
    return _machines(scene, *({"Name": "instance-id", "Values": part} for part in parts))


def list_expected(scene: Scene) -> dict[str, Machine]:
    """Return the instances that do not run and of which their users say that they should."""
    is_off = {"Name": "instance-state-name", "Values": ["stopped", "shutting-down", "terminated"]}
    return _machines(scene, {"Name": f"tag:{tag.EXPECT}", "Values": [RUNNING]}, beside=is_off)


def count_groups(scene: Scene, key: str, values: Iterable[str]) -> dict[str, int]:
    """Return how many instances run of each group."""
    running = {"Name": "instance-state-name", "Values": [RUNNING]}
    parts = batched(sorted(values), FILTER_VALUES - 1, strict=False)
    filters = ({"Name": f"tag:{key}", "Values": part} for part in parts)
    sizes: dict[str, int] = {}
    for machine in _machines(scene, *filters, beside=running).values():
        sizes[machine.tags[key]] = sizes.get(machine.tags[key], 0) + 1
    return sizes


def list_keys(scene: Scene, ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the keys of the encrypted volumes of each instance."""
    keys: dict[str, set[str]] = {}
    for part in batched(sorted(ids), FILTER_VALUES, strict=False):
        found = list_pages(
            scene.pacer,
            scene.account.ec2.describe_volumes,
            "DescribeVolumes",
            "Volumes",
            Filters=[{"Name": "attachment.instance-id", "Values": list(part)}],
        )
        for volume in found:
            for attached in volume.get("Attachments", []):
                if volume.get("Encrypted"):
                    key = volume.get("KmsKeyId", "")
                    keys.setdefault(attached.get("InstanceId", ""), set()).add(key)
    return {instance_id: frozenset(each) for instance_id, each in keys.items()}


def _machines(
    scene: Scene, *filters: Mapping[str, Any], beside: Mapping[str, Any] | None = None
) -> dict[str, Machine]:
    return {
        item["InstanceId"]: _machine(item)
        for each in filters
        for reservation in list_pages(
            scene.pacer,
            scene.account.ec2.describe_instances,
            "DescribeInstances",
            "Reservations",
            Filters=[{**each, "Values": list(each["Values"])}, *([beside] if beside else [])],
        )
        for item in reservation["Instances"]
    }


def _status(item: InstanceStatusTypeDef) -> Status:
    said: list[Mapping[str, Any]] = [cast("Any", item.get(check, {})) for check in _CHECKS]
    words = [intern(each.get("Status", "")) for each in said]
    blamed = next((s for s, word in zip(said, words, strict=True) if word == IMPAIRED), {})
    events = item.get("Events")
    return Status(
        id=item["InstanceId"],
        zone=intern(item.get("AvailabilityZone", "")),
        state=intern(item["InstanceState"]["Name"]),
        system=words[0],
        ebs=words[1],
        instance=words[2],
        since=_impaired_since(blamed) if blamed else None,
        events=tuple(_events(events)) if events else (),
        is_managed=item.get("Operator", {}).get("Managed", False),
    )


def _impaired_since(blamed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a time or None
    times = [each["ImpairedSince"] for each in blamed.get("Details", []) if "ImpairedSince" in each]
    return min(times, default=None)


def _events(events: Iterable[Mapping[str, Any]]) -> Iterator[ScheduledEvent]:
    for event in events:
        description = event.get("Description", "")
        if not description.lower().startswith(_OVER) and event.get("InstanceEventId"):
            yield ScheduledEvent(
                event["InstanceEventId"],
                event.get("Code", ""),
                description,
                event.get("NotBefore"),
                event.get("NotAfter"),
            )


def _machine(item: InstanceTypeDef) -> Machine:
    why = [item.get("StateTransitionReason", ""), item.get("StateReason", {}).get("Message", "")]
    return Machine(
        id=item["InstanceId"],
        state=item["State"]["Name"],
        zone=item.get("Placement", {}).get("AvailabilityZone", ""),
        type=item["InstanceType"],
        launched=item["LaunchTime"],
        tags={each["Key"]: each["Value"] for each in item.get("Tags", [])},
        is_spot=item.get("InstanceLifecycle") == "spot",
        is_managed=item.get("Operator", {}).get("Managed", False),
        has_ebs_root=item.get("RootDeviceType") == "ebs",
        public_address=lost_address(item),
        ended_why="; ".join(dict.fromkeys(each for each in why if each)),
    )
