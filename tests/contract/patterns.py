"""Would EventBridge send it? Event patterns of rules, as far as the templates use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.template import Properties


def matches(pattern: Any, event: Any) -> bool:
    """Tell whether EventBridge would match an event; knows texts, `exists` and `anything-but`.

    Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns".
    """
    if isinstance(pattern, dict):
        parts = event if isinstance(event, dict) else {}
        return all(matches(inner, parts.get(key)) for key, inner in pattern.items())
    return any(_is_one(wanted, event) for wanted in pattern)


def _is_one(wanted: Any, value: object) -> bool:
    match wanted:
        case {"exists": bool(exists)}:
            return (value is not None) is exists
        case {"anything-but": list(others)}:
            return value is not None and value not in [_arn(each) for each in others]
        case str():
            return value == wanted
        case _:
            raise AssertionError(wanted)


def _arn(value: Properties) -> str:
    """Return the ARN of a role of Caretaker, taken from the stack itself or imported."""
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        assert attribute == "Arn"
    else:
        name = value["Fn::ImportValue"]["Fn::Sub"].rpartition("-")[2].removesuffix("Arn")
    return f"arn:aws:iam::123456789012:role/{name}"
