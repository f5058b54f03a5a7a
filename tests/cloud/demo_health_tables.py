"""What the demo's scenes of instance health draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud.demo_tables import STYLES, new_table, subject_line
from tests.cloud.deployment import Json
from tests.cloud.subscribers import Heard

if TYPE_CHECKING:
    from rich.table import Table

type Moment = tuple[str, Json, str, str]
"""When, what was decided, the instance's state, and what people heard."""

KILLED: Json = {"action": "stop", "reason": "impaired", "result": "killed"}
_HEARD_AS = {"mail": "e-mail", "on duty": "SMS", "chat": "chat"}


def moments_table(moments: Iterable[Moment], name: str) -> Table:
    """Show what was decided of an instance, poll by poll."""
    table = new_table("poll", f"done with {name}", "reason", "result", "it is then", "people hear")
    for when, item, state, heard in moments:
        result = Text(item["result"], STYLES.get(item["result"], "bold red"))
        style = "green" if state == "running" else "red"
        told = Text(heard, "bold red" if heard == "ALARM" else "bold green")
        table.add_row(when, item["action"], item["reason"], result, Text(state, style), told)
    return table


def heard_table(heard: Iterable[Mapping[str, Heard]]) -> Table:
    """Show the messages of one incident, turn by turn, as each channel brings them."""
    table = new_table("channel", "what arrives", title="The messages of that one incident")
    for turn in heard:
        for name, shown in _HEARD_AS.items():
            table.add_row(shown, _words(name, turn[name]))
        table.add_section()
    return table


def _words(channel: str, heard: Heard) -> Text:
    if channel == "chat":
        content = heard.document["content"]
        return Text(f"{content['title']}\n{content['description']}")
    return subject_line(heard.message.strip() if channel == "on duty" else heard.subject)


def left_alone_table(items: Iterable[Json]) -> Table:
    """Count what was decided of the instances of a zone."""
    counted = Counter((each["action"], each["reason"], each["result"]) for each in items)
    table = new_table("action", "reason", "result", "instances#")
    for (action, reason, result), number in sorted(counted.items()):
        table.add_row(action, reason, Text(result, STYLES[result]), str(number))
    return table
