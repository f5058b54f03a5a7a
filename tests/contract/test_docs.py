"""Docs that fail when they drift: links, paths, examples and what all pages have in common."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
import yaml

import functions
from caretaker.errors import RefusedError
from caretaker.request import parse_request
from tests.cloud import REGION, ManualClock, strict_moto
from tests.contract.template import written
from tests.support import docs
from tests.support.docs_pages import (
    CHORES,
    DOCS,
    PAGES,
    ROOT,
    anchors,
    blocks,
    missing,
    page_of,
    request_of,
    rows,
    section,
    text_of,
    texts_given,
    texts_in,
    without_blocks,
)
from tests.support.stack import Stack
from tools import draw_keep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

README: Final = ROOT / "README.md"
INSTALL: Final = DOCS / "install.md"
REPORTS: Final = DOCS / "reports.md"
RETENTION: Final = DOCS / "chores" / "retention.md"
EXAMPLES: Final = ROOT / "tests" / "unit" / "functions" / "retention" / "keep_examples.json"

MAX_README_LINES: Final = 200
EVERY_PAGE: Final = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(ROOT))
)
_REPORT: Final = "layers/common/caretaker/report.py"


def accepts(page: Path, event: Any) -> bool:
    """Tell whether the page's chore takes an event, or any chore where a page is of none."""
    its_own = [chore for chore in CHORES if page == page_of(chore)]
    return any(_takes(chore, event) for chore in its_own or CHORES)


def _takes(chore: str, event: Any) -> bool:
    try:
        parse_request(request_of(chore), event)
    except RefusedError:
        return False
    return True


@EVERY_PAGE
def test_json_in_the_docs_parses(page: Path) -> None:
    for block in blocks(page, "json"):
        value = json.loads(block)
        if isinstance(value, dict) and "policy" in value and "schema" not in value:
            assert accepts(page, value), block


@EVERY_PAGE
def test_toml_and_yaml_in_the_docs_parse(page: Path) -> None:
    """Rules that a parameter holds as text are rules."""
    told = [*map(tomllib.loads, blocks(page, "toml")), *map(yaml.safe_load, blocks(page, "yaml"))]
    given = [
        parameter
        for each in told
        for parameter in (each, *each.get("parameter_overrides", ()))
        if isinstance(parameter, dict) and "TaggingRules" in parameter
    ]

    assert page != INSTALL or len(given) == 2, "a spelling was lost"
    assert [each for each in given if not _takes("tagging", _as_event(each))] == []


def _as_event(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"rules": json.loads(parameters["TaggingRules"])}


@EVERY_PAGE
def test_events_in_the_text_and_in_commands_are_valid(page: Path) -> None:
    events = re.findall(r"""(?:`|--event(?: \\\n *| )')(\{"[^`'\n]*\})[`']""", text_of(page))

    assert [event for event in events if not accepts(page, json.loads(event))] == []


@EVERY_PAGE
def test_relative_links_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_blocks(text_of(page)))

    assert [link for link in links if not resolves(page, link)] == []


def resolves(page: Path, link: str) -> bool:
    if re.match(r"https?://|mailto:", link):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@EVERY_PAGE
def test_paths_in_the_text_exist(page: Path) -> None:
    named = re.findall(
        r"(?<![\w/])(?:tests|docs|events|functions|layers|requirements|tools)/[\w./-]*\w/?",
        without_blocks(text_of(page)),
    )
    gone = [
        path
        for path in set(named)
        if "addresses" not in path  # the worked example of CONTRIBUTING.md
        and not (ROOT / path).exists()
        and not (page.parent / path).exists()
    ]

    assert not gone


@pytest.mark.parametrize("page", sorted(docs.STORIES), ids=lambda page: str(page.relative_to(DOCS)))
def test_examples_are_what_the_chores_answer(page: Path) -> None:
    shown, played = docs.on_page(page), docs.played(page)

    assert shown
    assert shown == {name: played.get(name) for name in shown}, "python -m tests.support.docs"


def test_no_played_example_is_left_out() -> None:
    told = {name for page in docs.STORIES for name in docs.on_page(page)}

    assert told == {name for page in docs.STORIES for name in docs.played(page)}


def test_the_picture_of_the_keep_rules_is_what_the_rules_keep() -> None:
    drawn = draw_keep.PICTURE.read_text(encoding="utf-8")

    assert drawn == draw_keep.draw(), "python -m tools.draw_keep"


def test_the_picture_of_the_keep_rules_shows_the_stacks_default() -> None:
    parameters = written()["Parameters"]
    for name, number in draw_keep.KEEP.model_dump().items():
        parameter = "RetentionKeep" + "".join(word.capitalize() for word in name.split("_"))

        assert parameters[parameter]["Default"] == number


def test_the_pages_examples_of_keep_rules_are_tests() -> None:
    examples = {each["name"]: each for each in json.loads(text_of(EXAMPLES))}
    shown = re.findall(
        r"<!-- example: (\w+) -->\n([^\n]+):\n\n```json\n(.*?)```", text_of(RETENTION), re.DOTALL
    )

    assert shown
    for name, title, block in shown:
        example = examples[name]
        assert title == example["title"]
        assert json.loads(block) == {key: example[key] for key in ("keep", "slots")}


def test_the_answer_is_explained_field_by_field() -> None:
    fields = texts_in(_REPORT, "answer_without_items") - {"ok"} | texts_in(_REPORT, "_head")
    example = json.loads(blocks(REPORTS, "json")[0])

    assert set(example) == fields
    assert not missing(fields, REPORTS)


def test_every_reason_of_a_refusal_is_explained() -> None:
    reasons = texts_given("RefusedError", "") | texts_given("Refusal", "")

    assert {"event_invalid", "blast_radius", "silence_too_long"} <= reasons
    assert not missing(reasons, REPORTS)


@pytest.mark.parametrize("what", ["Parameters", "Outputs"])
def test_every_parameter_and_output_is_explained(what: str) -> None:
    assert not missing(set(written()[what]), INSTALL)


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= MAX_README_LINES


def test_the_readme_names_every_chore() -> None:
    assert set(rows(section(README, "## Chores"))) >= set(CHORES)


def test_every_guarantee_names_tests_that_exist() -> None:
    table = [row for row in section(README, "## Safety").splitlines() if row.startswith("| ")][1:]
    files = [re.findall(r"`(tests/[\w/]+\.py)`", row.rsplit("|", 2)[1]) for row in table]

    assert table
    assert all(files)
    assert not [path for row in files for path in row if not (ROOT / path).is_file()]


def test_the_worked_example_of_a_chore_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = tmp_path / "addresses"
    example.mkdir()
    parts = re.findall(
        r"`functions/addresses/(\w+\.py)`\n\n```python\n(.*?)```",
        text_of(ROOT / "CONTRIBUTING.md"),
        re.DOTALL,
    )
    for name, code in [("__init__.py", ""), *parts]:
        (example / name).write_text(code, encoding="utf-8")
    monkeypatch.setattr(functions, "__path__", [*functions.__path__, str(tmp_path)])
    chore = import_module("functions.addresses.app").CHORE
    clock = ManualClock()
    with strict_moto(clock):
        stack = Stack(clock)
        boto3.client("ec2", REGION).allocate_address(Domain="vpc")
        answer = stack.run(chore, {})

        assert answer["counts"] == {"keep": {"unchanged": 1}}
        assert [item["reason"] for item in answer["outcomes"]] == ["unused"]
        assert [alert["incidents"][0]["kind"] for alert in stack.alerts()] == ["addresses_unused"]


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of(DOCS / "decisions" / "README.md"))

    assert listed == sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
