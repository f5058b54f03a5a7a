"""Run Command of SSM: whether an instance can be reached, and what became of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.ec2 import list_pages
from functions.service_repair.facts import Machine

if TYPE_CHECKING:
    from caretaker.run import Scene

_AT_ONCE: Final = 50
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html"""


def find_machine(scene: Scene, instance_id: str) -> Machine | None:
    """Return an instance, with what SSM says of its agent; None where there is none."""
    reservations = list_pages(
        scene.pacer,
        scene.account.ec2.describe_instances,
        "DescribeInstances",
        "Reservations",
        Filters=[{"Name": "instance-id", "Values": [instance_id]}],
    )
    items = [item for reservation in reservations for item in reservation["Instances"]]
    if not items:
        return None
    tags = {each["Key"]: each["Value"] for each in items[0].get("Tags", [])}
    return Machine(items[0]["State"]["Name"], tags, _ping_of(scene, instance_id))


def find_invocation(scene: Scene, command_id: str) -> dict[str, Any] | None:
    """Return what became of a command on its one instance; SSM may know of it a little late.

    Asked for by instance as well, one that is pending would not be found.
    """
    found = list_pages(
        scene.pacer,
        scene.account.ssm.list_command_invocations,
        "ListCommandInvocations",
        "CommandInvocations",
        size=_AT_ONCE,
        CommandId=command_id,
    )
    return next(iter(found), None)


def _ping_of(scene: Scene, instance_id: str) -> str:
    found = list_pages(
        scene.pacer,
        scene.account.ssm.describe_instance_information,
        "DescribeInstanceInformation",
        "InstanceInformationList",
        size=_AT_ONCE,
        Filters=[{"Key": "InstanceIds", "Values": [instance_id]}],
    )
    return str(next((each.get("PingStatus", "") for each in found), ""))
