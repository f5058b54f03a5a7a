"""Would IAM allow it? A small evaluator of the statements of policies.

It knows the operators that the template and the session policies use, and refuses others. Source:
IAM user guide, "Policy evaluation logic", "Condition operators", "Single-valued and multivalued
context keys".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import eq
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Statement = dict[str, Any]

_IF_EXISTS: Final = "IfExists"
_KNOWN: Final = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})


def as_list(value: object) -> list[Any]:
    """Return a value that may stand alone or in a list as a list."""
    return value if isinstance(value, list) else [value]


def is_like(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern with `*` and `?`, case and all."""
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, text, re.DOTALL) is not None


_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "ArnEquals": is_like,
    "Bool": eq,
    "StringEquals": eq,
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == wanted.lower(),
    "StringLike": is_like,
}


@dataclass(frozen=True)
class Request:
    """One action on one resource, with what IAM is told besides.

    A text in `context` is a key with one value, a tuple one with many.
    """

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def is_allowed(policies: Iterable[Statement], request: Request) -> bool:
    """Tell whether a statement allows a request, and none denies it."""
    effects = {each["Effect"] for each in policies if applies(each, request)}
    return effects == {"Allow"}


def applies(statement: Statement, request: Request) -> bool:
    """Tell whether a statement is about a request."""
    assert statement.keys() <= _KNOWN, f"not understood here: {statement.keys() - _KNOWN}"
    action = request.action.lower()
    context = {key.lower(): value for key, value in request.context.items()}
    return (
        any(is_like(action, each.lower()) for each in as_list(statement["Action"]))
        and any(is_like(request.resource, each) for each in as_list(statement["Resource"]))
        and all(
            _holds(operator, context.get(key.lower(), ()), as_list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, given: str | tuple[str, ...], wanted: list[str]) -> bool:
    if operator == "Null":
        return (not given) == (wanted == ["true"])
    if operator.endswith(_IF_EXISTS):
        return not given or _holds(operator.removesuffix(_IF_EXISTS), given, wanted)
    over, _, name = operator.rpartition(":")
    is_negated = name.startswith("StringNot")
    test = _TESTS[name.replace("Not", "", 1) if is_negated else name]
    values = (given,) if isinstance(given, str) else given
    results = [any(test(value, each) for each in wanted) != is_negated for value in values]
    match over:
        case "ForAllValues":
            return all(results)
        case "ForAnyValue":
            return any(results)
        case _:
            assert over == "", operator
            assert len(results) <= 1, f"{operator} is for keys with one value"
            return all(results) if results else is_negated
