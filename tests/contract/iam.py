"""Would IAM allow it? The policies of a role, every value in place, for the evaluator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.cloud.policies import Request, is_allowed, is_like
from tests.contract.template import as_list, deployed, role_of, statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.template import Properties

__all__ = ["Request", "is_allowed", "is_like"]

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
STACK: Final = "caretaker"

_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
}


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
