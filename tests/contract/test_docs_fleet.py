# ruff: noqa: SLF001 - the constants are what the pages tell
"""The pages of fleets: their contents, numbers, and the reasons and details that they show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from caretaker import cells, rights
from caretaker.aws import handing
from functions.fleet import plan, request, waves
from functions.fleet.aws import evidence
from tests.contract.template import ROOT
from tests.support import docs
from tests.support.docs_pages import (
    DOCS,
    headings,
    incident_kinds,
    page_of,
    rows,
    section,
    text_of,
    texts_given,
)

if TYPE_CHECKING:
    from pathlib import Path

CHORE: Final = page_of("fleet")
GUIDE: Final = DOCS / "fleet.md"
FLEET: Final = ROOT / "functions" / "fleet"
_MACHINE: Final = json.loads((ROOT / "statemachines" / "fleet.asl.json").read_text("utf-8"))
TRIES_OF_A_CELL: Final = _MACHINE["States"]["Cells"]["ItemProcessor"]["States"]["Run"]["Retry"][-1]
WORDS: Final = {5: "five", 6: "six"}


def flat(page: Path) -> str:
    return " ".join(text_of(page).split())


def test_reads_what_it_holds_the_docs_to() -> None:
    assert {"account_unreachable", "cell_unanswered", "fleet_stopped"} <= incident_kinds(FLEET)
    assert {"no_cells", "no_room", "fewer_cells"} <= texts_given("Refusal", "", FLEET)


def test_every_reason_of_a_refusal_has_a_row() -> None:
    reasons = texts_given("Refusal", "", FLEET) | texts_given("RefusedError", "", FLEET)

    assert reasons <= rows(section(CHORE, "## Refusals and approval")).keys()


@pytest.mark.parametrize(
    "sentence",
    [
        f"{cells.MAX_ROUNDS_OF_A_CELL} rounds at most",
        f"cut to {cells._MAX_TEXT} characters",
        f"where its reports are, at most {cells._MAX_REPORTS}",
        f"at most {plan.MOST_BY_DEFAULT}.",
        f"{WORDS[waves.MOST_CANARIES]} are tried at most",
        f"then {100 // waves._SHARE} % of the rest",
        f"{request.MAX_EVENT_BYTES:,} bytes",
        f"{rights.MAX_POLICY:,} characters",
        f"it is tried {WORDS[TRIES_OF_A_CELL['MaxAttempts']]} times more",
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in flat(CHORE)


def test_numbers_that_the_pages_spell_out() -> None:
    assert waves._BAD_CANARIES == 2
    assert waves._MAX_BAD == 5
    assert {"retention", "tagging"} == waves.CAREFUL
    assert evidence._KEEP.days == 400
    assert handing._KEPT_SECONDS == 14 * 86_400
    assert "handed on waits 14 days" in flat(GUIDE)


def test_the_page_explains_what_the_stories_show() -> None:
    story = docs.story_of(GUIDE)
    shown = {key for item in story["judged-items"] for key in item["detail"]}
    summed = {key for name in ("started", "judged") for key in story[name]["summary"]}

    assert shown <= rows(section(CHORE, "### Details")).keys()
    assert summed <= rows(section(CHORE, "## The summary")).keys()


@pytest.mark.parametrize("page", [CHORE, GUIDE], ids=["chore", "guide"])
def test_its_contents_lead_to_every_section(page: Path) -> None:
    contents = text_of(page).partition("Contents: ")[2].partition("\n## ")[0]
    sections = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
    said = " ".join(contents.split()).lower()

    assert [each.lower() for each in sections if f"[{each.lower()}]" not in said] == []
    assert set(sections) <= set(headings(page))


def test_each_alert_kind_is_linked_to_its_runbook_entry() -> None:
    linked = set(re.findall(r"\]\(\.\./alerts\.md#(\w+)\)", text_of(CHORE)))

    assert incident_kinds(FLEET) <= linked


def test_every_chore_that_no_fleet_runs_says_why() -> None:
    chores = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    told = rows(section(GUIDE, "## What a fleet does not run")).keys()

    assert told == chores - {"fleet", "snapshot", "retention", "tagging", "drill"}
