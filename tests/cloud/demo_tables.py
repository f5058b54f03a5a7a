"""The demo's tables and panels: from facts to what `rich` draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.json import JSON
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Json
from tests.cloud.subscribers import Heard

if TYPE_CHECKING:
    from rich.console import RenderableType

INSTANCE = "caretaker:instance"
STYLES = {
    "done": "green",
    "planned": "cyan",
    "unchanged": "bright_black",
    "deferred": "yellow",
    "failed": "red",
    "refused": "red",
}


def new_table(*columns: str, title: str = "") -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        title=title or None,
        title_justify="left",
        title_style="bold",
    )
    for column in columns:
        is_number = column.endswith("#")
        table.add_column(column.rstrip("#"), justify="right" if is_number else "left")
    return table


def names_of_volumes(account: DemoAccount) -> dict[str, str]:
    """Return the name people know each volume by: its instances', or `loose`."""
    instances = {each.id: each.name for each in account.instances}
    return {
        each.id: " + ".join(instances[i] for i in each.instance_ids) or "loose"
        for each in account.volumes
    }


def account_table(account: DemoAccount) -> RenderableType:
    """Show the machines by kind, with how many of their volumes the policy `daily` selects."""
    table = new_table("machines", "volumes#", "selected by daily#", "why")
    selected, names = account.selected("daily"), names_of_volumes(account)
    why = {
        "web": "tag caretaker:backup=daily on the instance",
        "api": "caretaker:backup=daily hourly: two policies",
        "vault": "encrypted volumes, tag on the instance",
        "db": "tag on two of three volumes; one of three opted out",
        "cluster": "share a multi-attach volume: taken once",
        "archive": "a stopped instance",
        "scratch": "caretaker:ignore=true",
        "build": "no tag",
        "node": "managed by EKS, no tag",
        "loose": "attached to nothing: three are tagged, one of the others opted out",
    }
    for kind, reason in why.items():
        ids = [each.id for each in account.volumes if names[each.id].startswith(kind)]
        machines = [each.name for each in account.instances if each.name.startswith(kind)]
        label = _span(machines) if machines else "unattached volumes"
        table.add_row(label, str(len(ids)), str(len(selected & set(ids))), reason)
    return table


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def decisions_table(items: Iterable[Json], account: DemoAccount, title: str) -> RenderableType:
    """Count what was decided and what came of it, with examples."""
    names = names_of_volumes(account)
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item in items:
        groups[item["action"], item["reason"], item["result"]].append(names[item["target"]])
    table = new_table("action", "reason", "result", "volumes#", "of", title=title)
    for (action, reason, result), of in sorted(groups.items()):
        examples = sorted(set(of))
        more = f", and {len(examples) - 3} more" if len(examples) > 3 else ""
        shown = Text(result, STYLES[result])
        table.add_row(action, reason, shown, str(len(of)), ", ".join(examples[:3]) + more)
    return table


def calls_table(calls: Sequence[Json], taken: Sequence[Json], account: DemoAccount) -> Table:
    """Show how snapshots were taken: some of the sets, then all."""
    table = new_table("call", "of what", "volumes#", "left out", title="How they were taken")
    sets = {
        call["params"]["InstanceSpecification"]["InstanceId"]: call["params"]
        for call in calls
        if call["operation"] == "CreateSnapshots"
    }
    for machine in account.instances:
        if machine.name in {"web-01", "db-1", "db-2"}:
            volumes = sum(each["Tags"].get(INSTANCE) == machine.id for each in taken)
            asked = sets[machine.id]["InstanceSpecification"]
            left = "its third volume" if asked.get("ExcludeDataVolumeIds") else ""
            table.add_row("CreateSnapshots", machine.name, str(volumes), left)
    alone = sum(call["operation"] == "CreateSnapshot" for call in calls)
    together = len(taken) - alone
    table.add_section()
    table.add_row("CreateSnapshots", f"{len(sets)} instances, each at one moment", str(together))
    table.add_row("CreateSnapshot", "volumes alone or unattached", str(alone))
    return table


def tags_table(snapshot: Json) -> RenderableType:
    """Show the tags of one snapshot, all written inside the call that made it."""
    table = new_table("tag", "value", title=f"Tags of {snapshot['SnapshotId']}")
    for key, value in sorted(snapshot["Tags"].items()):
        table.add_row(key, value)
    return table


def snapshots_table(rows: Iterable[tuple[str, Json]]) -> RenderableType:
    """Show single snapshots with the name of what they are of."""
    table = new_table("volume of", "snapshot", "attempt#", "state", "reason given by EBS")
    for name, each in rows:
        style = {"completed": "green", "error": "red"}.get(each["State"], "yellow")
        attempt = each["Tags"]["caretaker:attempt"]
        reason = str(each.get("StateMessage") or "")[:32]
        table.add_row(name, each["SnapshotId"], attempt, Text(each["State"], style), reason)
    return table


def errors_table(answer: Json) -> RenderableType:
    """Show what a refused event is told."""
    title = f"status: {answer['status']}, reason: {answer['reason']}"
    table = new_table("field", "problem", "expected", title=title)
    for error in answer["errors"]:
        table.add_row(*(Text(error[part]) for part in ("path", "problem", "expected")))
    return table


def mail_panel(mail: Heard, address: str) -> Panel:
    """Show an e-mail as it was received."""
    head = Text.assemble(("To:      ", "bright_black"), address, "\n")
    head.append_text(subject_line(mail.subject, "Subject: "))
    text = Text.assemble(head, "\n\n", mail.message.strip())
    return Panel(text, title="e-mail", title_align="left", border_style="bright_black")


def subject_line(subject: str, label: str = "") -> Text:
    """Show a subject, its state in its colour."""
    state, rest = subject.split(":", 1)
    style = "bold red" if state == "ALARM" else "bold green"
    return Text.assemble((label, "bright_black"), (f"{state}:", style), rest)


def document_panel(heard: Heard) -> Panel:
    """Show the JSON document as the HTTP endpoint got it, its first incident only."""
    document = heard.document
    number = len(document["incidents"])
    short = {**document, "incidents": document["incidents"][:1]}
    title = f"HTTP and queue: the same alert for programs (the first of {number} incidents)"
    body = JSON.from_data(short, indent=1)
    body.text.no_wrap = False
    return Panel(body, title=title, title_align="left", border_style="bright_black")


def before_after_table(before: Mapping[str, object], after: Mapping[str, object]) -> RenderableType:
    """Show numbers at the beginning and at the end."""
    table = new_table("in the account", "before#", "after#")
    for name, value in before.items():
        table.add_row(name, str(value), str(after[name]))
    return table
