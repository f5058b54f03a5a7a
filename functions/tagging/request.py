"""What the tagging chore may be asked."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field, field_validator

from caretaker import tags as tag
from caretaker.blast_radius import BlastRadius
from caretaker.request import BaseRequest

from .birth import Birth
from .rules import MAX_KEY, Rule, TagValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESERVED: Final = (tag.AWS, tag.PREFIX)
"""Keys that no rule may name: AWS's own, and ours, by which other chores know what is theirs."""


def _writable(key: str) -> str:
    """Refuse a key that is not for rules to write."""
    if key.lower().startswith(RESERVED):
        msg = "must be a key of your own: aws: and caretaker: keys are not for rules"
        raise ValueError(msg)
    if not key.isprintable() or key != key.strip():
        msg = "must have no control characters and no blanks around it"
        raise ValueError(msg)
    return key


type TagKey = Annotated[str, Field(min_length=1, max_length=MAX_KEY)]
type RuleKey = Annotated[TagKey, AfterValidator(_writable)]
type TopicArn = Annotated[
    str, Field(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$")
]


class TaggingRequest(BaseRequest):
    """The event of the tagging chore.

    `rules` are by key. `owner_key` is the tag that names who is responsible, `owners` the topics
    where they listen. `stop_after_days` lie between the mark and the stop of an instance; with 0
    its owner is told and nothing else happens. `blast_radius` bounds how many of the instances one
    run may mark, and how many it may stop. With `birth`, the detail of a CloudTrail event, the run
    is about what was made by that call alone.
    """

    rules: Annotated[dict[RuleKey, Rule], Field(min_length=1, max_length=500)]
    grace_hours: Annotated[int, Field(ge=0, le=720)] = 24
    owner_key: TagKey = "Owner"
    owners: Annotated[dict[TagValue, TopicArn], Field(max_length=100, default_factory=dict)]
    stop_after_days: Annotated[int, Field(ge=0, le=90)] = 7
    blast_radius: BlastRadius = BlastRadius()
    birth: Birth | None = None

    @field_validator("rules")
    @classmethod
    def _fit_together(cls, rules: dict[str, Rule]) -> dict[str, Rule]:
        for problem in (*_twins(rules), *_too_many(rules)):
            raise ValueError(problem)
        return rules

    def rules_of(self, resource_type: str) -> dict[str, Rule]:
        """Return the rules for resources of a type, by key."""
        return {key: rule for key, rule in self.rules.items() if resource_type in rule.applies_to}

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types that any rule is about, sorted."""
        return tuple(sorted({each for rule in self.rules.values() for each in rule.applies_to}))

    @property
    def lease_scope(self) -> str:
        """Return the birth: runs about different ones may run beside each other."""
        if self.birth is None:
            return ""
        return sha256(self.birth.model_dump_json().encode()).hexdigest()[:16]


def _twins(rules: Mapping[str, Rule]) -> Iterator[str]:
    counted = Counter(key.lower() for key in rules)
    twins = [key for key in rules if counted[key.lower()] > 1]
    if twins:
        yield f"must have one rule for {' and '.join(twins[:5])}, which differ in their case alone"


def _too_many(rules: Mapping[str, Rule]) -> Iterator[str]:
    counted = Counter(each for rule in rules.values() for each in set(rule.applies_to))
    for each, number in counted.items():
        if number > tag.MAX_TAGS:
            yield (
                f"must have at most {tag.MAX_TAGS} rules for {each}, as a resource holds no more "
                f"tags: these are {number}"
            )
