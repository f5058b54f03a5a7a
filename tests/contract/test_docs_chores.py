"""What the code and the template of a chore hold is explained on its page."""

from __future__ import annotations

import re
from typing import Final

import pytest

from caretaker import blast_radius, breaker, look, plans, settings, tags, telemetry
from caretaker.decisions import Result
from caretaker.failures import _CODES, Kind
from functions.alerts import plan as alerts
from functions.retention import gates, memory, plan
from functions.retention.aws import changes
from tests.contract.template import (
    as_list,
    environment,
    function_of,
    functions,
    role_of,
    statements,
    written,
)
from tests.support import docs
from tests.support.docs_pages import (
    CHORES,
    ROOT,
    coded,
    codes_of,
    event_fields,
    incident_kinds,
    missing,
    page_of,
    rows,
    section,
    text_of,
    texts_in,
    texts_under,
)

SNAPSHOT: Final = page_of("snapshot")
RETENTION: Final = page_of("retention")
EVERY_CHORE: Final = pytest.mark.parametrize("chore", CHORES)

VARIABLES: Final = {
    name for name in vars(settings) if re.fullmatch(r"(CARETAKER|AWS)_[A-Z_]+", name)
}
OF_OTHERS: Final = {name for each in functions() for name in environment(each)} - set(
    environment("SnapshotFunction")
)
"""Variables that the pages of the functions that have them explain."""

TAGS: Final = {
    value
    for name, value in vars(tags).items()
    if isinstance(value, str) and value.startswith(tags.PREFIX) and name != "PREFIX"
}
ALWAYS_MEASURED: Final = {"Heartbeat", "ItemsDone", "ItemsFailed", "ItemsDeferred"} | {
    *("OpenIncidents", "UnsentAlerts")
}
ANY_LANE: Final = {"out_of_time", "lease_lost"}
"""Deferrals that the layer gives every chore."""


def kinds_of(chore: str) -> set[str]:
    return incident_kinds(ROOT / "functions" / chore)


def snapshot_deferrals() -> set[str]:
    return texts_under("deferred_by") | ANY_LANE | _CODES[Kind.BUSY] | _CODES[Kind.FULL]


def consistency_notes() -> set[str]:
    decided = texts_in("functions/snapshot/units.py", "_why_not_together")
    return decided | texts_under("consistency")


def test_reads_what_it_holds_the_docs_to() -> None:
    """An extraction that finds nothing would let everything pass."""
    assert set(CHORES) >= {"snapshot", "retention", "tagging", "alerts"}
    assert {"snapshot_unchangeable", "retention_refused"} <= kinds_of("retention")
    assert {"tags_violated", "tagging_stopped", "owner_unreachable"} <= kinds_of("tagging")
    assert {"state_unavailable", "outcome_unknown"} <= snapshot_deferrals()
    assert {"volume_by_request", "volume_by_refusal"} <= consistency_notes()
    assert {"caretaker:backup", "caretaker:delete-after"} <= TAGS
    assert {"CARETAKER_MODE", "AWS_REGION"} <= VARIABLES
    assert {"select.everything", "target.region"} <= event_fields("snapshot").keys()
    assert event_fields("retention")["blast_radius.percent"] == [0, 50]
    assert event_fields("tagging")["rules.*.values"] == [500, 256]
    assert event_fields("alerts")["silence.reason"] == [256]


@EVERY_CHORE
def test_a_page_has_a_row_for_every_reason_and_no_other(chore: str) -> None:
    table = section(page_of(chore), "### Actions and reasons")
    pairs = re.findall(r"^\| (`[^|]+) \| (`[^|]+) \|", table, re.MULTILINE)
    shown = [code for _, reasons in pairs for code in re.findall(r"`(\w+)`", reasons)]

    assert set(shown) == codes_of(chore, "Reason")


@EVERY_CHORE
def test_a_page_names_every_action_and_result(chore: str) -> None:
    assert not missing(codes_of(chore, "Action"), page_of(chore))
    assert set(rows(section(page_of(chore), "### Results"))) >= set(Result)


@EVERY_CHORE
def test_a_page_has_a_row_for_every_field_of_the_event(chore: str) -> None:
    table = rows(section(page_of(chore), "## The event"))

    assert event_fields(chore).keys() == table.keys()


@EVERY_CHORE
def test_every_limit_of_the_event_stands_in_its_row(chore: str) -> None:
    table = rows(section(page_of(chore), "## The event"))
    fields = event_fields(chore)
    wrong = {
        name: number
        for name, numbers in fields.items()
        for number in numbers
        if not re.search(rf"\b{number:g}\b", table[name])
    }

    assert not wrong


