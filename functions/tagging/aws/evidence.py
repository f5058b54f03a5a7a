"""Gather: the resources, what is behind them, and what is remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.session import home
from caretaker.errors import ListingError, OutOfTimeError
from caretaker.failures import Failure, Kind
from caretaker.plans import approved_targets, asked_plan
from caretaker.settings import Mode
from functions.tagging import rules
from functions.tagging.aws import listings
from functions.tagging.aws.reading import reader_for
from functions.tagging.facts import Facts, Resource
from functions.tagging.memory import Memory
from functions.tagging.rules import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from caretaker.run import Run, Scene
    from caretaker.tags import Tags
    from functions.tagging.aws.reading import Reader
    from functions.tagging.request import TaggingRequest

GROUP: Final = "auto-scaling-group"
TEMPLATE: Final = "launch-template"
_AT_ONCE: Final = 8
_OF_AN_INSTANCE: Final = frozenset({*rules.EC2_TYPES} - {rules.SECURITY_GROUP})
"""Types whose owner and values may come from an instance, and which it may opt out."""


def gather(run: Run[TaggingRequest]) -> Facts:
    """Read what the rules are about; a type that cannot be listed is left out and named."""
    memory, request = Memory(run), run.request
    plans = memory.plans.plans()
    plan = asked_plan(plans, request.approve)
    if request.approve and run.mode is Mode.ACT:
        memory.approve(request.approve)
    read_at = run.scene.clock.monotonic()
    seen = _born(run) if request.birth else _everything(run)
    return Facts(
        resources=tuple(seen.resources),
        behind=tuple(seen.behind),
        unlisted=seen.unlisted,
        sources=seen.sources,
        groups=seen.groups,
        templates=seen.templates,
        account=run.scene.account.place.account,
        creator=request.birth.userIdentity.names if request.birth else (),
        steps=memory.steps(),
        last_seen=memory.last_seen(),
        approved=approved_targets(plans),
        plan=plan,
        read_at=read_at,
    )


@dataclass(slots=True)
class _Seen:
    """What was read so far."""

    resources: list[Resource] = field(default_factory=list)
    behind: list[Resource] = field(default_factory=list)
    unlisted: dict[str, Failure] = field(default_factory=dict)
    sources: dict[Source, Mapping[str, Tags] | None] = field(default_factory=dict)
    groups: Mapping[str, Tags] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, Tags]] = field(default_factory=dict)


def _everything(run: Run[TaggingRequest]) -> _Seen:
    scene, reader, seen = run.scene, reader_for(run.request), _Seen()
    judged = set(run.request.types)
    behind = _types_behind(judged)
    jobs: dict[str, Callable[[], Any]] = {
        each: partial(listings.list_resources, scene, reader, each)
        for each in sorted(judged | behind)
    }
    found = _read(scene, jobs | _source_jobs(run, reader), seen.unlisted)
    if judged <= set(seen.unlisted):
        failed = [ListingError(f"listing {each}", seen.unlisted[each]) for each in sorted(judged)]
        raise next((error for error in failed if error.may_pass), failed[0])
    for each in sorted(judged | behind):
        (seen.resources if each in judged else seen.behind).extend(found.get(each, ()))
    _add_sources(run, reader, found, seen)
    return seen


def _born(run: Run[TaggingRequest]) -> _Seen:
    """Read what was born, the volumes and interfaces of born instances, and what is behind it."""
    scene, reader, seen = run.scene, reader_for(run.request), _Seen()
    ids = run.request.birth.ids if run.request.birth else ()
    listed = partial(listings.list_resources, scene, reader)
    by_prefix = {each: [i for i in ids if i.startswith(each + "-")] for each in _PREFIXES}
    for prefix, born in by_prefix.items():
        if born:
            its_type = _PREFIXES[prefix]
            seen.resources += listed(its_type, only=(f"{its_type}-id", born))
    if by_prefix["i"]:
        of_instances = ("attachment.instance-id", by_prefix["i"])
        for each in (rules.VOLUME, rules.NETWORK_INTERFACE):
            seen.resources += listed(each, only=of_instances)
    for its_type, link in ((rules.VOLUME, "volume"), (rules.INSTANCE, "instance")):
        all_seen = (*seen.resources, *seen.behind)
        known = {each.id for each in all_seen} | {""}
        wanted = {str(getattr(each.links, link)) for each in all_seen} - known
        if wanted:
            seen.behind += listed(its_type, only=(f"{its_type}-id", sorted(wanted)))
    found = _read(scene, _source_jobs(run, reader), seen.unlisted)
    _add_sources(run, reader, found, seen)
    return seen


_PREFIXES: Final = {
    "i": rules.INSTANCE,
    "vol": rules.VOLUME,
    "snap": rules.SNAPSHOT,
    "ami": rules.IMAGE,
}


def _types_behind(judged: Iterable[str]) -> set[str]:
    """Return what has to be listed for others' sake: volumes for snapshots, instances for most."""
    judged = set(judged)
    volumes = {rules.VOLUME} if rules.SNAPSHOT in judged else set()
    instances = {rules.INSTANCE} if judged & _OF_AN_INSTANCE else set()
    return (volumes | instances) - judged


