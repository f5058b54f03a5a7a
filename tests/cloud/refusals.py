"""Errors EC2 answers with, to be raised inside a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ec2.exceptions import EC2ClientError

if TYPE_CHECKING:
    from tests.cloud.extras import Extras


class Refusal(EC2ClientError):  # noqa: N818 - named after what AWS does
    """An EC2 error with its code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        """Say what AWS would."""
        super().__init__(code, message)
        self.status = status


def invalid_value(message: str) -> Refusal:
    """Return an `InvalidParameterValue`."""
    return Refusal("InvalidParameterValue", message)


def refuse_managed(extras: Extras, *resource_ids: str) -> None:
    """Refuse to change what a service manages (EC2 user guide, "Amazon EC2 managed instances")."""
    for each in resource_ids:
        principal = extras.operators.get(each)
        if principal:
            raise Refusal("OperationNotPermitted", f"'{each}' is managed by {principal}.")


def locked(snapshot_id: str) -> Refusal:
    """Return how a locked snapshot refuses; AWS documents that it does, not by which code."""
    return Refusal("SnapshotLocked", f"The snapshot {snapshot_id} is locked and cannot be deleted.")
