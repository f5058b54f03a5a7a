"""What the demo's scenes of uptime draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud.demo_tables import new_table, subject_line
from tests.cloud.deployment import Json
from tests.cloud.subscribers import Heard

if TYPE_CHECKING:
    from rich.table import Table

type Moment = tuple[str, Json, str]
"""When, what was decided, and what people heard."""
type News = Mapping[str, Heard]
"""What has come by channel: mail, phone, chat and pager."""

_HEARD_AS = {"mail": "e-mail", "phone": "SMS", "chat": "chat"}
_STATES = {"up": "green", "slow": "yellow", "down": "bold red", "failing": "red"}
_ASKED = {"down": "a repair is asked for", "recovered": "who repaired is told"}
_FIGURES = {"24h": "24 hours", "30d": "30 days", "90d": "90 days"}


def moments_table(moments: Iterable[Moment]) -> Table:
    """Show what was seen of a target, and decided, minute by minute."""
    table = new_table("minute", "answer", "ms#", "it is", "done", "people hear")
    for when, item, heard in moments:
        detail, reason = item["detail"], item["reason"]
        told = Text(heard, "bold green" if heard.startswith("OK") else "bold red")
        done = _ASKED.get(reason, "") if item["action"] == "fix" else ""
        answer = f"{detail['status']}, {detail['tries']} tries"
        state = Text(reason, _STATES.get(reason, ""))
        table.add_row(when, answer.removesuffix(", 1 tries"), str(detail["ms"]), state, done, told)
    return table


def phases_line(item: Json) -> Text:
    """Show where the time of a request went."""
    phases = item["detail"]["phases"]
    said = ", ".join(f"{name.replace('_', ' ')} {ms:g} ms" for name, ms in phases.items())
    return Text(f"Where the time went: {said}")


def tasks_table(before: Sequence[str], after: Sequence[str]) -> Table:
    """Show the tasks of a service before and after a restart, by the end of their ARN."""
    table = new_table("task of the service", "before", "after")
    for task in [*before, *(each for each in after if each not in before)]:
        was = "runs" if task in before else ""
        now = Text("runs", "green") if task in after else Text("stopped by Caretaker", "red")
        name = task.rpartition("/")[2]
        table.add_row(name, was, now if was else Text("started by ECS in its place", "green"))
    return table


def messages_table(turns: Iterable[News]) -> Table:
    """Show the messages of one incident, turn by turn, as each channel brings them."""
    table = new_table("channel", "what arrives", title="The messages of that one incident")
    for turn in turns:
        for name, shown in _HEARD_AS.items():
            table.add_row(shown, _words(name, turn[name]))
        table.add_section()
    return table


def _words(channel: str, heard: Heard) -> Text:
    if channel == "chat":
        content = heard.document["content"]
        return Text(f"{content['title']}\n{content['description'].partition('\n')[0]}")
    return subject_line(heard.message.strip() if channel == "phone" else heard.subject)


def figures_table(before: Json, after: Json) -> Table:
    """Show how available a target was before and after an outage."""
    table = new_table("uptime in the last", "before#", "after#", title="The figures of the report")
    for name, shown in _FIGURES.items():
        table.add_row(shown, *(f"{each[name]:.3f} %" for each in (before, after)))
    for name, shown in (("down_seconds", "down in 30 days"), ("unknown_seconds", "not known")):
        table.add_row(shown, *(f"{each[name] / 60:.1f} min" for each in (before, after)))
    return table


def lures_table(items: Iterable[Json], requests: Mapping[str, int]) -> Table:
    """Show what was asked to be probed, and how many requests went out for it."""
    table = new_table("URL", "fault", "requests#")
    for item in items:
        detail = item["detail"]
        fault = Text(f"{detail['fault']}: {detail['why']}", "red")
        table.add_row(detail["url"], fault, str(requests[item["target"]]))
    return table
