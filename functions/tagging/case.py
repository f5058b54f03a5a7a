"""What a run knows beyond the resource before it: worked out once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import Facts, Links, Resource, of_type
from .rules import INSTANCE, VOLUME, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping
    from datetime import datetime

    from caretaker.decisions import Detail
    from caretaker.tags import Tags

    from .request import TaggingRequest
    from .rules import Rule


@dataclass(frozen=True, slots=True)
class Subject:
    """A resource with what stands behind it; `links` is None where that could not be read.

    `owner` is named by the resource's own tag, or else by its instance's. Either can opt it out.
    """

    resource: Resource
    links: Links | None
    owner: str
    is_ignored: bool


@dataclass(frozen=True, slots=True)
class Case:
    """The facts of one run, seen from any one of its resources.

    `details` holds each detail once: of 200,000 resources most have the same to say.
    """

    facts: Facts
    request: TaggingRequest
    slot: str
    now: datetime
    rules: Mapping[str, Mapping[str, Rule]]
    instances: Mapping[str, Resource]
    volumes: Mapping[str, Resource]
    details: dict[Hashable, Detail] = field(default_factory=dict)

    def about(self, resource: Resource) -> Subject:
        """Return a resource with what stands behind it."""
        key = self.request.owner_key
        try:
            instance = self._instance_of(resource)
        except _UnknownError:
            owner = resource.tags.get(key, "")
            return Subject(resource, None, owner, is_ignored=tag.is_ignored(resource.tags))
        behind = (resource, instance) if instance else (resource,)
        return Subject(
            resource,
            _links_with(resource, instance),
            next((each.tags[key] for each in behind if each.tags.get(key)), ""),
            is_ignored=any(tag.is_ignored(each.tags) for each in behind),
        )

    def _instance_of(self, resource: Resource) -> Resource | None:
        """Return the instance that it belongs to, a snapshot by its volume; None without one."""
        volume_id, instance_id = resource.links.volume, resource.links.instance
        if volume_id and not instance_id:
            volume = self._known(VOLUME, volume_id, self.volumes)
            instance_id = volume.links.instance if volume else ""
        return self._known(INSTANCE, instance_id, self.instances) if instance_id else None

    def _known(self, its_type: str, wanted: str, known: Mapping[str, Resource]) -> Resource | None:
        if its_type in self.facts.unlisted:
            raise _UnknownError
        return known.get(wanted)

    def only(self, instance_ids: Collection[str]) -> Case:
        """Return the case without all resources but these instances."""
        instances = {each: self.instances[each] for each in instance_ids}
        return replace(
            self,
            facts=replace(self.facts, resources=(), behind=()),
            instances=instances,
            volumes={},
            details={},
        )

    def is_young(self, resource: Resource) -> bool:
        """Tell whether its tags may still be on their way."""
        grace = timedelta(hours=self.request.grace_hours)
        return resource.created is not None and self.now - resource.created < grace

    def passed_on_to(self, resource: Resource, links: Links) -> tuple[str, Tags] | None:
        """Return the group or template that gives such a resource its tags, and those tags.

        A group passes its tags on to instances and never to volumes; a template does to both.
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
        """
        if resource.type == INSTANCE and links.group:
            tags = self.facts.groups.get(links.group)
            return None if tags is None else (f"auto-scaling-group/{links.group}", tags)
        by_type = self.facts.templates.get(links.template)
        if by_type is None:
            return None
        return f"launch-template/{links.template}", by_type.get(resource.type, {})

    def shared(self, key: Hashable, detail: Detail) -> Detail:
        """Return the first detail that said the same."""
        return self.details.setdefault(key, detail)


def open_case(facts: Facts, request: TaggingRequest, *, slot: str, now: datetime) -> Case:
    """Sort the facts of a run."""
    rules = {each: request.rules_of(each) for each in request.types}
    seen = (*facts.resources, *facts.behind)
    return Case(facts, request, slot, now, rules, of_type(seen, INSTANCE), of_type(seen, VOLUME))


class _UnknownError(Exception):
    """A listing that failed would have shown what stands behind a resource."""


def _links_with(resource: Resource, instance: Resource | None) -> Links:
    if instance is None:
        return resource.links
    own, beyond = resource.links, instance.links
    return Links(
        instance.id,
        own.volume,
        own.group or beyond.group,
        own.template or beyond.template,
        own.vpc or beyond.vpc,
        own.subnet or beyond.subnet,
    )


def origin_of(links: Links, source: Source, account: str) -> str:
    """Return the id of what a value is derived from, empty where there is nothing."""
    if source is Source.ACCOUNT:
        return account
    return str(getattr(links, _LINK_OF[source]))


_LINK_OF: Final = {
    Source.INSTANCE: "instance",
    Source.VOLUME: "volume",
    Source.ASG: "group",
    Source.LAUNCH_TEMPLATE: "template",
    Source.VPC: "vpc",
    Source.SUBNET: "subnet",
}
