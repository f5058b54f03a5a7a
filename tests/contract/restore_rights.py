"""Requests that make, tag and use volumes and snapshots, as restore and drill send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker import tags
from tests.contract.iam import ACCOUNT, REGION, STACK, Request
from tests.contract.tagging_requests import VOLUME
from tests.contract.template import as_list
from tests.support.tour import CALLED_BY, IMPLIED_FOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.template import Properties

MAKE, DELETE, TAG = "ec2:CreateVolume", "ec2:DeleteVolume", "ec2:CreateTags"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1"
SNAPSHOT: Final = f"arn:aws:ec2:{REGION}::snapshot/snap-0a1"
PLACE: Final = f"{ACCOUNT}/{REGION}"
OURS: Final = {tags.MANAGED_BY: STACK}
ANOTHERS: Final = {tags.MANAGED_BY: "another"}
WRITES: Final = (
    *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem"),
    *("dynamodb:PutItem", "dynamodb:UpdateItem"),
)
OF_KEYS: Final = frozenset(
    {
        *("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"),
        *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    }
)
RUNNING: Final = CALLED_BY["alerts"] - {"sns:GetTopicAttributes"} | IMPLIED_FOR["alerts"].keys()
"""What every function does: state, alerts, report, log, traces, failure queue."""

OF_OTHERS: Final = (
    f"incidents#{STACK}/{PLACE}/retention/daily",
    f"resolved#{STACK}/{PLACE}/alerts/-",
    f"ladders#instance_health/{PLACE}",
    f"plans#retention/daily/{PLACE}",
    f"lease#retention/daily/{PLACE}",
    "silences",
)
"""Partitions of the state table that other chores decide by."""

OF_ALL: Final = ("first#0c0ffee0-0000-4000-8000-000000000001", "outbox", "scopes")


def make(wanted: Mapping[str, str]) -> Request:
    """Return a request to make a volume with these tags."""
    return Request(MAKE, VOLUME, {f"aws:RequestTag/{key}": value for key, value in wanted.items()})


def tag(
    resource: str, *keys: str, action: str = "", on: Mapping[str, str] | None = None
) -> Request:
    """Return a request to write keys with the owner as their value, while `action` makes it."""
    told: dict[str, str | tuple[str, ...]] = {"aws:TagKeys": keys} if keys else {}
    told |= {f"aws:RequestTag/{key}": STACK for key in keys}
    told |= {f"aws:ResourceTag/{key}": value for key, value in (on or {}).items()}
    return Request(TAG, resource, told | ({"ec2:CreateAction": action} if action else {}))


def use(action: str, key: str = KEY, service: str = "ec2", for_aws: str = "true") -> Request:
    """Return a request to use a key, through a service where one is named."""
    through = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"} if service else {}
    grant = {"kms:GrantIsForAWSResource": for_aws} if action == "kms:CreateGrant" else {}
    return Request(action, key, {**through, **grant})


def at(action: str, *partitions: str) -> Request:
    """Return a request for items of these partitions of the state table."""
    return Request(action, "StateTable.Arn", {"dynamodb:LeadingKeys": partitions})


def actions_of(policies: list[Properties]) -> set[str]:
    """Return every action that statements allow."""
    return {
        action
        for each in policies
        if each["Effect"] == "Allow"
        for action in as_list(each["Action"])
    }
