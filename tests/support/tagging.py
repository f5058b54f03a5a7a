"""Facts for tests of tagging: ordinary resources of long ago; keywords tell what is odd."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.decisions import Decision, Outcome, Result
from caretaker.plans import StoredPlan
from caretaker.request import parse_request
from caretaker.settings import Mode
from caretaker.verdicts import Modes
from functions.tagging.case import Case, open_case
from functions.tagging.ended import Ended
from functions.tagging.facts import ALONE, Action, Facts, Resource, Step
from functions.tagging.outcomes import unlisted
from functions.tagging.plan import Plan, plan_tagging
from functions.tagging.request import TaggingRequest
from functions.tagging.rules import EC2_TYPES, INSTANCE, VOLUME, Rule, Source
from tests.support.builders import ACCOUNT, NOW, SLOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from caretaker.failures import Failure
    from caretaker.tags import Tags
    from functions.tagging.facts import Compliance, Links

OWNER: Final = "Owner"
RULES: Final[Mapping[str, Any]] = {OWNER: {}}
TOPIC: Final = f"arn:aws:sns:eu-west-1:{ACCOUNT}:team-a"
OTHER_TOPIC: Final = f"arn:aws:sns:eu-west-1:{ACCOUNT}:team-b"
YESTERDAY: Final = "2026-11-20T03:00Z"
"""An earlier slot than that of NOW."""
ESCALATED: Final[Mapping[str, Any]] = {OWNER: {"escalate": True}}
BORN: Final[Mapping[str, Any]] = {
    "eventName": "RunInstances",
    "responseElements": {"instancesSet": {"items": [{"instanceId": "i-00000001"}]}},
}
_IDS: Final = dict(
    zip(EC2_TYPES, ("i", "vol", "snap", "ami", "eni", "eipalloc", "sg"), strict=True)
)


def ask(rules: Mapping[str, Any] = RULES, **event: Any) -> TaggingRequest:
    """Return a request, checked as an event is."""
    return parse_request(TaggingRequest, {"rules": dict(rules), **event})


def a_rule(**fields: Any) -> Rule:
    """Return a rule, checked as that of an event is."""
    return ask({OWNER: fields}).rules[OWNER]


def a_resource(
    resource_id: str = "",
    its_type: str = VOLUME,
    *,
    tags: Tags | None = None,
    beside: int = 0,
    hours: float | None = 1000,
    state: str = "",
    links: Links = ALONE,
    managed: bool = False,
    launched: datetime | None = None,
    stoppable: bool | None = None,
) -> Resource:
    """Return a resource made `hours` before NOW, with `beside` tags that no rule asks for.

    Without an id it is the first of its type. An instance is running and can be stopped.
    """
    is_instance = its_type == INSTANCE
    created = None if hours is None else NOW - timedelta(hours=hours)
    return Resource(
        id=resource_id or f"{_IDS[its_type]}-00000001",
        type=its_type,
        tags=tags or {},
        tag_count=beside + sum(not key.startswith("aws:") for key in tags or {}),
        created=created,
        state=state or ("running" if is_instance else ""),
        links=links,
        is_managed=managed,
        launched=created if is_instance and launched is None else launched,
        is_stoppable=is_instance if stoppable is None else stoppable,
    )


def an_instance(resource_id: str = "", **odd: Any) -> Resource:
    """Return a running instance."""
    return a_resource(resource_id, INSTANCE, **odd)


def a_step(
    told: str = YESTERDAY,
    *,
    due: timedelta | None = None,
    stopped: timedelta | None = None,
) -> Step:
    """Return how far an escalation has come; times are from NOW on."""
    return Step(
        told,
        marked_until=None if due is None else NOW + due,
        stopped=None if stopped is None else NOW + stopped,
    )


def gathered(
    *resources: Resource,
    behind: Iterable[Resource] = (),
    sources: Mapping[Source, Mapping[str, Tags] | None] | None = None,
    plan: Iterable[str] | None = None,
    approved: Iterable[str] = (),
    groups: Mapping[str, Tags] | None = None,
    templates: Mapping[str, Mapping[str, Tags]] | None = None,
    unlisted: Mapping[str, Failure] | None = None,
    creator: tuple[str, ...] = (),
    steps: Mapping[str, Step] | None = None,
    last_seen: Compliance | None = None,
) -> Facts:
    """Return the facts of a run; instances and volumes are sources by their own tags.

    `plan` are the targets of the plan that is approved.
    """
    behind = tuple(behind)
    known = (*resources, *behind)
    own: dict[Source, Mapping[str, Tags] | None] = {
        source: {each.id: each.tags for each in known if each.type == source.value}
        for source in (Source.INSTANCE, Source.VOLUME)
    }
    nothing: dict[Source, Mapping[str, Tags] | None] = {source: {} for source in Source}
    return Facts(
        resources=resources,
        behind=behind,
        unlisted=unlisted or {},
        sources={**nothing, **own, **(sources or {})},
        groups=groups or {},
        templates=templates or {},
        account=ACCOUNT,
        creator=creator,
        steps=steps or {},
        last_seen=last_seen,
        approved=frozenset(approved),
        plan=None if plan is None else StoredPlan("blast_radius", frozenset(plan)),
    )


def a_case(facts: Facts | None = None, request: TaggingRequest | None = None, **event: Any) -> Case:
    """Return a case at NOW in its slot."""
    return open_case(facts or gathered(), request or ask(**event), slot=SLOT, now=NOW)


def planned(
    facts: Facts,
    request: TaggingRequest | None = None,
    *,
    now: datetime = NOW,
    slot: str = SLOT,
    **event: Any,
) -> Plan:
    """Return the plan of a run at NOW, by the rule that there is an owner unless told otherwise."""
    return plan_tagging(facts, request or ask(**event), slot=slot, now=now)


def verdicts(plan: Plan) -> dict[str, list[tuple[str, str]]]:
    """Return, by resource, what happens to it and why."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in plan.decisions:
        found.setdefault(each.target, []).append((each.action, each.reason))
    return found


