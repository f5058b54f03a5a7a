"""Lists and pairs in the query API's flat parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

type Params = Mapping[str, str]


def listed(params: Params, name: str) -> Iterable[str]:
    """Yield `name.1`, `name.2`, ..."""
    for number in count(1):
        value = params.get(f"{name}.{number}")
        if value is None:
            return
        yield value


def filters(params: Params) -> Iterable[tuple[str, list[str]]]:
    """Yield each filter's name and values."""
    for number in count(1):
        name = params.get(f"Filter.{number}.Name")
        if name is None:
            return
        yield name, list(listed(params, f"Filter.{number}.Value"))


def pairs(params: Params, name: str) -> dict[str, str | None]:
    """Return keys and values under `name.1.Key`, `name.1.Value`, ...; a value may be missing."""
    found: dict[str, str | None] = {}
    for number in count(1):
        key = params.get(f"{name}.{number}.Key")
        if key is None:
            return found
        found[key] = params.get(f"{name}.{number}.Value")
    return found


def tags(params: Params, name: str) -> dict[str, str]:
    """Return a tag set; a tag without a value is an empty one."""
    return {key: value or "" for key, value in pairs(params, name).items()}
