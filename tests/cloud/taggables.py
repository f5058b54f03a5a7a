"""What the Resource Groups Tagging API reaches: moto's services, mended, and the seeded rest.

moto cannot tag load balancers and EKS clusters through it, calls log groups `logs:loggroup` and
shows the buckets of every region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.resource_tagging import iter_taggable_backends
from moto.eks.models import eks_backends

if TYPE_CHECKING:
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

_KINDS = {"logs:loggroup": "logs:log-group"}


@dataclass(frozen=True)
class Taggable:
    """One resource: `kind` is `rds:db`; the functions change its tags."""

    arn: str
    kind: str
    tags: Mapping[str, str]
    tag: Callable[[Mapping[str, str]], None]
    untag: Callable[[Sequence[str]], None]


def find(cloud: StrictCloud, where: Where, arn: str) -> Taggable | None:
    """Find one resource of this account and region."""
    seeded = cloud.extras.tagged.get(where, {})
    if arn in seeded:
        return _plain(arn, seeded[arn].kind, seeded[arn].tags)
    service = arn.split(":")[2]
    return next((each for each in _served(where, {service}) if each.arn == arn), None)


def taggables(cloud: StrictCloud, where: Where, kinds: Sequence[str]) -> Iterator[Taggable]:
    """Go through all resources of these kinds' services, tagged or not; of all without any."""
    for arn, each in list(cloud.extras.tagged.get(where, {}).items()):
        yield _plain(arn, each.kind, each.tags)
    yield from _served(where, {kind.partition(":")[0] for kind in kinds})


def _served(where: Where, services: set[str]) -> Iterator[Taggable]:
    account, region = where
    for backend in iter_taggable_backends(account, region):
        if services and backend.SERVICE_NAMESPACE not in services:
            continue
        for each in backend.iter_tagged_resources():
            if not _elsewhere(backend, each.arn, region):
                kind = _KINDS.get(each.resource_type, each.resource_type)
                yield Taggable(each.arn, kind, each.tags, *_writers(backend, each.arn))
    if not services or "eks" in services:
        for cluster in list(eks_backends[account][region].clusters.values()):
            yield _plain(cluster.arn, "eks:cluster", cluster.tags)


def _elsewhere(backend: Any, arn: str, region: str) -> bool:
    """Tell whether it is a bucket of another region."""
    if backend.SERVICE_NAMESPACE != "s3":
        return False
    return bool(backend.buckets[arn.rpartition(":")[2]].region_name != region)


def _writers(
    backend: Any, arn: str
) -> tuple[Callable[[Mapping[str, str]], None], Callable[[Sequence[str]], None]]:
    if backend.SERVICE_NAMESPACE == "elasticloadbalancing" and hasattr(backend, "tagging_service"):
        tagger = backend.tagging_service
        return (
            lambda tags: tagger.tag_resource(arn, tagger.convert_dict_to_tags_input(dict(tags))),
            lambda keys: tagger.untag_resource_using_names(arn, list(keys)),
        )
    return (
        lambda tags: backend.tag_resource(arn, dict(tags)),
        lambda keys: backend.untag_resource(arn, list(keys)),
    )


def _plain(arn: str, kind: str, tags: dict[str, str]) -> Taggable:
    def untag(keys: Sequence[str]) -> None:
        for key in keys:
            tags.pop(key, None)

    return Taggable(arn, kind, tags, tags.update, untag)
