# ruff: noqa: SLF001 - the constants are what the pages tell
"""The pages of restore and drill: what the code knows is on them, with its numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from caretaker import tags
from caretaker.aws.session import JUDGE_SECONDS
from functions.drill.aws import blocks, volumes
from functions.drill.facts import Flaw
from functions.drill.facts import How as DrillHow
from functions.drill.partitions import MAX_PARTITIONS
from functions.drill.request import DrillRequest
from functions.drill.signatures import WINDOW
from functions.drill.units import WORKERS
from functions.restore import checks, making, moves, refusals, refusing, telling, turns
from functions.restore.aws import pacing, walk
from functions.restore.facts import How
from functions.restore.journal import Ending
from functions.restore.request import RestoreRequest
from tests.support import docs
from tests.support.docs_pages import (
    ROOT,
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

RESTORE: Final = page_of("restore")
DRILL: Final = page_of("drill")
PAGES: Final = {"restore": RESTORE, "drill": DRILL}
KIBI: Final = 1024


def flat(page: Path) -> str:
    return " ".join(text_of(page).split())


def problems() -> set[str]:
    """Return every problem that the code names itself: the others are AWS's codes."""
    folder = ROOT / "functions" / "restore"
    given = texts_given("go_back", "", folder) | texts_given("left", "", folder)
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    waited = set(re.findall(r'look\.wait\(\s*[^,]+,\s*[^,]+,\s*"(\w+)"', text))
    burned = set(re.findall(r'"(volume_\w+|token_used)"', (folder / "making.py").read_text()))
    burned |= set(re.findall(r'"(token_used)"', (folder / "refusals.py").read_text()))
    return given | waited | (burned - {"volumes_not_made"}) | {"took_too_long"}


def test_reads_what_it_holds_the_docs_to() -> None:
    assert {"checks_failed", "changed_meanwhile", "not_stopped", "token_used"} <= problems()
    assert incident_kinds(ROOT / "functions" / "restore") == {
        "restore_failed",
        "restore_stalled",
        "restore_stuck",
    }


def test_every_problem_ending_and_way_has_a_row() -> None:
    assert problems() <= rows(section(RESTORE, "### Problems")).keys()
    assert problems() <= telling.PROBLEMS.keys()
    assert {e.value for e in Ending} == rows(section(RESTORE, "## How it ends")).keys()
    assert {h.value for h in How} == rows(section(RESTORE, "## How")).keys()


def test_every_flaw_has_a_row_and_no_other() -> None:
    assert rows(section(DRILL, "## Flaws")).keys() == {flaw.value for flaw in Flaw}


@pytest.mark.parametrize(
    "sentence",
    [
        f"{making._MADE_WITHIN.seconds // 60} minutes: back. One that fails",
        f"| if it runs | {moves._STOPPED_WITHIN.seconds // 60} minutes: back |",
        (
            f"{moves._DETACHED_WITHIN.seconds // 60} minutes to detach, "
            f"{moves._ATTACHED_WITHIN.seconds} seconds to attach: back"
        ),
        f"| {moves._STARTED_WITHIN.seconds // 60} minutes: back |",
        f"asked for again for {refusals._WAITED_FOR.seconds // 60} minutes",
        f"given up before {turns.GIVEN_UP_AFTER.days * 24} hours are over",
        f"that has begun for {checks._STALLED_AFTER.seconds // 60} minutes",
        f"is on its way back for {checks._STUCK_AFTER.seconds // 60} minutes",
        f"more than {refusing.MOST_VOLUMES:,} volumes",
        f"`wave` instances at a time, {RestoreRequest().wave} by default",
        f"Whose turn is more than {pacing.NEAR_SECONDS} seconds away waits in the state machine",
        f"stays his for {pacing.HELD_SECONDS} seconds after it has come",
        f"at {turns.SOON} seconds after volumes are made, detached or attached",
        f"{walk._SHOWS_AFTER[turns.Step.STOP]} after a stop",
        f"{turns.LATER} after a start whose status checks are waited for",
        f"at last every {turns.LATER}",
    ],
)
def test_the_numbers_of_restores_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in flat(RESTORE)


@pytest.mark.parametrize(
    "sentence",
    [
        f"{DrillRequest().blocks} blocks of half a MiB",
        f"the first {WINDOW // KIBI} KiB of each partition, up to {MAX_PARTITIONS}",
        f"looked at every {volumes._LOOK_EVERY_SECONDS} seconds",
        f"answers within {JUDGE_SECONDS} seconds",
        f"names {blocks._PAGE:,} blocks",
    ],
)
def test_the_numbers_of_drills_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in flat(DRILL)


def test_numbers_that_the_pages_spell_out() -> None:
    assert (making._MOST_BURNED, moves._MOST_STARTS) == (2, 3)
    assert volumes.LIVES.total_seconds() == 48 * 3600
    assert (volumes.WAITS_SECONDS, volumes._MOST_SECONDS) == (300, 11 * 60)
    assert WORKERS[DrillHow.VOLUME] == 4
    assert blocks._READINGS == 3


def test_every_tag_has_a_row() -> None:
    told = rows(section(RESTORE, "## Tags")).keys()
    assert {tags.RUN, tags.RESTORED_FROM, tags.REPLACED_BY, tags.ATTEMPT, tags.BACKUP} <= told
    assert {tags.PROVEN_AT, tags.EXPIRES_AT} <= rows(section(DRILL, "## Tags")).keys()


def test_the_pages_explain_what_their_stories_show() -> None:
    for page, names, summaries in (
        (RESTORE, ("plan-items", "started-items", "stand-items", "way-back-items"), ("plan",)),
        (DRILL, ("proven-items", "lost-items", "volume-items", "slow-items"), ("proven",)),
    ):
        story = docs.story_of(page)
        shown = {key for name in names for item in story[name] for key in item["detail"]}
        summed = {key for name in summaries for key in story[name]["summary"]}
        assert shown <= rows(section(page, "### Details")).keys()
        assert summed <= rows(section(page, "## The summary")).keys()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_its_contents_lead_to_every_section(page: Path) -> None:
    contents = text_of(page).partition("Contents: ")[2].partition("\n## ")[0]
    sections = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
    said = " ".join(contents.split()).lower()

    assert [each.lower() for each in sections if f"[{each.lower()}]" not in said] == []
    assert set(sections) <= set(headings(page))


@pytest.mark.parametrize("chore", PAGES)
def test_each_alert_kind_is_linked_to_its_runbook_entry(chore: str) -> None:
    linked = set(re.findall(r"\]\(\.\./alerts\.md#(\w+)\)", text_of(PAGES[chore])))

    assert incident_kinds(ROOT / "functions" / chore) <= linked
