"""What the demo's scenes of drill and restore draw: proofs, a plan, its waves, what came back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from tests.cloud.demo_tables import STYLES, new_table, subject_line

if TYPE_CHECKING:
    from rich.table import Table

    from tests.cloud.demo_orders import Place
    from tests.cloud.deployment import Json
    from tests.cloud.subscribers import Heard

MILESTONES = ("create", "stop", "detach", "attach", "start", "restored")


def drills_table(items: Iterable[Json], places: Mapping[str, Place], title: str = "") -> Table:
    """Show what each drill read of a backup, what the disk holds, and what that proves."""
    columns = ("backup of", "device", "slot", "blocks read#", "found", "result", "why")
    table = new_table(*columns, title=title)
    for item in sorted(items, key=lambda each: places[each["target"]]):
        detail = item["detail"]
        name, device = places[item["target"]]
        read = f"{detail['sampled']} of {detail['blocks']}"
        found = ", ".join(detail["found"]) or "nothing"
        result = Text("proven" if item["result"] == "done" else "failed", STYLES[item["result"]])
        why = item.get("error", {}).get("code", "")
        table.add_row(name, device, detail["slot"][11:], read, found, result, why)
    return table


def plan_table(plan: Json, names: Mapping[str, str]) -> Table:
    """Show a plan as it is read before it is approved; each volume has a line."""
    columns = ("wave#", "instance", "slot", "lost#", "device", "made of", "GiB#")
    table = new_table(*columns, title=_title(plan))
    for item in sorted(plan["outcomes"], key=lambda each: _turn(each, names)):
        detail, name = item["detail"], names[item["target"]]
        if item["action"] == "skip":
            table.add_row("", name, Text(item["reason"], "bright_black"))
            continue
        head = (str(detail["wave"]), name, detail["slot"], f"{detail['lost_hours']:.1f} h")
        volumes = sorted(detail["volumes"], key=lambda each: str(each["device"]))
        for number, volume in enumerate(volumes):
            first = head if number == 0 else ("",) * len(head)
            table.add_row(*first, volume["device"], volume["snapshot"], str(volume["gib"]))
    return table


def _turn(item: Json, names: Mapping[str, str]) -> tuple[int, str]:
    """Return by what items are sorted: what is left comes last."""
    return item["detail"].get("wave", sys.maxsize), names[item["target"]]


def _title(plan: Json) -> str:
    told = plan["summary"]
    return (
        f"{plan['plan_id']}: {told['targets']} instances, of which {told['stops']} stop; "
        f"{told['volumes']} volumes, {told['gib']} GiB; {told['waves']} waves"
    )


def waves_table(items: Iterable[Json], names: Mapping[str, str]) -> Table:
    """Show when each instance took its steps, by the journal; of several the last counts."""
    listed = list(items)
    title = f"{listed[0]['detail']['plan']} was approved: what the journals say"
    table = new_table("wave#", "instance", *MILESTONES, title=title)
    for item in sorted(listed, key=lambda each: _turn(each, names)):
        detail = item["detail"]
        times = {line.split()[1]: line.split()[0] for line in detail["history"]}
        moments = [times.get(step, "") for step in MILESTONES]
        table.add_row(str(detail["wave"]), names[item["target"]], *moments)
    return table


def contents_table(
    lost: Mapping[Place, str], back: Mapping[Place, str], seats: Mapping[Place, tuple[str, str]]
) -> Table:
    """Show what is read at each seat, before and after, and which volume sits there."""
    title = "What is read there; the originals are kept, and each says what took its place"
    table = new_table("instance", "device", "before", "after", "original", "new", title=title)
    for place in sorted(lost):
        before, after = Text(lost[place], "red"), Text(back[place], "green")
        table.add_row(*place, before, after, *(f"..{each[-6:]}" for each in seats[place]))
    return table


def measured_line(item: Json, places: Mapping[str, Place]) -> Text:
    """Say how long a volume took to be there."""
    name, device = places[item["target"]]
    took = f"{item['detail']['seconds']} s"
    return Text(f"A volume of {name} {device} was available after {took}, and is deleted again.")


def mail_in_short(mail: Heard) -> Panel:
    """Show an e-mail about several incidents: the first of them, and what follows the last."""
    parts = mail.message.strip().split("\n\n")
    told = [each for each in parts if "  Incident: " in each]
    more = Text(f"({len(told) - 1} more)", "bright_black")
    head = subject_line(mail.subject, "Subject: ")
    body = Group(head, "", Text(told[0]), "", more, "", Text("\n\n".join(parts[len(told) :])))
    return Panel(body, title="e-mail", title_align="left", border_style="bright_black")
