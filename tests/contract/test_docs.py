"""Docs that fail when they drift: what code and template hold is explained on its page."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker import settings, tags, telemetry
from caretaker.decisions import Result
from caretaker.failures import _CODES, Kind
from caretaker.incidents import Incident
from caretaker.rendering import Alert, Origin, Turn, render_message
from caretaker.request import parse_request
from functions.snapshot.plan import Action, Reason
from functions.snapshot.request import SnapshotRequest, failed_snapshot_ids
from tests.contract.template import ROOT, as_list, properties, statements, written

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
SNAPSHOT: Final = DOCS / "chores" / "snapshot.md"
ALERTS: Final = DOCS / "alerts.md"
REPORTS: Final = DOCS / "reports.md"
INSTALL: Final = DOCS / "install.md"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
EVENTS: Final = sorted((ROOT / "events").rglob("*.json"))
PRODUCT: Final = [ROOT / "layers" / "common" / "caretaker", ROOT / "functions"]

MAX_README_LINES: Final = 200
TAGS_OF_USERS_AND_OURS: Final = {
    value
    for name, value in vars(tags).items()
    if isinstance(value, str) and value.startswith(tags.PREFIX) and name != "PREFIX"
}
VARIABLES: Final = {
    name for name in vars(settings) if re.fullmatch(r"(CARETAKER|AWS)_[A-Z_]+", name)
}


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def coded(page: Path) -> set[str]:
    """Return what a page sets in backticks, outside of blocks."""
    return set(re.findall(r"`([^`\n]+)`", without_blocks(text_of(page))))


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", text_of(page), re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", without_blocks(text_of(page)), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in headings(page))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@cache
def syntax_trees() -> dict[Path, ast.Module]:
    modules = [path for folder in PRODUCT for path in sorted(folder.rglob("*.py"))]
    return {path: ast.parse(text_of(path)) for path in modules}


def nodes() -> Iterator[ast.AST]:
    for tree in syntax_trees().values():
        yield from ast.walk(tree)


def texts_given(function: str, keyword: str) -> set[str]:
    """Return the literals that calls of a function anywhere pass by this keyword."""
    return {
        argument.value.value
        for node in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function
        for argument in node.keywords
        if argument.arg == keyword
        and isinstance(argument.value, ast.Constant)
        and isinstance(argument.value.value, str)
    }


def texts_under(key: str) -> set[str]:
    """Return the literals that dictionaries anywhere hold under a key."""
    return {
        value.value
        for node in nodes()
        if isinstance(node, ast.Dict)
        for name, value in zip(node.keys, node.values, strict=True)
        if isinstance(name, ast.Constant) and name.value == key
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def texts_in(module: str, function: str) -> set[str]:
    """Return the literal texts inside a function, its docstring apart."""
    tree = syntax_trees()[ROOT / module]
    found = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return {
        node.value
        for node in ast.walk(found)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    } - {ast.get_docstring(found, clean=False) or ""}


def deferrals() -> set[str]:
    """Return every value of `deferred_by`: ours, and AWS's codes of limits."""
    given = {
        text.value
        for node in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_deferred"
        for text in ast.walk(node)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    return texts_under("deferred_by") | given | _CODES[Kind.BUSY] | _CODES[Kind.FULL]


def consistency_notes() -> set[str]:
    decided = texts_in("functions/snapshot/units.py", "_why_not_together")
    return decided | texts_under("consistency")


def event_fields(schema: dict[str, Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Yield every field of the event, nested ones as `select.states`."""
    whole = SnapshotRequest.model_json_schema()
    for name, field in (schema or whole)["properties"].items():
        yield f"{prefix}{name}"
        reference = field.get("$ref", "").rpartition("/")[2]
        if "properties" in whole["$defs"].get(reference, {}):
            yield from event_fields(whole["$defs"][reference], f"{prefix}{name}.")


def alarms() -> set[str]:
    return {
        name
        for name, resource in written()["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def missing(wanted: set[str], page: Path) -> set[str]:
    """Return what a page does not name, alone in backticks."""
    return wanted - coded(page)


def test_reads_what_it_holds_the_docs_to() -> None:
    """An extraction that finds nothing would let everything pass."""
    assert {"backup_failed", "run_failed", "work_left_over"} <= texts_given("Check", "kind")
    assert {"out_of_time", "lease_lost", "state_unavailable", "outcome_unknown"} <= deferrals()
    assert {"volume_by_request", "volume_by_refusal"} <= consistency_notes()
    assert {"select.everything", "target.region", "pace"} <= set(event_fields())
    assert {"caretaker:backup", "caretaker:slot"} <= TAGS_OF_USERS_AND_OURS
    assert {"CARETAKER_MODE", "AWS_REGION"} <= VARIABLES
    assert alarms()


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({reason.value for reason in Reason}, id="reasons"),
        pytest.param({action.value for action in Action}, id="actions"),
        pytest.param({result.value for result in Result}, id="results"),
        pytest.param(consistency_notes(), id="consistency notes"),
        pytest.param(deferrals(), id="deferrals"),
        pytest.param({f"tags: {note}" for note in texts_under("tags")}, id="tag notes"),
        pytest.param(TAGS_OF_USERS_AND_OURS, id="tags"),
        pytest.param(set(telemetry.UNITS), id="metrics"),
        pytest.param(set(event_fields()), id="event fields"),
        pytest.param(VARIABLES, id="environment"),
    ],
)
def test_the_chores_page_explains_all(wanted: set[str]) -> None:
    assert not missing(wanted, SNAPSHOT)


def test_the_chores_page_explains_no_reason_that_does_not_exist() -> None:
    rows = re.findall(
        r"^\| `(?:create|give_up|keep|skip)` \| `(\w+)` ", text_of(SNAPSHOT), re.MULTILINE
    )
    assert sorted(rows) == sorted(reason.value for reason in Reason)


def test_every_limit_of_the_event_stands_in_its_row() -> None:
    rows = {
        row.split("|")[1].strip(" `"): row
        for row in text_of(SNAPSHOT).splitlines()
        if row.startswith("| `")
    }
    fields = SnapshotRequest.model_json_schema()["properties"]
    limits = {
        name: [field[word] for word in ("minimum", "maximum", "maxItems") if word in field]
        for name, field in fields.items()
    }
    wrong = {
        name: number
        for name, numbers in limits.items()
        for number in numbers
        if not re.search(rf"\b{number:g}\b", rows[name])
    }
    assert not wrong
    assert limits["max_age_hours"]


def test_every_variable_of_the_function_is_explained() -> None:
    (function,) = properties("AWS::Lambda::Function").values()
    assert not missing(set(function["Environment"]["Variables"]), SNAPSHOT)


def test_every_permission_stands_in_its_row() -> None:
    rows = {
        row.split("|")[1].strip(" `"): row for row in text_of(SNAPSHOT).splitlines() if "|" in row
    }
    written_down = {
        statement["Sid"]: sorted(set(re.findall(r"`(\w+:\w+)`", rows.get(statement["Sid"], ""))))
        for statement in statements("SnapshotRole")
    }
    allowed = {s["Sid"]: sorted(as_list(s["Action"])) for s in statements("SnapshotRole")}
    assert written_down == allowed


@pytest.mark.parametrize("kind", sorted(texts_given("Check", "kind")))
def test_every_incident_has_a_runbook_entry_under_its_own_anchor(kind: str) -> None:
    assert kind in anchors(ALERTS)


@pytest.mark.parametrize("alarm", sorted(alarms()))
def test_every_alarm_has_a_runbook_entry(alarm: str) -> None:
    assert alarm in headings(ALERTS)


def test_every_runbook_entry_says_what_to_do() -> None:
    entries = texts_given("Check", "kind") | alarms()
    parts = ("**Means**", "**Look here first**", "**Fix**", "**Worry when**")
    incomplete = {
        entry: [part for part in parts if part not in section]
        for entry in entries
        for section in [text_of(ALERTS).partition(f"\n### {entry}\n")[2].partition("\n##")[0]]
        if any(part not in section for part in parts)
    }
    assert not incomplete


def test_no_runbook_entry_is_about_something_that_is_gone() -> None:
    entries = set(re.findall(r"^### (\w+)$", text_of(ALERTS), re.MULTILINE))
    assert entries == texts_given("Check", "kind") | alarms()


def test_the_alerts_document_is_explained_field_by_field() -> None:
    (example,) = [json.loads(block) for block in blocks(ALERTS, "json")]
    assert not missing(set(example), ALERTS)
    assert set(example["incidents"][0]) == set(Incident.__dataclass_fields__)
    assert not missing(set(Incident.__dataclass_fields__), ALERTS)


def test_the_example_of_an_alert_is_what_is_sent() -> None:
    (example,) = [json.loads(block) for block in blocks(ALERTS, "json")]
    subject, email, *_ = blocks(ALERTS, "")
    runbook = example["runbook"].partition("#")[0]
    names = set(Origin.__dataclass_fields__) - {"runbook"}
    origin = Origin(**{name: example[name] for name in names}, runbook=runbook)
    incidents = [Incident.from_document(each) for each in example["incidents"]]
    now = datetime.fromisoformat(example["time"])
    message = render_message(Alert(Turn(example["state"]), incidents, origin, 1, now))
    texts = json.loads(message.body)
    assert json.loads(texts["default"]) == example
    assert (message.subject, texts["email"]) == (subject.strip(), email)


def test_the_answer_is_explained_field_by_field() -> None:
    built = texts_in("layers/common/caretaker/report.py", "answer_without_items")
    fields = built - {"ok"} | texts_in("layers/common/caretaker/report.py", "_head")
    (example,) = [json.loads(block) for block in blocks(REPORTS, "json")]
    assert set(example) == fields
    assert not missing(fields, REPORTS)


@pytest.mark.parametrize("page", [README, INSTALL], ids=lambda page: page.name)
def test_every_parameter_is_explained(page: Path) -> None:
    assert not missing(set(written()["Parameters"]), page)


def test_every_output_is_explained() -> None:
    assert not missing(set(written()["Outputs"]), INSTALL)


def test_the_readme_names_the_events_fields() -> None:
    settings_section = text_of(README).partition("\n## Settings\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", settings_section))
    assert not set(SnapshotRequest.model_fields) - named


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_file_is_on_its_chores_page_and_valid(path: Path) -> None:
    event = json.loads(text_of(path))
    page = DOCS / "chores" / f"{path.parent.name}.md"
    assert f"/events/{path.parent.name}/{path.name})" in text_of(page)
    if "detail-type" in event:
        assert failed_snapshot_ids(event)
    else:
        parse_request(SnapshotRequest, event)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_json_in_the_docs_parses(page: Path) -> None:
    for block in blocks(page, "json"):
        value = json.loads(block)
        if isinstance(value, dict) and value.keys() & {"policy"} and "schema" not in value:
            parse_request(SnapshotRequest, value)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_events_in_the_text_and_in_commands_are_valid(page: Path) -> None:
    for event in re.findall(r"""(?:`|--event ')(\{[^`'\n]*\})[`']""", text_of(page)):
        parse_request(SnapshotRequest, json.loads(event))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_blocks(text_of(page)))
    broken = [link for link in links if not resolves(page, link)]
    assert not broken


def resolves(page: Path, link: str) -> bool:
    if re.match(r"https?://|mailto:", link):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_the_text_exist(page: Path) -> None:
    named = re.findall(
        r"(?:tests|docs|events|functions|layers|requirements)/[\w./-]*\w/?",
        without_blocks(text_of(page)),
    )
    of_the_example = [path for path in named if "addresses" in path]
    gone = [
        path
        for path in set(named) - set(of_the_example)
        if not (ROOT / path).exists() and not (page.parent / path).exists()
    ]
    assert not gone


def test_every_guarantee_names_tests_that_exist() -> None:
    section = text_of(README).partition("\n## Safety\n")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    files = [re.findall(r"`(tests/[\w/]+\.py)`", row.rsplit("|", 2)[1]) for row in rows]
    assert rows
    assert all(files)
    assert not [path for row in files for path in row if not (ROOT / path).is_file()]


def test_the_examples_python_parses() -> None:
    found = blocks(ROOT / "CONTRIBUTING.md", "python")
    assert found
    for block in found:
        ast.parse(block)


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of(DOCS / "decisions" / "README.md"))
    assert listed == sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
