"""The page of tagging: what its code knows is in its tables, and its examples are its code's."""

from __future__ import annotations

import ast
import json
import re
from typing import Final

import pytest

from caretaker import breaker, look, plans, tags
from functions.tagging import birth, compliance, escalation, table, units
from functions.tagging.request import RESERVED, TaggingRequest
from functions.tagging.rules import EC2_TYPES, UNTYPED, Case, Finding, Source
from tests.contract.template import written
from tests.support import docs, docs_tagging
from tests.support.docs_pages import (
    ROOT,
    coded,
    headings,
    missing,
    nodes,
    page_of,
    rows,
    section,
    text_of,
)

PAGE: Final = page_of("tagging")
ASKED: Final = TaggingRequest.model_validate({"rules": {"Owner": {}}})


def table_of(heading: str, *, after: str) -> set[str]:
    """Return the names in the first cells of the first table after some words of a section."""
    following = section(PAGE, heading).partition(after)[2]
    found = re.search(r"(?:^\|.*\n)+", following, re.MULTILINE)
    return set(rows(found[0].partition("---|\n")[2])) if found else set()


@pytest.mark.parametrize(
    ("after", "names"),
    [
        ("**What is found**", set(Finding)),
        ("**Case**", set(Case)),
        ("**What is set.**", set(Source)),
    ],
)
def test_a_rules_words_have_a_row_each_and_there_are_no_others(after: str, names: set[str]) -> None:
    assert table_of("## Rules", after=after) == names


def test_every_type_of_ec2_is_listed_as_such() -> None:
    types = rows(section(PAGE, "## Resources"))

    alone = {name for name in types if ":" not in name}
    assert alone == {*EC2_TYPES, *UNTYPED}
    assert all("Describe" in types[name] for name in EC2_TYPES)


def test_every_service_that_it_may_write_to_is_named() -> None:
    role = json.dumps(written()["Resources"]["TaggingRole"])
    services = set(re.findall(r'"(\w+):(?:AddTags|TagResource|AddTagsToResource)"', role))
    listed = {name.partition(":")[0] for name in rows(section(PAGE, "## Resources"))}

    assert services == {"ecs", "eks", "elasticloadbalancing", "lambda", "logs", "rds", "s3"}
    assert services <= listed


def test_every_call_that_makes_something_is_named() -> None:
    assert set(birth._BORN_AS) <= coded(PAGE)  # noqa: SLF001 - names of the docs


def test_the_list_has_a_row_for_each_column_in_their_order() -> None:
    assert tuple(rows(section(PAGE, "## The list"))) == table.COLUMNS


def test_the_page_explains_what_its_story_shows() -> None:
    story = docs.story_of(PAGE)
    items = [item for name in ("items", "steps", "born", "others") for item in story[name]]
    details = {key for item in items for key in item["detail"]}
    told = set(rows(section(PAGE, "### Details")))

    assert details >= {"findings", "found", "set", "because", "group", "stop_after"}
    assert details <= told
    assert set(rows(section(PAGE, "## The summary"))) == set(story["first-look"]["summary"])
    assert not missing({"out_of_time", "lease_lost", breaker.CODE}, PAGE)


def test_the_story_takes_every_step_and_undoes_it() -> None:
    steps = [item["action"] for item in docs.story_of(PAGE)["steps"]]

    assert steps == ["tell", "mark", "report", "stop", "start", "keep"]


def test_the_ladder_has_a_row_for_each_step() -> None:
    ladder = rows(section(PAGE, "## Escalation"))

    assert set(ladder) >= {"tell", "mark", "stop"}
    assert "`unmark`" in ladder["mark"]
    assert "`start`" in ladder["stop"]


def test_the_worked_policy_is_the_ready_event() -> None:
    (block,) = re.findall(r"<!-- rules: ([\w-]+) -->\n```json\n(.*?)```", text_of(PAGE), re.DOTALL)
    name, shown = block

    assert json.loads(shown) == docs_tagging.event(name)["rules"]
    assert json.loads(shown) == docs_tagging.event("dry-run")["rules"]


def test_metrics_name_their_further_dimensions() -> None:
    row = rows(section(PAGE, "## Metrics"))["TagCompliancePercent"]
    wanted = (compliance.KEY, compliance.TYPE, compliance.OWNER)

    assert [name for name in wanted if f"`{name}`" not in row] == []


@pytest.mark.parametrize(
    "sentence",
    [
        f"**Grace** (`grace_hours`, {ASKED.grace_hours})",
        f"`stop_after_days` ({ASKED.stop_after_days}) ahead",
        f"up to {units.IDS_AT_ONCE:,} of them",
        f"no run acted on for {escalation.STALE.days} days",
        f"read again at most {look.MAX_AGE_SECONDS} s before the call",
        f"within {plans.PLAN_WAITS.days} days, by its `plan_id`",
        f"the greater of {ASKED.blast_radius.count} and {ASKED.blast_radius.percent} %",
        f"the {compliance.MAX_VALUES} with most wrong first. `{compliance.NOBODY}`",
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(text_of(PAGE).split())


def test_every_tag_of_the_products_own_that_it_uses_has_a_row() -> None:
    named = {
        getattr(tags, node.attr)
        for node in nodes(ROOT / "functions" / "tagging")
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tag"
        if node.attr.isupper()
    }
    used = {name for name in named if str(name).startswith(tags.PREFIX)} - {tags.PREFIX}

    assert used >= {tags.STOP_AFTER, tags.INSTANCE}
    assert used | {tags.IGNORE} <= rows(section(PAGE, "## Tags")).keys()


def test_what_no_rule_may_name_is_said() -> None:
    assert set(RESERVED) <= coded(PAGE)


def test_its_contents_lead_to_every_section() -> None:
    contents = text_of(PAGE).partition("Contents: ")[2].partition("\n## ")[0]
    sections = re.findall(r"^## (.+)$", text_of(PAGE), re.MULTILINE)

    assert [each.lower() for each in sections if f"[{each.lower()}]" not in contents] == []
    assert set(sections) <= set(headings(PAGE))
