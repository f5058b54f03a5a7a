"""The files under events/: each is an event that its chore takes, and each is documented."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from caretaker.request import parse_request

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted((ROOT / "events").glob("*/*.json"))


def names(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def content(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def test_every_chore_has_event_files_and_every_event_folder_a_chore() -> None:
    chores = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}

    assert {path.parent.name for path in FILES} == chores


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_event_file_is_an_event_that_its_chore_takes(path: Path) -> None:
    event = content(path)
    request = import_module(f"functions.{path.parent.name}.request")
    if "detail-type" not in event:
        chore = import_module(f"functions.{path.parent.name}.app").CHORE
        parse_request(chore.request, event)
        return

    assert event["source"] == "aws.ec2"
    assert request.failed_snapshot_ids(event), "the event of a failure names what failed"


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_event_file_is_named_on_the_page_of_its_chore(path: Path) -> None:
    page = (ROOT / "docs" / "chores" / f"{path.parent.name}.md").read_text(encoding="utf-8")

    assert path.name in page


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_event_file_is_formatted_like_the_others(path: Path) -> None:
    written = path.read_text(encoding="utf-8")

    assert written == json.dumps(content(path), indent=2, ensure_ascii=False) + "\n"
