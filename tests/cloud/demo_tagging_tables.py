"""What the demo's scenes of tagging draw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud.demo_tables import STYLES, new_table
from tests.cloud.deployment import Json

if TYPE_CHECKING:
    from rich.table import Table

type Scores = Mapping[str, tuple[int, int]]
type Moment = tuple[str, Sequence[str], str, str]
"""When, what was done, the instance's state, and its mark."""

FROM = {
    "instance": "its instance",
    "subnet": "its subnet",
    "creator": "who made it",
    "default": "the rule's default",
    "normalised": "its own tag, put in the right case",
}


def compliance_table(before: Mapping[str, Scores], after: Mapping[str, Scores]) -> Table:
    """Show how many tags are right, by key and by owner, before and after."""
    table = new_table("tags that are right, by", "", "of#", "before#", "after#")
    for name, scores in before.items():
        for value, (right, of) in sorted(scores.items()):
            now = after[name][value][0]
            shown = Text(f"{now} ({_percent(now, of)})", "green" if now == of else "yellow")
            table.add_row(name, value, str(of), f"{right} ({_percent(right, of)})", shown)
        table.add_section()
    return table


def _percent(right: int, of: int) -> str:
    return f"{right * 100 // of} %"


def set_table(items: Iterable[Json]) -> Table:
    """Show what was set, and where the values come from."""
    counted: Counter[tuple[str, str]] = Counter()
    values: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for item in items:
        for key, source in item["detail"]["because"].items():
            counted[key, source] += 1
            values[key, source].add(item["detail"]["set"][key])
    table = new_table("set", "from", "resources#", "values", title="What was set, and from where")
    for (key, source), number in sorted(counted.items()):
        shown = ", ".join(sorted(values[key, source]))
        table.add_row(key, FROM[source], str(number), shown)
    return table


def left_table(items: Iterable[Json], names: Mapping[str, str]) -> Table:
    """Show what nobody but a person can put right, and who is told."""
    rows: Counter[tuple[str, str, str, str]] = Counter()
    for item in items:
        found = item["detail"].get("found", {})
        wrong = ", ".join(
            f"{key} {found.get(key, '')} {finding}".replace("  ", " ")
            for key, finding in item["detail"]["findings"].items()
        )
        told = "alerts topic"
        if item["action"] == "tell":
            told = f"{item['detail']['owner']}'s topic"
        name, number = names.get(item["target"], ""), item["detail"].get("resources")
        if number:
            name = f"{item['target'].partition('/')[0]} of {number} resources"
        rows[name, wrong, item["action"], told] += 1
    table = new_table("left", "number#", "what is wrong", "action", "told", title="What is left")
    for (name, wrong, action, told), number in sorted(rows.items()):
        table.add_row(name, str(number), wrong, action, told)
    return table


def steps_table(moments: Iterable[Moment], name: str) -> Table:
    """Show what happened to an instance."""
    table = new_table("run", f"done with {name}", "it is then", "caretaker:stop-after")
    for when, actions, state, mark in moments:
        style = "red" if state == "stopped" else "green"
        table.add_row(when, ", ".join(actions), Text(state, style), mark or "none")
    return table


def born_table(items: Iterable[Json], tags: Mapping[str, Mapping[str, str]]) -> Table:
    """Show what was made, and the tags it has."""
    table = new_table("made", "tag", "value", "from", "result")
    for item in items:
        detail = item["detail"]
        for key, source in detail["because"].items():
            value = tags[item["target"]][key]
            shown = Text(item["result"], STYLES[item["result"]])
            table.add_row(detail["type"], key, value, FROM[source], shown)
    return table
