"""What the demo's later scenes draw: snapshots judged, and what four channels bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud.demo_history import History
from tests.cloud.demo_tables import STYLES, new_table, subject_line
from tests.cloud.deployment import Json
from tests.cloud.subscribers import Heard

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WHY = {
    "expired": "no rule keeps it any more",
    "kept_by_rule": "14 days, 8 weeks, 12 months",
    "too_young": "younger than a day",
    "newest_failed": "failed, and nothing newer is good",
    "last_good": "the last good one of its volume",
    "used_by_image": "an AMI is made of it",
    "used_by_launch_template": "a launch template starts from it",
    "shared": "another account may use it",
    "locked": "locked against deletion",
    "keep_tag": "caretaker:keep=true",
    "not_made_here": "tagged like ours by somebody else",
    "not_managed": "made by somebody else",
    "aws_managed": "made by AWS Backup, or the like",
}
GUARDED = {
    "image": "an AMI's",
    "launch_template": "a launch template's",
    "shared": "shared",
    "locked": "locked",
    "kept": "caretaker:keep",
    "tagged_by_hand": "foreign, tagged by hand",
    "of_another_account": "foreign, of another account",
}
NOTHING = Text("nothing", "bright_black")


def judged_table(items: Iterable[Json], title: str) -> Table:
    """Count what was decided by reason, and say what the reason means."""
    numbers: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for item in items:
        numbers[item["action"], item["reason"], item["result"]] += 1
    order = {"mark": 0, "delete": 0, "keep": 1, "skip": 2}
    table = new_table("action", "reason", "result", "snapshots#", "that is", title=title)
    for key in sorted(numbers, key=lambda each: (order.get(each[0], 3), -numbers[each], each)):
        action, reason, result = key
        shown = Text(result, STYLES[result])
        table.add_row(action, reason, shown, str(numbers[key]), WHY.get(reason, ""))
    return table


def channels_table(mail: Heard, chat: Heard, phone: Heard, pager: Heard) -> Table:
    """Show one alert as it arrives on each channel."""
    table = new_table("channel", "what arrives")
    alarm = pager.document
    content = chat.document["content"]
    table.add_row("e-mail", subject_line(mail.subject))
    table.add_row("chat", Text(content["title"]))
    table.add_row("SMS", subject_line(phone.message))
    table.add_row("pager", Text(f"{alarm['NewStateValue']} {alarm['AlarmName']}"))
    return table


def left_table(history: History, present: Collection[str], deleted: int) -> Table:
    """Show what is still there."""
    table = new_table("snapshots of db-1's volume", "number#", "now")
    guarded = {*history.guarded.values(), *history.foreign.values()}
    kept = history.all & set(present) - guarded
    table.add_row("marked two days ago", str(deleted), Text("deleted", "red"))
    table.add_row("kept by the rules", str(len(kept)), Text("there", "green"))
    for guard, each in {**history.guarded, **history.foreign}.items():
        is_there = Text("there", "green") if each in present else Text("gone", "bold red")
        table.add_row(GUARDED[guard], "1", is_there)
    return table


def told_table(rows: Iterable[tuple[str, list[Heard], list[Heard]]]) -> RenderableType:
    """Show, moment by moment, what came by e-mail and chat, and what woke people."""
    table = new_table("moment", "e-mail and chat", "SMS and pager")
    for moment, quietly, loudly in rows:
        table.add_row(moment, _subjects(quietly), _states(loudly))
    return table


def _subjects(heard: list[Heard]) -> Text:
    return Text("\n").join(subject_line(each.subject) for each in heard) if heard else NOTHING


def _states(heard: list[Heard]) -> Text:
    lines = (Text(each.subject.split(":")[0]) for each in heard)
    return Text("\n").join(lines) if heard else NOTHING
