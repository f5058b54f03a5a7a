"""Would IAM allow it? A small evaluator of the policies of a role.

It knows the operators that the template uses, and refuses others. Source: IAM user guide, "Policy
evaluation logic", "Condition operators", "Single-valued and multivalued context keys".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import eq
from typing import TYPE_CHECKING, Any, Final

from tests.contract.template import as_list, deployed, role_of, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.contract.template import Properties

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
STACK: Final = "caretaker"

_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
}


_IF_EXISTS: Final = "IfExists"


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


def statement_of(function_logical_id: str, sid: str) -> Properties:
    """Return the one statement of a function's role with this name."""
    (found,) = (s for s in statements(role_of(function_logical_id)) if s["Sid"] == sid)
    return found


def changing(role_logical_id: str, template: Properties | None = None) -> list[Properties]:
    """Return, once for each action of EC2 that is no reading one, the statement that allows it.

    Each has that action alone as its `Action`.
    """
    return [
        {**statement, "Action": action}
        for statement in statements(role_logical_id, template)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        if action.startswith("ec2:") and not action.startswith("ec2:Describe")
    ]


def policies_of(role_logical_id: str, **parameters: str | float) -> list[Properties]:
    """Return a role's statements with these parameters, every value in place."""
    template = deployed(**parameters)
    known = {name: each["Default"] for name, each in template["Parameters"].items()} | parameters
    lists = {
        name: known[name].split(",")
        for name, each in template["Parameters"].items()
        if each["Type"] == "CommaDelimitedList"
    }
    values = {name: str(each) for name, each in known.items()} | lists | _PSEUDO
    return [_plain(each, values) for each in statements(role_logical_id, template)]


def _plain(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value without intrinsic functions; names of resources stand for their ids."""
    match value:
        case {"Ref": str(name)}:
            return values.get(name, name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case dict() if value.keys() & _OF_TEXTS:
            return _text(value, values)
        case dict():
            assert not any(key.startswith("Fn::") for key in value), value
            return {key: _plain(inner, values) for key, inner in value.items()}
        case list():
            return [_plain(inner, values) for inner in value]
        case _:
            return value


_OF_TEXTS: Final = frozenset({"Fn::Join", "Fn::Split", "Fn::Sub"})


def _text(value: Properties, values: Mapping[str, Any]) -> str | list[str]:
    """Return what a function of texts comes to; that of `Fn::Split` is a list."""
    match value:
        case {"Fn::Join": [str(separator), listed]}:
            return separator.join(_plain(listed, values))
        case {"Fn::Split": [str(separator), text]}:
            parts: list[str] = _plain(text, values).split(separator)
            return parts
        case {"Fn::Sub": [str(text), dict(named)]}:
            own = {name: _plain(each, values) for name, each in named.items()}
        case _:
            text, own = value["Fn::Sub"], {}
    known = {**values, **own}
    return re.sub(r"\$\{([\w:.]+)}", lambda match: known.get(match[1], match[1]), text)


def is_allowed(policies: Iterable[Properties], request: Request) -> bool:
    """Tell whether a statement allows a request, and none denies it."""
    effects = {each["Effect"] for each in policies if _applies(each, request)}
    return effects == {"Allow"}


def _applies(statement: Properties, request: Request) -> bool:
    context = {key.lower(): value for key, value in request.context.items()}
    return (
        request.action in as_list(statement["Action"])
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
