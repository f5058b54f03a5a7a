"""What a rule asks of the tags of a resource. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Final, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

from caretaker.request import Part

INSTANCE: Final = "instance"
VOLUME: Final = "volume"
SNAPSHOT: Final = "snapshot"
IMAGE: Final = "image"
NETWORK_INTERFACE: Final = "network-interface"
ELASTIC_IP: Final = "elastic-ip"
SECURITY_GROUP: Final = "security-group"
EC2_TYPES: Final = (
    INSTANCE,
    VOLUME,
    SNAPSHOT,
    IMAGE,
    NETWORK_INTERFACE,
    ELASTIC_IP,
    SECURITY_GROUP,
)
"""Listed by EC2 itself: the tagging API never shows what has no tags."""

UNTYPED: Final = ("s3", "sns", "sqs")
"""Services with one kind of resource, whose ARNs name no type: the tagging API knows no other name.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

MAX_KEY: Final = 128
MAX_VALUE: Final = 256
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions"""


class Case(StrEnum):
    """What another case of a key or a value is: wrong, right, or to be put right."""

    EXACT = "exact"
    IGNORE = "ignore"
    NORMALISE = "normalise"


class Source(StrEnum):
    """Where a value may be derived from."""

    INSTANCE = "instance"
    VOLUME = "volume"
    ASG = "asg"
    LAUNCH_TEMPLATE = "launch-template"
    VPC = "vpc"
    SUBNET = "subnet"
    ACCOUNT = "account"
    CREATOR = "creator"


class Finding(StrEnum):
    """What is wrong with one tag of a resource."""

    MISSING = "missing"
    WRONG_VALUE = "wrong_value"
    WRONG_CASE = "wrong_case"


_OTHER_TYPE: Final = re.compile(r"(?P<service>[a-z0-9-]+):[A-Za-z0-9/_-]+", re.ASCII)


def _known_type(name: str) -> str:
    other = _OTHER_TYPE.fullmatch(name)
    if name in EC2_TYPES or name in UNTYPED or (other and other["service"] != "ec2"):
        return name
    msg = f"must be one of {', '.join(EC2_TYPES)}, {', '.join(UNTYPED)}, or service:type as rds:db"
    raise ValueError(msg)


type TagValue = Annotated[str, Field(min_length=1, max_length=MAX_VALUE)]
type TypeName = Annotated[str, Field(max_length=64), AfterValidator(_known_type)]


class Rule(Part):
    """What one key asks for, of resources of these types.

    The whole value has to match `pattern`, in the syntax of Rust's regex crate, whose time grows
    with the length of the value alone. `from` is tried in its order, then `default`.
    """

    required: bool = True
    values: Annotated[tuple[TagValue, ...] | None, Field(max_length=500)] = None
    pattern: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    case: Case = Case.EXACT
    default: TagValue | None = None
    sources: Annotated[tuple[Source, ...], Field(alias="from", max_length=len(Source))] = ()
    applies_to: Annotated[tuple[TypeName, ...], Field(max_length=50)] = EC2_TYPES
    escalate: bool = False

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for problem in (self._contradiction(), self._bad_pattern(), self._bad_default()):
            if problem:
                raise ValueError(problem)
        return self

    def _contradiction(self) -> str:
        if self.values is not None and self.pattern is not None:
            return "must have values or a pattern, not both"
        if self.values is not None and not self.values:
            return "must have at least one value"
        if len(self._listed) < len(self.values or ()):
            return "must have each value once"
        if self.case is not Case.EXACT and len(self._folded) < len(self.values or ()):
            return "must have values that differ in more than their case, or case exact"
        if self.escalate and INSTANCE not in self.applies_to:
            return "must apply to instance to escalate: nothing else is stopped"
        return "" if self.applies_to else "must apply to a type, as instance"

    def _bad_pattern(self) -> str:
        if self.pattern is None:
            return ""
        try:
            _matcher(self.pattern)
            self._patterns()
        except SchemaError as error:
            said = str(error).strip().splitlines()[-1].strip().removeprefix("error: ")
            return f"must have a pattern that compiles, in linear time and within its size: {said}"
        return ""

    def _bad_default(self) -> str:
        if self.default is None or self.judge(self.default) is None:
            return ""
        return "must have a default that the rule itself allows"

    def judge(self, value: str) -> Finding | None:
        """Return what is wrong with a value; None when nothing is.

        Without values and pattern any text but a blank one is right.
        """
        if self._allows(value):
            return None
        if self._allows_in_another_case(value):
            return None if self.case is Case.IGNORE else Finding.WRONG_CASE
        return Finding.WRONG_VALUE

    def put_right(self, value: str) -> str | None:
        """Return how a value from elsewhere is to be written; None if it is wrong."""
        if self._allows(value):
            return value
        return self._folded.get(value.lower()) if self.case is not Case.EXACT else None

    def _allows(self, value: str) -> bool:
        if self.values is not None:
            return value in self._listed
        if self.pattern is not None:
            return self._patterns().exact.isinstance_python(value)
        return bool(value.strip())

    def _allows_in_another_case(self, value: str) -> bool:
        if self.values is not None:
            return value.lower() in self._folded
        return self.pattern is not None and self._patterns().folded.isinstance_python(value)

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.values or ())

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {value.lower(): value for value in self.values or ()}

    def _patterns(self) -> _Patterns:
        return _patterns(self.pattern or "")


class _Patterns(NamedTuple):
    exact: SchemaValidator
    folded: SchemaValidator


@cache
def _patterns(pattern: str) -> _Patterns:
    """Return what checks that a whole value matches, in its own case and in any."""
    return _Patterns(_matcher(rf"\A(?:{pattern})\z"), _matcher(rf"\A(?i:{pattern})\z"))


def _matcher(pattern: str) -> SchemaValidator:
    """Compile by the engine of pydantic itself, which never tracks back.

    https://docs.rs/regex/latest/regex/#untrusted-input
    """
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
