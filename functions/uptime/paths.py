"""Paths into the JSON of strangers: checked when they are written, harmless when they miss. Pure.

https://jmespath.org/specification.html
"""

from __future__ import annotations

from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

_FUNCTION: Final = "function_expression"


def check_path(path: str) -> str:
    """Return a path that works; `ValueError` of another."""
    try:
        is_sound = _calls_what_exists(jmespath.compile(path).parsed)
    except JMESPathError:
        is_sound = False
    if not is_sound:
        msg = "must be a JMESPath, as status.database"
        raise ValueError(msg)
    return path


def value_at(path: str, document: object) -> object:
    """Return what stands there; `ValueError` where it meets values that it was not made for."""
    try:
        return jmespath.search(path, document)
    except _MISSES as error:
        raise ValueError from error


_MISSES: Final = (JMESPathError, TypeError, ArithmeticError, RecursionError)


def _calls_what_exists(node: Any) -> bool:  # noqa: ANN401 - a node of a tree
    """Tell whether there are all functions that a path calls, for as many values."""
    if node["type"] == _FUNCTION and not _exists(node["value"], len(node["children"])):
        return False
    return all(_calls_what_exists(each) for each in node["children"] if isinstance(each, dict))


def _exists(name: str, values: int) -> bool:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        return False
    takes = known["signature"]
    is_open = bool(takes) and takes[-1].get("variadic", False)
    return values >= len(takes) if is_open else values == len(takes)
