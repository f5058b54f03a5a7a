"""The page of instance health: what its code knows is on it, and its examples are its code's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker import breaker, look, tags
from caretaker.transitions import FLAP_SPAN, FLAPS_AT
from caretaker.windows import Window
from functions.instance_health import app, beginning, ladder, owed, request
from functions.instance_health.arrivals import RECOVERY_FAILED
from functions.instance_health.facts import Cause, Reason
from functions.instance_health.gates import _ALLOWS, _NONE, REPLACE
from functions.instance_health.request import InstanceHealthRequest, Ladders, Repairs, Rung
from tests.cloud import Account, ManualClock, strict_moto
from tests.contract.template import written
from tests.support import docs, docs_health
from tests.support.docs_pages import (
    DOCS,
    ROOT,
    coded,
    headings,
    incident_kinds,
    missing,
    nodes,
    page_of,
    request_of,
    rows,
    section,
    text_of,
)
from tests.support.stack import ENVIRONMENT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE: Final = page_of("instance_health")
FOLDER: Final = ROOT / "functions" / "instance_health"
FILES: Final = sorted(docs_health.EVENTS.glob("*.json"))
ASKED: Final = InstanceHealthRequest()
REPAIRS: Final = ASKED.repairs
REFUSED: Final = {"wrong-ladder", "wrong-windows"}


def minutes(span: Any) -> int:
    return int(span.total_seconds()) // 60


def test_reads_what_it_holds_the_docs_to() -> None:
    """An extraction that finds nothing would let everything pass."""
    kinds = {"instance_impaired", "repair_asked", "instance_left_stopped", "instance_stuck"}
    kinds |= {"instance_not_running", "instance_unknown", "instance_event", "health_issue"}

    assert incident_kinds(FOLDER) == kinds | {
        *("zone_impaired", "fleet_impaired", "repairs_stopped", "run_failed")
    }
    assert PAGE.name == "instance-health.md"


def test_every_default_stands_in_the_row_of_its_field() -> None:
    table = rows(section(PAGE, "## The event"))
    simple = {
        f"repairs.{name}": field.default
        for name, field in Repairs.model_fields.items()
        if name != "ladders"
    }
    steps = {f"repairs.ladders.{name}": list(rungs) for name, rungs in Ladders()}
    defaults = {name: table[name].split("|")[3].strip(" `") for name in simple | steps}

    assert {k: json.loads(v) for k, v in defaults.items()} == {**simple, **steps}


def test_every_ladder_has_a_row_with_its_steps() -> None:
    table = section(PAGE, "## The ladders")
    for cause in (Cause.INSTANCE, Cause.EBS):
        shown = ", ".join(f"`{rung}`" for rung in getattr(Ladders(), cause))
        assert f"| {shown} | `repairs.ladders.{cause}` |" in table
    assert "then `stop-start`, `page` | `repairs.ladders.system`" in table
    assert all(f"**`{rung}`**" in table for rung in Rung)
    assert f"`{REPLACE}`" in table


def test_every_check_before_a_step_has_a_row() -> None:
    checks = set(rows(section(PAGE, "## Before a step")))
    forbidding = {Reason.NOT_OPTED_IN, Reason.OPTED_OUT, Reason.REMEDIATE_UNREADABLE}
    forbidding |= {Reason.SERVICE_MANAGED, Reason.STEP_NOT_ALLOWED, Reason.SPOT}
    forbidding |= {Reason.INSTANCE_STORE, Reason.ADDRESS_WOULD_CHANGE, Reason.KEY_UNUSABLE}

    assert checks >= {str(reason) for reason in forbidding | {Reason.STOP_PROTECTED}}


def test_every_tag_and_its_values_have_a_row() -> None:
    table = rows(section(PAGE, "## Tags"))

    assert {tags.REMEDIATE, tags.EXPECT, tags.IGNORE, "group_by"} <= table.keys()
    values = {str(rung) for rung in _ALLOWS} | {_NONE}
    assert [value for value in values if f"`{value}`" not in table[tags.REMEDIATE]] == []
    assert tags.STOP_AFTER in table[tags.EXPECT]
    assert not {tags.REMEDIATE, tags.EXPECT} - coded(ROOT / "README.md")


@pytest.mark.parametrize(
    "sentence",
    [
        f"for {REPAIRS.impaired_minutes} minutes (`impaired_minutes`)",
        f"{REPAIRS.settle_minutes} minutes (`settle_minutes`) after a launch",
        f"for {REPAIRS.recovery_minutes} minutes since they began to fail",
        f"Still impaired after {REPAIRS.step_minutes} minutes (`step_minutes`)",
        f"Neither after {minutes(ladder.JUDGED_WITHIN)} minutes: unknown",
        f"again after {minutes(ladder.LOST_AFTER)} minutes",
        f"in `stopping` for more than {minutes(owed.STUCK_AFTER)} minutes",
        f"`stopping` or `pending` for {minutes(beginning.LASTING)} minutes; warning",
        f"| ladders | {REPAIRS.ladders_per_day} a day | {request.MAX_LADDERS_PER_DAY} |",
        f"| group | {REPAIRS.group_percent} %, at least 1 | {request.MAX_GROUP_PERCENT} % |",
        f"{REPAIRS.breaker_count} and more than {REPAIRS.breaker_percent} %",
        f"| cooldown | {REPAIRS.cooldown_minutes} minutes |",
        f"at most {look.MAX_AGE_SECONDS} s before the call",
        f"within {minutes(FLAP_SPAN)} minutes",
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(text_of(PAGE).split())


def test_numbers_that_the_pages_spell_out() -> None:
    said = " ".join(text_of(DOCS / "alerts.md").split())

    assert FLAPS_AT == 4
    assert f"changes four times within {minutes(FLAP_SPAN)} minutes" in said
    assert "at its fourth change" in text_of(PAGE)
    assert request.MAX_BREAKER_PERCENT == 20
    assert owed._MAX_STOPS == 3  # noqa: SLF001 - "three times in all"


def test_the_scheduled_events_that_it_acts_on_are_named() -> None:
    assert set(beginning.ACTED_ON) | {RECOVERY_FAILED} <= coded(PAGE)


def test_the_page_explains_what_its_story_shows() -> None:
    story = docs.story_of(PAGE)
    items = [item for name in ("look-items", "items", "asked") for item in story[name]]
    details = {key for item in items for key in item["detail"]}

    assert details >= {"cause", "polls", "group", "step", "rung", "ladder", "ladders_today"}
    assert details <= set(rows(section(PAGE, "### Details")))
    assert set(rows(section(PAGE, "## The summary"))) == set(story["look"]["summary"])
    assert not missing({"out_of_time", "lease_lost", breaker.CODE}, PAGE)


def test_the_story_climbs_the_whole_ladder_and_people_hear_of_each_step() -> None:
    story = docs.story_of(PAGE)
    steps = [item["action"] for item in story["items"] if item["action"] != "keep"]

    assert steps == ["reboot", "reboot", "stop", "start"]
    assert len(story["climbed"].splitlines()) == 4
    assert story["climbed"].splitlines()[-1].endswith("fixed by stop-start")


def test_the_window_shown_on_the_page_is_the_ready_event() -> None:
    (block,) = re.findall(
        r"```json\n(\[.*?\])\n```", section(PAGE, "## Maintenance windows"), re.DOTALL
    )

    assert json.loads(block) == docs_health.event("windows")["maintenance_windows"]
    assert all(Window.model_validate_json(json.dumps(each)) for each in json.loads(block))


def test_the_regular_event_has_the_fields_that_the_schedule_sends() -> None:
    events = written()["Resources"]["InstanceHealthFunction"]["Properties"]["Events"]
    template, _ = events["Poll"]["Properties"]["Input"]["Fn::Sub"]
    filled = re.sub(r"\$\{\w+\}", "null", template)
    sent = json.loads((docs_health.EVENTS / "regular.json").read_text(encoding="utf-8"))

    assert sent.keys() == json.loads(filled).keys()
    assert request_of("instance_health").model_validate_json(json.dumps(sent)).policy == "default"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**ENVIRONMENT, "CARETAKER_TARGET_ROLE_NAME": "target"}.items():
            patched.setenv(name, value)
        clock = ManualClock()
        with strict_moto(clock) as cloud:
            Account(cloud).instance(name="web-1")
            yield Stack(clock)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_ready_event_is_carried_out_or_refused_as_the_page_says(
    path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "target")

    answer = stack.run(app.CHORE, json.loads(path.read_text(encoding="utf-8")))

    assert answer["status"] == ("refused" if path.stem in REFUSED else "ok")


def test_its_contents_lead_to_every_section() -> None:
    contents = text_of(PAGE).partition("Contents: ")[2].partition("\n## ")[0]
    sections = re.findall(r"^## (.+)$", text_of(PAGE), re.MULTILINE)
    said = " ".join(contents.split()).lower()

    assert [each.lower() for each in sections if f"[{each.lower()}]" not in said] == []
    assert set(sections) <= set(headings(PAGE))


def test_each_alert_kind_is_named_where_it_is_explained() -> None:
    """The words of the alerts lead to the runbook, and the runbook to the page."""
    linked = set(re.findall(r"\]\(\.\./alerts\.md#(\w+)\)", text_of(PAGE)))

    assert incident_kinds(FOLDER) <= linked
    assert list(nodes(FOLDER))
