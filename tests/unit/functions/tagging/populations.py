"""Hypothesis strategies: rules, and accounts with all that can be odd about their tags."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from caretaker.failures import Failure, Kind
from caretaker.tags import Tags
from functions.tagging.facts import Facts, Links, Resource, Step
from functions.tagging.plan import Plan
from functions.tagging.rules import Source
from tests.support.builders import ACCOUNT, NOW
from tests.support.tagging import a_resource, a_step, an_instance, gathered, sets_of

KEYS: Final = ("Owner", "Env", "Cost")
SPELLED: Final = (*KEYS, "owner", "OWNER", "env", "COST")
VALUES: Final = ("ann", "prod", "PROD", "dev", "Dev", "cc-1", "CC-1", "4711", "", " ")
OWN: Final = ("caretaker:ignore", "caretaker:stop-after", "caretaker:backup", "aws:x", "Name")
TYPES: Final = ("instance", "volume", "snapshot", "elastic-ip", "security-group", "rds:db")
BROKEN: Final = Failure(Kind.DENIED, "AccessDenied", "no", "r-1")
INSTANCES: Final = tuple(f"i-{n:08x}" for n in range(3))
VOLUMES: Final = tuple(f"vol-{n:08x}" for n in range(3))
ALL: Final = {
    **dict.fromkeys(INSTANCES, "instance"),
    **dict.fromkeys(VOLUMES, "volume"),
    **{f"x-{each}": each for each in TYPES[2:]},
}
ASKED: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"values": ["prod", "dev"]},
    {"pattern": "cc-[0-9]+"},
    {"pattern": "[a-z]*"},
)
GROUPS: Final[tuple[dict[str, Tags], ...]] = ({}, {"web": {"Owner": "ann"}}, {"web": {}})
TEMPLATES: Final[tuple[dict[str, dict[str, Tags]], ...]] = (
    {},
    {"lt-1": {}},
    {"lt-1": {"volume": {"Env": "dev"}}},
)
UNTOUCHED: Final = ("shutting-down", "terminated", "deleting", "deleted", "deregistered")
RIGHT: Final = ("ann", "prod", "cc-1", "dev")
MARKS: Final = (
    None,
    None,
    "2026-11-20T03:00:00Z",
    "2026-11-21T02:59:59Z",
    "2026-12-24T00:00:00+01:00",
    "2026-11-20",
    "soon",
    "9999-12-31T23:59:59-01:00",
    "0001-01-01T00:00:00+01:00",
)

tags = st.lists(
    st.tuples(st.sampled_from([*SPELLED, *OWN]), st.sampled_from([*VALUES, "false"])), max_size=5
).map(dict)
source_tags = st.lists(
    st.tuples(st.sampled_from(SPELLED), st.sampled_from(VALUES)), max_size=3
).map(dict)
ages = st.sampled_from([None, 0, 1, 23, 24, 25, 1000, 1000, 1000])


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return one rule, as in an event; it is consistent."""
    kind = draw(st.sampled_from(range(len(ASKED))))
    rule: dict[str, Any] = {**ASKED[kind]}
    rule["case"] = draw(st.sampled_from(["exact", "ignore", "normalise"]))
    rule["required"] = draw(st.sampled_from([True, True, False]))
    rule["from"] = draw(st.lists(st.sampled_from([*Source]), max_size=4).map(_unique))
    rule["applies_to"] = draw(st.lists(st.sampled_from(TYPES), min_size=1).map(_unique))
    if draw(st.booleans()):
        rule["default"] = RIGHT[kind]
    if "instance" in rule["applies_to"]:
        rule["escalate"] = draw(st.booleans())
    return rule


def _unique(found: list[Any]) -> list[str]:
    return [str(each) for each in dict.fromkeys(found)]


rule_sets = st.dictionaries(st.sampled_from(KEYS), rules(), min_size=1)


@st.composite
def links_of(draw: st.DrawFn, its_type: str) -> Links:
    has_instance = its_type in {"volume", "snapshot", "elastic-ip"}
    return Links(
        instance=draw(st.sampled_from(["", *INSTANCES, "i-gone"])) if has_instance else "",
        volume=draw(st.sampled_from(["", *VOLUMES])) if its_type == "snapshot" else "",
        group=draw(st.sampled_from(["", "", "web"])) if its_type == "instance" else "",
        template=draw(st.sampled_from(["", "", "lt-1"])) if its_type == "instance" else "",
        vpc=draw(st.sampled_from(["", "vpc-1"])),
        subnet=draw(st.sampled_from(["", "subnet-1"])),
    )


