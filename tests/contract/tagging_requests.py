"""Requests that change tags or instances, as IAM gets to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker import tags
from tests.contract.iam import ACCOUNT, REGION, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

MANAGED_BY: Final = tags.MANAGED_BY
MARK: Final = tags.STOP_AFTER

IN_ACCOUNT: Final = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
INSTANCE: Final = f"{IN_ACCOUNT}:instance/i-0a1"
VOLUME: Final = f"{IN_ACCOUNT}:volume/vol-0a1"
KINDS: Final = (
    INSTANCE,
    VOLUME,
    f"{IN_ACCOUNT}:elastic-ip/eipalloc-0a1",
    f"{IN_ACCOUNT}:network-interface/eni-0a1",
    f"{IN_ACCOUNT}:security-group/sg-0a1",
    f"arn:aws:ec2:{REGION}::image/ami-0a1",
    f"arn:aws:ec2:{REGION}::snapshot/snap-0a1",
)
BUCKET: Final = "arn:aws:s3:::a-bucket"

OTHER_TYPES: Final[Mapping[str, str]] = {
    f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web": "ecs:TagResource",
    f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/web": "eks:TagResource",
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0a1": (
        "elasticloadbalancing:AddTags"
    ),
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/classic": (
        "elasticloadbalancing:AddTags"
    ),
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:web": "lambda:TagResource",
    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:web": "logs:TagResource",
    f"arn:aws:rds:{REGION}:{ACCOUNT}:db:web": "rds:AddTagsToResource",
    BUCKET: "s3:TagResource",
}
"""What the tagging API asks the service of a resource for, where the service looks at the keys."""

WITHOUT_KEYS: Final = frozenset({"s3:PutBucketTagging", "tag:TagResources"})
"""Tagging actions that know no aws:TagKeys.

Source: Service Authorization Reference, Amazon S3 and Amazon Resource Group Tagging API.
"""


def is_tagging(action: str) -> bool:
    """Tell whether an action writes or removes tags of what exists."""
    name = action.partition(":")[2]
    return "Tag" in name and not name.startswith(("Describe", "Get", "List"))


def to_tag(
    action: str, resource: str, *keys: str, on: Mapping[str, str] | None = None, value: str = "x"
) -> Request:
    """Return a request to write or remove keys of a resource that has the tags `on`."""
    of_keys: dict[str, str | tuple[str, ...]] = {}
    if action not in WITHOUT_KEYS and keys:
        of_keys["aws:TagKeys"] = keys
        of_keys |= {f"aws:RequestTag/{key}": value for key in keys}
    return Request(action, resource, _surroundings(on) | of_keys)


def to_change(
    action: str,
    resource: str,
    *,
    on: Mapping[str, str] | None = None,
    **context: str | tuple[str, ...],
) -> Request:
    """Return any other request; `context` with `__` for `:` in its names."""
    told = {name.replace("__", ":"): value for name, value in context.items()}
    return Request(action, resource, _surroundings(on) | told)


def _surroundings(on: Mapping[str, str] | None) -> dict[str, str | tuple[str, ...]]:
    of_tags = {f"aws:ResourceTag/{key}": value for key, value in (on or {}).items()}
    here = {"aws:RequestedRegion": REGION, "ec2:Region": REGION, "s3:ResourceAccount": ACCOUNT}
    return {**here, **of_tags}
