"""Patterns for the bodies of strangers: they take time by the length of the text alone. Pure.

pydantic's engine for patterns is Rust's: it knows no backtracking, so that neither a pattern nor a
body can keep a run busy. https://docs.rs/regex/latest/regex/#untrusted-input
"""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import SchemaError


@cache
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, Field(pattern=pattern)])


def check_pattern(pattern: str) -> str:
    """Return a pattern that works; `ValueError` says why another does not."""
    try:
        _adapter(pattern)
    except (SchemaError, PydanticUserError):
        msg = "must be a pattern without look-around and back-references, as 'status: (ok|up)'"
        raise ValueError(msg) from None
    return pattern


def is_found(pattern: str, text: str) -> bool:
    """Tell whether a pattern is somewhere in a text."""
    try:
        _adapter(pattern).validate_python(text)
    except ValidationError:
        return False
    return True
