"""What rules ask for, said once more: slow, in plain words, sharing nothing with the chore.

Rules are those of the event, as JSON; patterns are such that `re` reads them alike.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.tags import Tags
    from functions.tagging.facts import Facts, Links, Resource

UNKNOWN = "unknown"
FULL = "full"


class Told(NamedTuple):
    """What is to be written, or why nothing can be."""

    values: dict[str, str]
    because: dict[str, str]
    unknown: set[str]
    full: set[str]


def finding_of(tags: Tags, key: str, rule: Mapping[str, Any]) -> str | None:
    """Look at one key of one resource."""
    case = rule.get("case", "exact")
    if key in tags:
        return _said_of(tags[key], rule)
    twins = [other for other in tags if other.lower() == key.lower()]
    if not twins:
        return "missing" if rule.get("required", True) else None
    if case != "ignore":
        return "wrong_case"
    said = [_said_of(tags[other], rule) for other in twins]
    return None if None in said else said[0]


def _said_of(value: str, rule: Mapping[str, Any]) -> str | None:
    if _is_right(value, rule):
        return None
    if _is_right_but_for_its_case(value, rule):
        return None if rule.get("case") == "ignore" else "wrong_case"
    return "wrong_value"


def _is_right(value: str, rule: Mapping[str, Any]) -> bool:
    if "values" in rule:
        return value in rule["values"]
    if "pattern" in rule:
        return re.fullmatch(rule["pattern"], value, re.DOTALL) is not None
    return value.strip() != ""


def _is_right_but_for_its_case(value: str, rule: Mapping[str, Any]) -> bool:
    if "values" in rule:
        return value.lower() in [each.lower() for each in rule["values"]]
    if "pattern" in rule:
        return re.fullmatch(rule["pattern"], value, re.DOTALL | re.IGNORECASE) is not None
    return False


def right_form_of(value: str, rule: Mapping[str, Any]) -> str | None:
    """How would the rule have it written?"""
    if _is_right(value, rule):
        return value
    if "values" in rule and rule.get("case", "exact") != "exact":
        for each in rule["values"]:
            if each.lower() == value.lower():
                return str(each)
    return None


def writings(
    resource: Resource,
    links: Links | None,
    rules: Mapping[str, Mapping[str, Any]],
    facts: Facts,
    *,
    defaults: bool,
) -> Told:
    """Say what to write on a resource; `links` None where nobody knows what stands behind it."""
    told = Told({}, {}, set(), set())
    held = resource.tag_count
    for key, rule in rules.items():
        finding = finding_of(resource.tags, key, rule)
        if finding is None:
            continue
        if links is None:
            told.unknown.add(key)
            continue
        value, because = _way_out(resource, links, key, rule, finding, facts, defaults=defaults)
        if because == UNKNOWN:
            told.unknown.add(key)
        elif value is None:
            continue
        elif key not in resource.tags and held >= 50:
            told.full.add(key)
        else:
            held += 0 if key in resource.tags else 1
            told.values[key], told.because[key] = value, because
    return told


def _way_out(
    resource: Resource,
    links: Links,
    key: str,
    rule: Mapping[str, Any],
    finding: str,
    facts: Facts,
    *,
    defaults: bool,
) -> tuple[str | None, str]:
    if finding == "missing":
        for source in rule.get("from", []):
            values = _values_at(source, links, key, rule, facts)
            if values is None:
                return None, UNKNOWN
            for value in values:
                if (form := right_form_of(value, rule)) is not None:
                    return form, source
        return (rule.get("default") if defaults else None), "default"
    if finding == "wrong_case" and rule.get("case") == "normalise":
        tags = resource.tags
        there = [key] if key in tags else [k for k in tags if k.lower() == key.lower()]
        forms = {right_form_of(tags[each], rule) for each in there}
        if len(forms) == 1:
            return forms.pop(), "normalised"
    return None, ""


def _values_at(
    source: str, links: Links, key: str, rule: Mapping[str, Any], facts: Facts
) -> Iterable[str] | None:
    if source == "creator":
        return facts.creator
    known = {str(each): tags for each, tags in facts.sources.items()}[source]
    if known is None:
        return None
    where = {
        "instance": links.instance,
        "volume": links.volume,
        "asg": links.group,
        "launch-template": links.template,
        "vpc": links.vpc,
        "subnet": links.subnet,
        "account": facts.account,
    }
    tags = known.get(where[source], {})
    if key in tags:
        return [tags[key]]
    if rule.get("case", "exact") == "exact":
        return []
    return [value for other, value in tags.items() if other.lower() == key.lower()]