def verdict(
    odd: Resource, rules: Mapping[str, Any] = RULES, *, event: Any = None, **known: Any
) -> list[tuple[str, str]]:
    """Return what happens to one resource, and why."""
    request = ask(rules, **(event or {}))
    return verdicts(planned(gathered(odd, **known), request)).get(odd.id, [])


def only_decision(facts: Facts, request: TaggingRequest | None = None, **event: Any) -> Decision:
    """Return the one decision of a plan."""
    (decision,) = planned(facts, request, **event).decisions
    return decision


def sets_of(plan: Plan) -> dict[str, dict[str, str]]:
    """Return, by resource, the tags that are to be set."""
    return {
        each.target: {key: str(value) for key, value in written.items()}
        for each in plan.decisions
        if each.action == Action.SET and isinstance(written := each.detail["set"], dict)
    }


def a_setting(target: str = "vol-00000001", tags: Tags | None = None, **odd: Any) -> Decision:
    """Return a decision to set tags that are missing, as a plan holds it."""
    tags = {OWNER: "ann"} if tags is None else tags
    detail = {
        "type": VOLUME,
        "owner": "",
        "findings": dict.fromkeys(tags, "missing"),
        "set": dict(tags),
        "because": dict.fromkeys(tags, "default"),
        **odd,
    }
    return Decision(target, Action.SET, "missing", detail)


def a_report(
    target: str = "vol-00000001", action: str = Action.REPORT, reason: str = "missing", **odd: Any
) -> Decision:
    """Return a decision about a tag that is missing, as a plan holds it."""
    detail = {"type": VOLUME, "owner": "ann", "findings": {OWNER: "missing"}, **odd}
    return Decision(target, action, reason, detail)


def a_letter_to(owner: str = "ann", target: str = "i-00000001", **odd: Any) -> Decision:
    """Return a decision to tell the owner of an instance."""
    return a_report(target, Action.TELL, type=INSTANCE, owner=owner, **odd)


def ended(
    facts: Facts,
    request: TaggingRequest | None = None,
    *,
    mode: Mode = Mode.ACT,
    stack: Mode | None = None,
    stopped: bool = False,
    outcomes: Iterable[Outcome] | None = None,
    list_at: str = "s3://bucket/list.csv.gz",
    **event: Any,
) -> Ended:
    """Return how a run ended; without `outcomes` every change was done, or planned."""
    plan = planned(facts, request, **event)
    if outcomes is None:
        how = Result.DONE if mode is Mode.ACT else Result.PLANNED
        outcomes = [
            Outcome(each, how if each.is_change else Result.UNCHANGED) for each in plan.decisions
        ]
        outcomes += unlisted(facts)
    return Ended(plan, list(outcomes), Modes(mode, stack or mode), stopped, list_at)
