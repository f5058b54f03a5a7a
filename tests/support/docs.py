"""Examples of the docs, played on the strict cloud; each stands under its name on a page.

A block follows the comment `<!-- played: name -->`. To write them anew:

PYTHONPATH=.:layers/common .venvs/dev/bin/python -m tests.support.docs
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support import (
    docs_alerts,
    docs_drill,
    docs_fleet,
    docs_health,
    docs_restore,
    docs_retention,
    docs_service_repair,
    docs_tagging,
    docs_uptime,
)
from tests.support.stack import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCS: Final = Path(__file__).parents[2] / "docs"
STORIES: Final[Mapping[Path, Callable[[], dict[str, Any]]]] = {
    DOCS / "chores" / "retention.md": docs_retention.play,
    DOCS / "chores" / "tagging.md": docs_tagging.play,
    DOCS / "chores" / "instance-health.md": docs_health.play,
    DOCS / "chores" / "uptime.md": docs_uptime.play,
    DOCS / "chores" / "service-repair.md": docs_service_repair.play,
    DOCS / "chores" / "restore.md": docs_restore.play,
    DOCS / "chores" / "drill.md": docs_drill.play,
    DOCS / "chores" / "fleet.md": docs_fleet.refused,
    DOCS / "fleet.md": docs_fleet.play,
    DOCS / "chores" / "alerts.md": docs_alerts.play,
    DOCS / "alerts.md": docs_alerts.render,
}
_BLOCK: Final = re.compile(
    r"(<!-- played: (\S+) -->\n```\w*\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE
)
_WIDTH: Final = 98
_RUN: Final = re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b")
RUN: Final = "01M7Y0QRW03JNA8JCCYVWD8KFW"


def shown(value: object) -> str:
    """Return an example as it stands on a page: a text as it is, else JSON in lines that fit."""
    text = value if isinstance(value, str) else f"{_json(value, 0)}\n"
    return _RUN.sub(RUN, text)


def _json(value: object, indent: int, before: int = 0) -> str:
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (indent and len(short) + indent + before <= _WIDTH):
        return short
    inside, end = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        items = [f"{inside}{_json(each, indent + 2)}" for each in value]
        return f"[\n{',\n'.join(items)}\n{end}]"
    entries = [
        f"{inside}{json.dumps(key)}: {_json(each, indent + 2, len(key) + 5)}"
        for key, each in value.items()
    ]
    return f"{{\n{',\n'.join(entries)}\n{end}}}"


def on_page(page: Path) -> dict[str, str]:
    """Return the played blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return {found[2]: found[3] for found in _BLOCK.finditer(text)}


@cache
def story_of(page: Path) -> dict[str, Any]:
    """Return what was played for a page, by name."""
    return STORIES[page]()


def played(page: Path) -> dict[str, str]:
    """Return what its blocks have to hold."""
    return {name: shown(value) for name, value in story_of(page).items()}


def rewrite(page: Path) -> None:
    """Put what was played into a page."""
    new = played(page)
    text = page.read_text(encoding="utf-8")
    page.write_text(_BLOCK.sub(lambda m: f"{m[1]}{new[m[2]]}{m[4]}", text), encoding="utf-8")


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    for path in STORIES:
        rewrite(path)