@EVERY_CHORE
def test_a_page_names_the_metrics(chore: str) -> None:
    named = coded(page_of(chore)) & telemetry.UNITS.keys()

    assert named >= ALWAYS_MEASURED


def test_every_metric_is_on_a_page() -> None:
    assert telemetry.UNITS.keys() == set().union(
        *(coded(page_of(chore)) & telemetry.UNITS.keys() for chore in CHORES)
    )


@EVERY_CHORE
def test_a_page_has_a_row_for_all_that_starts_its_chore(chore: str) -> None:
    function = written()["Resources"][function_of(chore)]["Properties"]
    what_starts = rows(section(page_of(chore), "## When it runs"))

    assert function.get("Events", {}).keys() <= what_starts.keys()


@EVERY_CHORE
def test_a_page_has_a_row_for_every_incident_of_its_chore(chore: str) -> None:
    heading = "## Freshness and incidents" if chore == "snapshot" else "## Incidents"
    told = rows(section(page_of(chore), heading))

    assert told.keys() == kinds_of(chore)


@EVERY_CHORE
def test_every_variable_of_a_function_is_explained(chore: str) -> None:
    variables = set(environment(function_of(chore)))

    assert not variables - coded(page_of(chore)) - coded(SNAPSHOT)
    assert chore == "snapshot" or "(snapshot.md#environment)" in text_of(page_of(chore))


@EVERY_CHORE
def test_every_permission_stands_in_its_row(chore: str) -> None:
    allowed = statements(role_of(function_of(chore)))
    table = rows(section(page_of(chore), "## Permissions"))
    shown = {
        name: sorted(set(re.findall(r"`(\w+:\w+)`", row.split("|")[2])))
        for name, row in table.items()
    }

    assert shown == {each["Sid"]: sorted(as_list(each["Action"])) for each in allowed}


@EVERY_CHORE
def test_a_page_shows_every_ready_event(chore: str) -> None:
    files = {path.name for path in (docs.DOCS.parent / "events" / chore).glob("*.json")}

    assert rows(section(page_of(chore), "## Examples")).keys() == files


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(consistency_notes(), id="consistency notes"),
        pytest.param(snapshot_deferrals(), id="deferrals"),
        pytest.param({f"tags: {note}" for note in texts_under("tags")}, id="tag notes"),
        pytest.param(VARIABLES - OF_OTHERS, id="environment"),
    ],
)
def test_the_snapshot_page_explains_all(wanted: set[str]) -> None:
    assert not missing(wanted, SNAPSHOT)


def test_every_tag_is_on_a_page() -> None:
    assert not TAGS - set().union(*(coded(page_of(chore)) for chore in CHORES))


def test_the_retention_page_explains_what_its_story_shows() -> None:
    story = docs.story_of(RETENTION)
    shown = [item for name in ("items", "swept-items") for item in story[name]]
    details = {key for item in shown for key in item["detail"]}

    assert details >= {"volume", "rules", "delete_after"}
    assert not missing(details, RETENTION)
    assert not missing(set(story["swept"]["summary"]), RETENTION)
    assert not missing(ANY_LANE | {breaker.CODE}, RETENTION)


@pytest.mark.parametrize(
    ("chore", "sentence"),
    [
        ("retention", f"deleted {plan.GRACE.days * 24} hours later"),
        ("retention", f"less than {gates.MIN_AGE.days * 24} hours old"),
        ("retention", f"at most {look.MAX_AGE_SECONDS} s before the call"),
        ("retention", f"the greater of {blast_radius.FEW} and 25 %"),
        ("retention", f"Within {plans.PLAN_WAITS.days} days"),
        ("retention", f"The approval holds for {memory.APPROVAL_HOLDS.days} days"),
        ("retention", f"remembered for {memory.SHARED_HOLDS.days} days"),
        ("retention", f"the first {changes.MAX_PREVIEWED} of them"),
        ("alerts", f"at most {alerts.LONGEST_SILENCE.days} days ahead"),
    ],
)
def test_the_numbers_of_a_page_are_those_of_the_code(chore: str, sentence: str) -> None:
    assert sentence in " ".join(text_of(page_of(chore)).split())


def test_numbers_that_pages_spell_out() -> None:
    assert breaker.IN_A_ROW == 3
    assert breaker.SHARE == 1 / 10
    assert blast_radius.BlastRadius() == blast_radius.BlastRadius(count=10, percent=25)
    assert blast_radius.MAX_PERCENT == 50
