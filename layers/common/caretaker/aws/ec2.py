"""EC2 listings: every page, decoded into models; a listing that stops half-way is an error."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.ec2 import STANDARD_TIER, Attachment, Instance, Snapshot, Volume
from caretaker.errors import ListingError
from caretaker.provenance import why_not_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        InstanceTypeDef,
        SnapshotTypeDef,
        TagTypeDef,
        VolumeTypeDef,
    )

    from caretaker.aws.pacing import Pacer
    from caretaker.aws.session import Account

PAGE: Final = 1000
FILTER_VALUES: Final = 200
"""Values one filter may have.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""
_KEPT: Final = (tag.PREFIX, tag.AWS)
_GIB: Final = 2**30


def list_volumes(account: Account, pacer: Pacer) -> tuple[Volume, ...]:
    """Return all volumes of the account and region."""
    found = list_pages(pacer, account.ec2.describe_volumes, "DescribeVolumes", "Volumes")
    return _unique(volume_of(item) for item in found)


def list_instances(account: Account, pacer: Pacer) -> tuple[Instance, ...]:
    """Return all instances of the account and region, terminated ones included."""
    found = list_pages(pacer, account.ec2.describe_instances, "DescribeInstances", "Reservations")
    return _unique(_instance(item) for reservation in found for item in reservation["Instances"])


def list_snapshots(
    account: Account, pacer: Pacer, filters: Mapping[str, Sequence[str]]
) -> tuple[Snapshot, ...]:
    """Return the account's own snapshots that match all filters, all of them without any.

    EC2 is asked for `self` and each answer is checked: a shared snapshot may carry any tag.
    """
    asked: list[FilterTypeDef] = [{"Name": k, "Values": list(v)} for k, v in filters.items()]
    found = list_pages(
        pacer,
        account.ec2.describe_snapshots,
        "DescribeSnapshots",
        "Snapshots",
        OwnerIds=["self"],
        Filters=asked,
    )
    mine = account.place.account
    return _unique(_snapshot(item) for item in found if item["OwnerId"] == mine)


def list_ours(
    account: Account, pacer: Pacer, installation: str, policy: str = ""
) -> tuple[Snapshot, ...]:
    """Return the snapshots that an installation made, of one policy or of all.

    Whoever copies the tags of a volume that we restored to its snapshots copies ours.
    """
    tags = {tag.MANAGED_BY: installation, **({tag.POLICY: policy} if policy else {})}
    found = list_snapshots(account, pacer, {f"tag:{key}": [value] for key, value in tags.items()})
    mine = account.place.account
    return tuple(each for each in found if why_not_ours(each, mine, installation) is None)


def list_pages(  # noqa: PLR0913 - what a listing is
    pacer: Pacer,
    describe: Callable[..., Any],
    action: str,
    key: str,
    *,
    size: int | None = PAGE,
    size_key: str = "MaxResults",
    token_key: str = "NextToken",  # noqa: S107 - the name of a page's token
    **params: object,
) -> Iterator[Any]:
    """Yield the items of every page; `ListingError` when one of them cannot be had.

    Without a `size` the service decides how much a page holds.
    """
    if size is not None:
        params[size_key] = size
    token: dict[str, str] = {}
    while True:
        try:
            page = pacer.call(action, lambda: describe(**params, **token))  # noqa: B023
        except AWS_ERRORS as error:
            raise ListingError(action, classify(error)) from error
        items, following = page[key], page.get(token_key)
        del page  # a page of 1,000 weighs some megabytes: never hold two
        yield from items
        if not following:
            return
        del items
        token = {token_key: following}


def _unique[T: (Volume, Instance, Snapshot)](items: Iterable[T]) -> tuple[T, ...]:
    """A listing that changes while it is paged may show an item twice; the later one counts."""
    return tuple({item.id: item for item in items}.values())


def _tags(tags: Sequence[TagTypeDef]) -> dict[str, str]:
    return {intern(item["Key"]): item["Value"] for item in tags}


def volume_of(item: VolumeTypeDef) -> Volume:
    """Return a volume as EC2 tells of it."""
    return Volume(
        id=item["VolumeId"],
        state=intern(item["State"]),
        created=item["CreateTime"],
        size_gib=item["Size"],
        type=intern(item["VolumeType"]),
        attachments=tuple(
            Attachment(attached["InstanceId"], attached.get("Device", ""))
            for attached in item.get("Attachments", [])
            if "InstanceId" in attached
        ),
        tags=_tags(item.get("Tags", [])),
        snapshot_id=item.get("SnapshotId", ""),
    )


def _instance(item: InstanceTypeDef) -> Instance:
    return Instance(
        id=item["InstanceId"],
        state=intern(item["State"]["Name"]),
        root_device=item.get("RootDeviceName", ""),
        tags=_tags(item.get("Tags", [])),
    )


def _snapshot(item: SnapshotTypeDef) -> Snapshot:
    failed = item["State"] == "error"
    kept = {
        intern(each["Key"]): intern(each["Value"])
        for each in item.get("Tags", [])
        if failed or each["Key"].startswith(_KEPT)
    }
    return Snapshot(
        id=item["SnapshotId"],
        volume_id=intern(item["VolumeId"]),
        state=intern(item["State"]),
        started=item["StartTime"],
        owner_id=intern(item["OwnerId"]),
        message=item.get("StateMessage", ""),
        tags=kept,
        description=intern(item.get("Description", "")),
        tier=intern(item.get("StorageTier", STANDARD_TIER)),
        size_gib=_size_gib(item),
        volume_gib=item["VolumeSize"],
    )


def _size_gib(item: SnapshotTypeDef) -> float:
    """Return what a snapshot holds at most; an absent full size means an old snapshot."""
    full = item.get("FullSnapshotSizeInBytes")
    return round(full / _GIB, 2) if full else item["VolumeSize"]