def _sources_named(request: TaggingRequest) -> set[Source]:
    return {source for rule in request.rules.values() for source in rule.sources}


def _source_jobs(run: Run[TaggingRequest], reader: Reader) -> dict[str, Callable[[], Any]]:
    """Return how to read the sources that any rule names, by name."""
    scene = run.scene
    readers: dict[Source, Callable[[], Any]] = {
        Source.VPC: partial(listings.list_network, scene, reader, Source.VPC),
        Source.SUBNET: partial(listings.list_network, scene, reader, Source.SUBNET),
        Source.ACCOUNT: partial(listings.list_account_tags, scene, reader),
    }
    named = _sources_named(run.request)
    return {source.value: read for source, read in readers.items() if source in named}


def _add_sources(
    run: Run[TaggingRequest], reader: Reader, found: Mapping[str, Any], seen: _Seen
) -> None:
    """Add the tags that values are derived from, groups and templates where there are any."""
    resources = (*seen.resources, *seen.behind)
    by_type = {Source.INSTANCE: rules.INSTANCE, Source.VOLUME: rules.VOLUME}
    for source, its_type in by_type.items():
        tags = {each.id: each.tags for each in resources if each.type == its_type}
        seen.sources[source] = None if its_type in seen.unlisted else tags
    for source in (Source.VPC, Source.SUBNET, Source.ACCOUNT):
        seen.sources[source] = found.get(source.value)
    jobs: dict[str, Callable[[], Any]] = {}
    if any(each.links.group for each in resources):
        jobs[GROUP] = partial(listings.list_groups, run.scene, reader)
    if any(each.links.template for each in resources):
        jobs[TEMPLATE] = partial(listings.list_templates, run.scene, reader)
    more = _read(run.scene, jobs, seen.unlisted)
    nothing: tuple[Any, Any] = ({}, {})
    seen.sources[Source.ASG], seen.groups = more.get(GROUP, nothing)
    seen.sources[Source.LAUNCH_TEMPLATE], seen.templates = more.get(TEMPLATE, nothing)
    for source, name in ((Source.ASG, GROUP), (Source.LAUNCH_TEMPLATE, TEMPLATE)):
        if name in seen.unlisted:
            seen.sources[source] = None


def _read(
    scene: Scene, jobs: Mapping[str, Callable[[], Any]], unlisted: dict[str, Failure]
) -> dict[str, Any]:
    """Read beside each other and return what came, by name; `unlisted` is told what did not."""
    if not jobs:
        return {}
    _make_clients(scene, jobs)
    found: dict[str, Any] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = {name: pool.submit(job) for name, job in jobs.items()}
        _make_clients_for_later(scene)
    for name, answer in answers.items():
        try:
            found[name] = answer.result()
        except ListingError as error:
            unlisted[name] = error.failure
        except OutOfTimeError:
            message = "the run had no time left to list it"
            unlisted[name] = Failure(Kind.UNKNOWN, "OutOfTime", message)
    return found


def _make_clients(scene: Scene, jobs: Mapping[str, Any]) -> None:
    """Make the clients before the threads use them: a session is not made for many at once.

    https://docs.aws.amazon.com/boto3/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
    """
    account = scene.account
    _ = account.ec2
    if GROUP in jobs:
        _ = account.autoscaling
    if Source.ACCOUNT.value in jobs:
        _ = home(scene.settings.region).organizations
    if any(":" in name or name in rules.UNTYPED for name in jobs):
        _ = account.tagging


def _make_clients_for_later(scene: Scene) -> None:
    """Make what changes and reports need, in the time that listings take to answer."""
    _ = scene.account.ec2_once
    _ = home(scene.settings.region).s3
