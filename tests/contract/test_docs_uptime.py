"""The pages of uptime and service repair: what the code knows is on them, with its numbers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

from caretaker import look, tags
from functions.service_repair import gates
from functions.service_repair.attempt import DAY as REPAIR_DAY
from functions.service_repair.aws import evidence as repair_evidence
from functions.service_repair.request import Repairs
from functions.uptime import memory, past, plan, probing, telling, verdict, words
from functions.uptime.prober.request import USER_AGENT
from functions.uptime.request import MAX_TARGETS, UptimeRequest
from functions.uptime.spans import State
from functions.uptime.targets import MAX_BODY, Expect, Target, Tls
from functions.uptime.traces import Fault, Phase
from functions.uptime.wanted import read_targets
from tests.contract.template import written
from tests.support import docs
from tests.support.docs_pages import (
    DOCS,
    ROOT,
    coded,
    fields_of,
    headings,
    incident_kinds,
    missing,
    page_of,
    rows,
    section,
    text_of,
)

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

PAGE: Final = page_of("uptime")
REPAIR: Final = page_of("service_repair")
PAGES: Final = {"uptime": PAGE, "service_repair": REPAIR}
ASKED: Final = UptimeRequest()
REPAIRS: Final = Repairs()
KIBI: Final = 1024


def flat(page: Path) -> str:
    return " ".join(text_of(page).split())


def hours(span: timedelta) -> int:
    return int(span.total_seconds()) // 3600


def test_reads_what_it_holds_the_docs_to() -> None:
    """An extraction that finds nothing would let everything pass."""
    kinds = {"target_down", "target_slow", "target_partial", "target_wrong"}
    kinds |= {"certificate_expiring", "slo_missed", "prober_blind"}

    assert incident_kinds(ROOT / "functions" / "uptime") == kinds
    assert incident_kinds(ROOT / "functions" / "service_repair") == {
        *("service_repair", "service_repair_failed")
    }
    assert {"expect.json.path", "maintenance.*.zone", "fix.ecs_service.cluster"} <= (
        fields_of(Target).keys()
    )


def test_every_field_of_a_target_has_a_row_and_no_other() -> None:
    assert rows(section(PAGE, "## A target")).keys() == fields_of(Target).keys()


def test_every_limit_of_a_target_stands_in_its_row() -> None:
    table = rows(section(PAGE, "## A target"))
    wrong = {
        name: number
        for name, numbers in fields_of(Target).items()
        for number in numbers
        if not re.search(rf"\b{number:g}\b", table[name].replace(str(MAX_BODY), "262144"))
    }

    assert not wrong


def test_every_simple_default_of_a_target_stands_in_its_row() -> None:
    table = rows(section(PAGE, "## A target"))
    models: dict[str, type[BaseModel]] = {"": Target, "expect.": Expect, "tls.": Tls}
    defaults = {
        f"{prefix}{field.alias or name}": field.get_default(call_default_factory=True)
        for prefix, model in models.items()
        for name, field in model.model_fields.items()
        if not field.is_required()
    }
    simple = {name: each for name, each in defaults.items() if not isinstance(each, BaseModel)}
    shown = {name: table[name].split(" | ")[2].strip("` ") for name in simple}

    assert {name: json.loads(each) for name, each in shown.items()} == {
        name: json.loads(json.dumps(each)) for name, each in simple.items()
    }


def test_every_fault_and_state_has_a_row() -> None:
    assert set(rows(section(PAGE, "## Faults"))) == set(Fault)
    assert set(rows(section(PAGE, "## How it is judged"))) == set(State)
    assert not missing(set(Phase), PAGE)


def test_every_why_of_a_fault_stands_in_its_table() -> None:
    said = set(re.findall(r"`(\w+)`", section(PAGE, "## Faults")))

    assert words._WHYS.keys() <= said  # noqa: SLF001 - the codes of the items


def test_the_rows_of_the_faults_say_which_of_them_may_be_repaired() -> None:
    table = rows(section(PAGE, "## Faults"))
    said = {name for name, row in table.items() if row.split("|")[3].strip() == "yes"}

    assert said == verdict._FIXABLE  # noqa: SLF001 - the page's own column
    by_server = verdict._BY_SERVER  # noqa: SLF001 - likewise
    assert {*map(int, by_server)} == {*range(500, 600)} - {501, 505}
    assert "5xx, but 501 and 505" in table[Fault.STATUS]


@pytest.mark.parametrize(
    "sentence",
    [
        f"{ASKED.at_once} at once (`at_once`)",
        f"after {probing.PAUSES[0]} seconds, and after {probing.PAUSES[1]} more",
        f"{plan._MANY} % of the targets, and at least two",  # noqa: SLF001 - a number of the docs
        f"the last ask is {ASKED.fix_again_minutes} minutes ago (`fix_again_minutes`)",
        f"at most {ASKED.longest_gap_minutes} minutes (`longest_gap_minutes`)",
        f"less than `min_days` ({Tls().min_days}) are left",
        f"at most {MAX_TARGETS:,} in the event and in the object",
        f"It calls itself `{USER_AGENT}`",
        f"phases, fault | {hours(memory._RAW_KEPT)} hours |",  # noqa: SLF001 - a number of the docs
        f"`{ASKED.canary_url}`",
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in flat(PAGE)


def test_numbers_that_the_page_spells_out() -> None:
    said = flat(PAGE)

    assert (ASKED.confirm.failures, ASKED.confirm.successes) == (3, 2)
    assert "**Three runs** in a row" in said
    assert "Two in a row" in said
    assert probing.MAX_ADDRESSES == 8
    assert "Each address, up to eight" in said
    assert telling.NOTICES == (1, 3, 7, 14)
    assert "then below 14, 7, 3 and 1" in said
    assert set(past._DAYS) == {"24h", "30d", "90d"}  # noqa: SLF001 - the spans of the docs
    assert "over 24 hours, 30 and 90 days" in said
    assert MAX_BODY == 256 * KIBI


@pytest.mark.parametrize(
    "sentence",
    [
        f"`repairs_per_day` | {REPAIRS.repairs_per_day} | 2 |",
        f"`at_once` | {REPAIRS.at_once} | 3 |",
        f"for a day | {REPAIRS.cooldown_minutes} | the least is 15 |",
        f"`settle_minutes` | {REPAIRS.settle_minutes} |",
        f"looked for for {sum(repair_evidence.WAITS)} seconds",
        f"of the last {hours(gates._TOLD_FOR)} hours",  # noqa: SLF001 - a number of the docs
    ],
)
def test_the_numbers_of_the_other_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in flat(REPAIR)


def test_a_day_is_a_day() -> None:
    assert hours(REPAIR_DAY) == 24
    assert look.MAX_AGE_SECONDS == 60


def test_every_tag_has_a_row() -> None:
    assert {tags.PROBE, tags.IGNORE, tags.REMEDIATE} <= rows(section(PAGE, "## Tags")).keys()
    assert {tags.IGNORE, tags.REMEDIATE} == rows(section(REPAIR, "## Tags")).keys()
    assert tags.PROBE in coded(ROOT / "README.md")
    values = gates._ON_INSTANCES | gates._ON_SERVICES  # noqa: SLF001 - the values of the tag
    assert not missing(set(values), REPAIR)


def test_the_page_explains_what_its_story_shows() -> None:
    story = docs.story_of(PAGE)
    shown = [*story["look-items"], *story["items"], *story["partial-item"], *story["wrong"]]
    details = {key for item in shown for key in item["detail"]}

    assert details >= {"phases", "addresses", "fault", "asked", "errors", "certificate_expires"}
    assert details <= set(rows(section(PAGE, "### Details")))
    assert set(rows(section(PAGE, "## The summary"))) == set(story["look"]["summary"])


def test_the_other_page_explains_what_its_story_shows() -> None:
    story = docs.story_of(REPAIR)
    details = {
        key
        for name in ("restart", "single", "document")
        for item in story[name]
        for key in item["detail"]
    }

    assert details >= {"task", "desired", "command", "agent"}
    assert details <= set(rows(section(REPAIR, "### Details")))


def test_in_the_story_a_service_is_restarted_and_is_well_again() -> None:
    story = docs.story_of(PAGE)
    reasons = [(item["action"], item["reason"]) for item in story["items"]]

    assert ("fix", "down") in reasons
    assert reasons[-1] == ("keep", "up")
    assert [line for line in story["down"].splitlines() if "OK: [CRIT] prod api" in line]


def test_the_list_of_targets_to_start_from_is_sound() -> None:
    text = (DOCS / "examples" / "targets.json").read_text(encoding="utf-8")
    listed = json.loads(text)["targets"]
    wanted = read_targets(listed)

    assert wanted.wrong == ()
    assert wanted.targets.keys() == {each["name"] for each in listed}
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


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


def test_the_price_adds_up() -> None:
    """The table of the page: its rows are its sums."""
    table = section(PAGE, "## Price").partition("The same endpoints")[0]
    amounts = [
        [float(each) for each in re.findall(r"([\d.]+) USD", "|".join(line.split("|")[2:5]))]
        for line in table.splitlines()
        if line.startswith("| ")
    ]
    *parts, together = [row for row in amounts if row]

    assert [round(sum(column)) for column in zip(*parts, strict=True)] == together


def test_the_alarms_of_both_functions_are_as_many_as_the_price_says() -> None:
    alarms = [
        name
        for name, each in written()["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm" and name.startswith(("Uptime", "ServiceRepair"))
    ]

    assert len(alarms) == 4


def test_no_example_of_the_pages_shows_a_secret() -> None:
    played: dict[str, Any] = docs.played(PAGE) | docs.played(REPAIR)
    secret = re.compile(r"Bearer |token=|//[^/\s]*@")

    assert [name for name, text in played.items() if secret.search(text)] == []
