"""Listings in pages: the filters and ids of the first page decide what all pages go through."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from bench.ec2bed.errors import Ec2Error
from bench.ec2bed.filters import matcher
from bench.ec2bed.params import filters, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.params import Params

_LARGEST_PAGE: Final = 1000
_IDS: Final = {
    "VolumeId": "volume-id",
    "InstanceId": "instance-id",
    "SnapshotId": "snapshot-id",
    "ImageId": "image-id",
    "LaunchTemplateVersionId": "",
    "LaunchTemplateId": "",
    "VpcId": "vpc-id",
    "SubnetId": "subnet-id",
    "NetworkInterfaceId": "network-interface-id",
    "GroupId": "group-id",
    "AllocationId": "allocation-id",
}


class Pages:
    """The listings that somebody is in the middle of."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._cursors: dict[str, list[str]] = {}
        self._tokens = count(1)

    def page(
        self,
        name: str,
        params: Params,
        id_name: str,
        items: Mapping[str, object],
        render: Callable[[str], str],
    ) -> str:
        """Render the page asked for, within the element `name`."""
        token = params.get("NextToken", "")
        if token and token not in self._cursors:
            raise Ec2Error("InvalidParameterValue", "Unable to parse pagination token")
        found = self._cursors[token] if token else _found(params, id_name, items, self._now())
        found = [each for each in found if each in items]  # deleted since the first page
        size = min(int(params.get("MaxResults", len(found) or 1)), _LARGEST_PAGE)
        if "MaxResults" not in params:
            size = len(found)
        page, rest = found[:size], found[size:]
        following = ""
        if rest:
            following = f"page-{next(self._tokens)}"
            self._cursors[following] = rest
        more = f"<nextToken>{following}</nextToken>" if following else ""
        return f"<{name}>{''.join(map(render, page))}</{name}>{more}"


def _found(params: Params, id_name: str, items: Mapping[str, object], now: float) -> list[str]:
    wanted = list(listed(params, id_name))
    missing = [each for each in wanted if each not in items]
    if missing:
        code = f"Invalid{id_name.removesuffix('Id')}.NotFound"
        raise Ec2Error(code, f"The ids {missing} do not exist")
    asked = dict(filters(params))
    ids = asked.get(_IDS[id_name])
    if ids is not None and not any("*" in each or "?" in each for each in ids):
        wanted = [each for each in ids if each in items and (not wanted or each in wanted)]
        if not wanted:
            return []
    matches = matcher(asked, now)
    return [each for each in (wanted or items) if matches(items[each])]
