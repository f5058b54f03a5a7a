"""What a service refuses by its own model: lengths, patterns and words, which SDKs do not check.

Source: the models that botocore carries, which are AWS's own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import OperationModel


@cache
def _operation(service: str, name: str) -> OperationModel:
    return Session().get_service_model(service).operation_model(name)


def broken_constraint(service: str, operation: str, params: Mapping[str, Any]) -> str:
    """Return what is wrong with the parameters of a call, in AWS's words; empty if nothing is."""
    shape = _operation(service, operation).input_shape
    found = list(_broken(shape, params, "")) if shape is not None else []
    if not found:
        return ""
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def _broken(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _missing(shape, value, path)
        for name in shape.members.keys() & value.keys():
            yield from _broken(shape.members[name], value[name], f"{path}{name}")
        return
    if shape.type_name == "list":
        for number, each in enumerate(value, start=1):
            yield from _broken(shape.member, each, f"{path}.{number}.member.")
    wrong = _wrong(shape, value)
    if wrong:
        yield f"Value at '{path}' failed to satisfy constraint: {wrong}"


def _missing(shape: Any, value: Any, path: str) -> Iterator[str]:
    for name in shape.metadata.get("required", ()):
        if name not in value:
            yield f"Value at '{path}{name}' failed to satisfy constraint: Member must not be null"


def _wrong(shape: Any, value: Any) -> str:
    limits = shape.metadata
    size = value if isinstance(value, int | float) else len(value)
    what = "value" if isinstance(value, int | float) else "length"
    if "max" in limits and size > limits["max"]:
        return f"Member must have {what} less than or equal to {limits['max']}"
    if "min" in limits and size < limits["min"]:
        return f"Member must have {what} greater than or equal to {limits['min']}"
    if not isinstance(value, str):
        return ""
    if "pattern" in limits and not re.search(f"^(?:{limits['pattern']})$", value):
        return f"Member must satisfy regular expression pattern: {limits['pattern']}"
    if limits.get("enum") and value not in limits["enum"]:
        return f"Member must satisfy enum value set: {list(limits['enum'])}"
    return ""
