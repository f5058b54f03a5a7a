"""The demo's scenes of the fleet: four accounts, three regions, one digest."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.panel import Panel
from rich.text import Text

from tests.cloud.account import BACKUP_TAG
from tests.cloud.demo_restore_tables import mail_in_short
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import new_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from tests.cloud.demo_world import World
    from tests.cloud.deployment import Json

FUNCTION: Final = "FleetFunction"
OWN: Final = "123456789012"
ROLE: Final = "caretaker-member"
EXTERNAL_ID: Final = "of-the-hub"
PARAMETERS: Final = {
    "FleetMode": "act",
    "TargetRoleName": ROLE,
    "TargetExternalId": EXTERNAL_ID,
}
TEAMS: Final = {
    "111111111111": "shop",
    "222222222222": "data",
    "333333333333": "lab",
    "444444444444": "old",
}
REGIONS: Final = ("eu-central-1", "eu-west-1", "us-east-1")
LAB: Final = "333333333333"
OLD: Final = "444444444444"
POLICY: Final = "fleet"
_RETRIES: Final = 0.02
_SECONDS: Final = 120.0
_MARKS: Final = {
    "done": Text("done", "green"),
    "planned": Text("planned", "cyan"),
    "failed": Text("unreachable", "red"),
}


def report_first(world: World) -> None:
    """Ask what a run would do in all accounts and regions."""
    screen = world.screen
    screen.heading(
        "Four accounts, three regions: ask first",
        "Organizations tells the accounts; a canary cell goes first, then all others at once.",
    )
    with screen.step("an organization grows: shop, data, lab, and old, which is closed"):
        _grow(world)
    with screen.step("sam remote invoke FleetFunction --event-file fleet.json"):
        answer = _remote_invoke(world, _asked(mode="report"))
    left = {
        each["target"]: each["reason"] for each in answer["outcomes"] if "/" not in each["target"]
    }
    expect(left[OLD] == "not_active", "the closed account is left out, and the answer says so")
    with screen.step(f"the state machine runs {answer['summary']['run']}"):
        judged = _judged(world, answer)
    items = world.stack.report(judged)[1:]
    expect(len(items) == answer["summary"]["cells"] == 9, "every cell has one line in the ledger")
    expect({each["result"] for each in items} == {"planned"}, "all of them only report")
    taken = [_taken(world, account, region) for account in TEAMS for region in REGIONS]
    expect(not any(taken), "no account has a new snapshot")
    asked = Text(f"fleet.json: {json.dumps(_asked(mode='report'))}", "bright_black")
    screen.show(asked, _grid(items, "Cell by cell, as the ledger says"))


def act(world: World) -> None:
    """Act; one account has lost its role, and a policy closes a region of another."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "The same in act: one account has lost its role, another must not use a region",
        "Every other cell is done, and one digest names what was not reached.",
        picture=True,
    )
    with screen.step("lab deletes the role; an organization policy denies us-east-1 to data"):
        ec2.fleet("access/close", LAB)
        ec2.fleet("access/deny", "222222222222", regions=["us-east-1"])
    with screen.step('invoke the fleet with "mode": "act"; the state machine runs'):
        answer = world.stack.invoke(
            world.fleets, _asked(scheduled_time=f"{world.nights[1]:%FT%TZ}")
        )
        judged = _judged(world, answer)
    items = world.stack.report(judged)[1:]
    results = [each["result"] for each in items]
    expect(sorted(results) == ["done"] * 5 + ["failed"] * 2, "five are done, two were not reached")
    for each in items:
        account, _, region = each["target"].partition("/")
        if each["result"] == "done":
            expect(_taken(world, account, region) == 1, f"{each['target']} has its snapshot")
    screen.show(_grid(items, f"Run {judged['summary']['run']}"), picture=True)
    http, mail = world.heard("ALARM", "account_unreachable")
    told = {(each["kind"], each["resource"]) for each in http.document["incidents"]}
    expect(
        told
        == {
            ("account_unreachable", LAB),
            ("region_unreachable", "222222222222/us-east-1"),
        },
        "one digest names both",
    )
    screen.show(mail_in_short(mail), picture=True)


def mended(world: World) -> None:
    """Give both back, and run the slot again."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "Both are mended, and the slot runs once more",
        "What has its snapshot keeps it; the others get theirs, and one OK ends both.",
    )
    with screen.step("the role is back, the policy is gone"):
        ec2.fleet("access/reopen", LAB)
        ec2.fleet("access/allow_all", "222222222222")
    with screen.step('the same event with "again": 2'):
        event = _asked(scheduled_time=f"{world.nights[1]:%FT%TZ}", again=2)
        judged = _judged(world, world.stack.invoke(world.fleets, event))
    items = world.stack.report(judged)[1:]
    created = {each["target"]: each["detail"]["counts"].get("create", {}) for each in items}
    new = {name for name, counts in created.items() if counts.get("done")}
    expect(len(created) == 9 and len(new) == 4, "four cells had nothing yet, five had theirs")
    http, _ = world.heard("OK", "account_unreachable")
    expect(len(http.document["incidents"]) == 2, "one OK ends both incidents")
    screen.show(Panel(http.subject, title="subject", title_align="left"))


def _grow(world: World) -> None:
    ec2 = world.cloud.ec2
    world.cloud.turn(retry_scale=_RETRIES)
    ec2.fleet("organization/join", OWN, role="management", name="payer")
    for account, name in TEAMS.items():
        state = "SUSPENDED" if account == OLD else "ACTIVE"
        ec2.fleet("organization/join", account, name=name, state=state)
        ec2.fleet("access/role", account, ROLE, external_id=EXTERNAL_ID, trusts=[OWN])
        for region in REGIONS:
            ec2.volume(tags={BACKUP_TAG: POLICY}, in_account=account, region=region)


def _asked(**more: object) -> Json:
    return {
        "policy": "snapshot-everywhere",
        "chore": "snapshot",
        "event": {"policy": POLICY},
        "accounts": {"organization": True},
        "regions": {"names": list(REGIONS)},
        **more,
    }


def _remote_invoke(world: World, event: Json) -> Json:
    with tempfile.TemporaryDirectory(prefix="caretaker-demo-") as folder:
        file = Path(folder) / "fleet.json"
        file.write_text(json.dumps(event), encoding="utf-8")
        answer: Json = world.stack.remote_invoke(FUNCTION, file)
    return answer


def _judged(world: World, answer: Json) -> Json:
    """Return what the judge says of a run once that is over."""
    client, until = world.stack.client("stepfunctions"), time.monotonic() + _SECONDS
    told = {"status": "RUNNING"}
    while told["status"] == "RUNNING" and time.monotonic() < until:
        time.sleep(0.5)
        told = client.describe_execution(executionArn=answer["summary"]["execution"])
    expect(told["status"] == "SUCCEEDED", "the state machine came to its end")
    judged: Json = json.loads(told["output"])["judged"]
    return judged


def _taken(world: World, account: str, region: str) -> int:
    """Return how many snapshots a place has."""
    return len(world.cloud.ec2.state(in_account=account, region=region)["snapshots"])


def _grid(items: list[Json], title: str) -> Table:
    """Show a line for each account and a column for each region."""
    table = new_table("account", "", *REGIONS, title=title)
    results: Mapping[str, str] = {each["target"]: each["result"] for each in items}
    for account, name in TEAMS.items():
        cells = [results.get(f"{account}/{each}") or results.get(account, "") for each in REGIONS]
        shown = [_MARKS.get(each, Text("left out", "bright_black")) for each in cells]
        table.add_row(name, account, *shown)
    return table


SCENES = (report_first, act, mended)
