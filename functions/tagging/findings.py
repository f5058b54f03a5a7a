"""What is wrong with the tags of one resource, and what can be set right. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.tags import MAX_TAGS

from .case import Case, Subject, origin_of
from .facts import Facts, Links, Resource
from .rules import Case as Spelling
from .rules import Finding, Rule, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caretaker.tags import Tags

DEFAULT: Final = "default"
NORMALISED: Final = "normalised"


class Fix(NamedTuple):
    """A value that a tag is to get, and where it comes from."""

    value: str
    because: str


class Fixes(NamedTuple):
    """What can be set, by key.

    `unknown` are keys whose source could not be read, `full` those that there is no room for.
    """

    by_key: Mapping[str, Fix]
    unknown: frozenset[str] = frozenset()
    full: frozenset[str] = frozenset()


def find(tags: Tags, rules: Mapping[str, Rule]) -> dict[str, Finding]:
    """Return what is wrong, by key; nothing where all is right."""
    found = ((key, _finding(tags, key, rule)) for key, rule in rules.items())
    return {key: finding for key, finding in found if finding}


def _finding(tags: Tags, key: str, rule: Rule) -> Finding | None:
    value = tags.get(key)
    if value is not None:
        return rule.judge(value)
    others = list(_in_another_case(tags, key))
    if not others:
        return Finding.MISSING if rule.required else None
    if rule.case is not Spelling.IGNORE:
        return Finding.WRONG_CASE
    judged = [rule.judge(tags[other]) for other in others]
    return None if None in judged else judged[0]


def _in_another_case(tags: Tags, key: str) -> Iterator[str]:
    folded = key.lower()
    return (other for other in tags if other.lower() == folded)


def fixes_of(subject: Subject, findings: Mapping[str, Finding], case: Case) -> Fixes:
    """Return what may be set: what is absent, and what a rule lets be put in the right case.

    A default waits until the grace is over; what is derived does not. Where it is not known what
    stands behind a resource, nothing is set: that may be opted out.
    """
    resource, links = subject.resource, subject.links
    if links is None:
        return Fixes({}, frozenset(findings))
    rules = case.rules[resource.type]
    room = MAX_TAGS - resource.tag_count
    fixes: dict[str, Fix] = {}
    unknown, full = set(), set()
    for key, finding in findings.items():
        try:
            fix = _fix(_Wanted(resource, links, key, rules[key]), finding, case)
        except _UnknownSourceError:
            unknown.add(key)
            continue
        if fix is None:
            continue
        if key in resource.tags or room > 0:
            room -= key not in resource.tags
            fixes[key] = fix
        else:
            full.add(key)
    return Fixes(fixes, frozenset(unknown), frozenset(full))


class _Wanted(NamedTuple):
    """One tag of one resource, what the rule asks of it, and where its value may come from."""

    resource: Resource
    links: Links
    key: str
    rule: Rule


class _UnknownSourceError(Exception):
    """A source that comes before the next could not be read."""


def _fix(it: _Wanted, finding: Finding, case: Case) -> Fix | None:
    if finding is Finding.MISSING:
        return _derived(it, case) or _default(it, case)
    if finding is Finding.WRONG_CASE and it.rule.case is Spelling.NORMALISE:
        tags = it.resource.tags
        present = [it.key] if it.key in tags else _in_another_case(tags, it.key)
        values = {it.rule.put_right(tags[each]) for each in present}
        value = values.pop()
        return Fix(value, NORMALISED) if value is not None and not values else None
    return None


def _default(it: _Wanted, case: Case) -> Fix | None:
    if it.rule.default is None or case.request.birth or case.is_young(it.resource):
        return None
    return Fix(it.rule.default, DEFAULT)


def _derived(it: _Wanted, case: Case) -> Fix | None:
    """Return the value of the first source that has one which the rule allows."""
    for source in it.rule.sources:
        for value in _values(it, source, case.facts):
            right = it.rule.put_right(value)
            if right is not None:
                return Fix(right, source.value)
    return None


def _values(it: _Wanted, source: Source, facts: Facts) -> Iterator[str]:
    if source is Source.CREATOR:
        yield from facts.creator
        return
    known = facts.sources.get(source)
    if known is None:
        raise _UnknownSourceError
    tags = known.get(origin_of(it.links, source, facts.account), {})
    if it.key in tags:
        yield tags[it.key]
    elif it.rule.case is not Spelling.EXACT:
        yield from (tags[other] for other in _in_another_case(tags, it.key))