@st.composite
def resources(draw: st.DrawFn, resource_id: str, its_type: str) -> Resource:
    own = draw(tags)
    mark = draw(st.sampled_from(MARKS)) if its_type == "instance" else None
    if mark is not None:
        own["caretaker:stop-after"] = mark
    is_instance = its_type == "instance"
    states = ["running", "running", "running", "stopped", "stopping", "terminated"]
    return a_resource(
        resource_id,
        its_type,
        tags=own,
        beside=draw(st.sampled_from([0, 0, 0, 40, 46, 47, 49, 50])),
        hours=draw(ages),
        state=draw(st.sampled_from(states)) if is_instance else "",
        links=draw(links_of(its_type)),
        managed=draw(st.sampled_from([False] * 9 + [True])),
        launched=NOW - timedelta(hours=draw(st.sampled_from([1, 30, 1000]))),
        stoppable=is_instance and draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def steps(draw: st.DrawFn) -> Step:
    return a_step(
        draw(
            st.sampled_from([*["2026-11-20T03:00Z"] * 4, "2026-11-21T03:00Z", "2026-11-22T03:00Z"])
        ),
        due=draw(
            st.sampled_from([None, *(timedelta(days=n) for n in (-30, -14, -1, -1, -1, 0, 3))])
        ),
        stopped=draw(st.sampled_from([None, None, timedelta(days=-2), timedelta(minutes=-1)])),
    )


@st.composite
def accounts(draw: st.DrawFn) -> Facts:
    """Return what a run may find."""
    found = draw(st.lists(st.sampled_from([*ALL]), unique=True, max_size=6))
    made = [draw(resources(each, ALL[each])) for each in found]
    number = draw(st.integers(0, len(found)))
    resources_, behind = made[:number], made[number:]
    read: dict[Source, Any] = {
        Source.ASG: {"web": draw(source_tags)},
        Source.LAUNCH_TEMPLATE: {"lt-1": draw(source_tags)},
        Source.VPC: {"vpc-1": draw(source_tags)},
        Source.SUBNET: {"subnet-1": draw(source_tags)},
        Source.ACCOUNT: {ACCOUNT: draw(source_tags)},
    }
    for each in draw(st.lists(st.sampled_from([*read]), max_size=1)):
        read[each] = None
    return gathered(
        *resources_,
        behind=(each for each in behind if each.type in {"instance", "volume"}),
        sources=read,
        groups=draw(st.sampled_from(GROUPS)),
        templates=draw(st.sampled_from(TEMPLATES)),
        unlisted=draw(
            st.sampled_from([{}, {}, {}, {"instance": BROKEN}, {"volume": BROKEN}, {"vpc": BROKEN}])
        ),
        creator=draw(st.sampled_from([(), ("Admin/ann", "ann")])),
        steps=draw(st.dictionaries(st.sampled_from(INSTANCES), steps())),
        plan=draw(st.sampled_from([None, None, None, (), INSTANCES[:2]])),
        approved=draw(st.sampled_from([(), (), INSTANCES[:1]])),
    )


@st.composite
def escalations(draw: st.DrawFn) -> Facts:
    """Return instances that nobody tags, each as far in its escalation as it may be."""
    number = draw(st.integers(1, 3))
    made = []
    for each in INSTANCES[:number]:
        own = {"Owner": "ann"} if draw(st.integers(0, 3)) == 3 else {}
        mark = draw(st.sampled_from(MARKS[1:6]))
        made.append(
            an_instance(
                each,
                tags={**own, "caretaker:stop-after": mark} if mark else own,
                state=draw(st.sampled_from(["running", "running", "running", "stopped"])),
                links=Links(group=draw(st.sampled_from([*[""] * 5, "web"]))),
                stoppable=draw(st.sampled_from([*[True] * 5, False])),
            )
        )
    known = {each: draw(steps()) for each in INSTANCES[: draw(st.integers(0, number))]}
    return gathered(*made, steps=known, approved=draw(st.sampled_from([(), INSTANCES[:1]])))


escalating = st.fixed_dictionaries(
    {"Owner": st.sampled_from([{"escalate": True}, {"escalate": True, "values": ["ann"]}])}
)
events = st.fixed_dictionaries(
    {
        "grace_hours": st.sampled_from([0, 24, 24]),
        "stop_after_days": st.sampled_from([0, 1, 7]),
        "blast_radius": st.sampled_from([{}, {"count": 0, "percent": 0}, {"count": 1}]),
    }
)


def rules_as_json(event_rules: dict[str, Any], its_type: str) -> dict[str, Any]:
    """Return the rules about a type."""
    return {key: rule for key, rule in event_rules.items() if its_type in rule["applies_to"]}


def by_id(facts: Facts) -> dict[str, Resource]:
    return {each.id: each for each in (*facts.resources, *facts.behind)}


def is_opted_out(resource: Resource) -> bool:
    """As the guarantee words it: going, of a service, or ignored by any word but a no."""
    said = resource.tags.get("caretaker:ignore")
    ignored = said is not None and said.strip().lower() not in {"false", "no", "0", "off"}
    return ignored or resource.is_managed or resource.state in UNTOUCHED


def after(facts: Facts, plan: Plan) -> Facts:
    """Return the facts once the sets of a plan are done; what is derived from stays as it was."""
    written = sets_of(plan)

    def put(resource: Resource) -> Resource:
        new = written.get(resource.id, {})
        more = sum(key not in resource.tags for key in new)
        return replace(resource, tags={**resource.tags, **new}, tag_count=resource.tag_count + more)

    return replace(
        facts,
        resources=tuple(put(each) for each in facts.resources),
        behind=tuple(put(each) for each in facts.behind),
    )
