"""The numbers of a run: metrics, totals, and the list of all that is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.cloud import REGION
from tests.support.snapshots import kinds
from tests.support.stack import BUCKET
from tests.support.tags_world import OWNED, TOP, TagsWorld, only

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


METRIC: Final = "TagCompliancePercent"
VOLUMES: Final[dict[str, Any]] = {"Owner": only("volume")}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    cloud.pages.size = None
    return TagsWorld(cloud, clock, stack, account)


def metrics_of(printed: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Return a metric's values by the dimensions they were printed with, but for our own three."""
    found = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            if name not in {metric["Name"] for metric in directive["Metrics"]}:
                continue
            assert directive["Namespace"] == "Caretaker"
            value = document[name]
            for names in directive["Dimensions"]:
                assert {"Installation", "Chore"} <= set(names)
                key = tuple(sorted((n, document[n]) for n in names if n not in _OURS))
                found[key] = value[0] if isinstance(value, list) else value
    return found


_OURS: Final = {"Installation", "Chore", "Policy"}


def test_compliance_is_measured_in_all_and_by_key_type_and_owner(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    a = world.account
    a.crowd("volume", 3, tags={"Owner": "ann", "Env": "prod"})
    a.crowd("volume", 1, tags={"Owner": "bob", "Env": "test"})
    a.crowd("volume", 2, tags={"Owner": "eve"})
    a.crowd("volume", 2)
    a.crowd("elastic-ip", 2, tags=OWNED)
    topic = "arn:aws:sns:eu-west-1:123456789012:team"
    rules = {
        "Owner": only("volume", "elastic-ip"),
        "Env": only("volume", values=["prod"]),
    }

    answer = world.daily(rules, owners={"ann": topic, "bob": topic})

    told = metrics_of(capsys.readouterr().out, METRIC)
    assert told == {
        (): 61.1,
        (("Key", "Env"),): 37.5,
        (("Key", "Owner"),): 80.0,
        (("ResourceType", "elastic-ip"),): 100.0,
        (("ResourceType", "volume"),): 56.2,
        (("Owner", "ann"),): 100.0,
        (("Owner", "bob"),): 50.0,
        (("Owner", "other"),): 25.0,
    }
    summary = answer["summary"]
    assert summary["resources"] == 10
    assert summary["violations"] == 7
    assert summary["compliance"] == {"before": 61.1, "after": 61.1}
    assert summary["by_key"] == {
        "Env": {"right": 3, "of": 8, "percent": 37.5},
        "Owner": {"right": 8, "of": 10, "percent": 80.0},
    }
    assert summary["by_type"] == {
        "volume": {"right": 9, "of": 16, "percent": 56.2},
        "elastic-ip": {"right": 2, "of": 2, "percent": 100.0},
    }
    assert summary["by_owner"] == {
        "(none)": {"right": 0, "of": 4, "percent": 0.0},
        "eve": {"right": 2, "of": 4, "percent": 50.0},
        "bob": {"right": 1, "of": 2, "percent": 50.0},
        "ann": {"right": 8, "of": 8, "percent": 100.0},
    }


def test_without_owners_named_in_the_event_none_is_a_metric(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.account.crowd("volume", 3, tags=OWNED)

    world.daily(VOLUMES)

    told = metrics_of(capsys.readouterr().out, METRIC)
    assert set(told) == {(), (("Key", "Owner"),), (("ResourceType", "volume"),)}


def test_compliance_is_not_measured_by_a_run_that_did_not_see_all(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.account.volume()
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)

    world.daily({"Owner": only("volume", "image")})

    assert metrics_of(capsys.readouterr().out, METRIC) == {}


def test_the_heartbeat_is_that_of_scheduled_runs(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.daily(VOLUMES)

    assert set(metrics_of(capsys.readouterr().out, "Heartbeat").values()) == {1}
    world.daily(VOLUMES, mode="report")
    assert metrics_of(capsys.readouterr().out, "Heartbeat") == {}


def rows_of(report: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Return what the list has to say for a report's items: one row for each tag found wrong."""
    return {
        (
            item["detail"]["type"],
            item["target"],
            key,
            finding,
            item["action"],
            item["reason"],
            item["result"],
            item["detail"].get("set", {}).get(key, ""),
            item["detail"].get("because", {}).get(key, ""),
        )
        for item in report
        for key, finding in item["detail"].get("findings", {}).items()
    }


def test_the_list_says_what_the_report_says(world: TagsWorld) -> None:
    a = world.account
    a.crowd("volume", 5, tags={"Env": "test"})
    a.instance({}, tags={**OWNED, "Env": "PROD"})
    a.instance(group="gone", tags={"owner": "bob"})
    group = a.scaling_group(a.launch_template([]), "1")
    a.instance(group=group)
    a.volume(age_hours=2)
    a.volume(tags={"caretaker:ignore": "true"})
    refused = a.resource("rds:db", tags={"env": "x"})
    a.refuse_tagging(refused)
    rules = {
        "Owner": only("volume", "instance", "rds:db", **{"from": ["instance"]}),
        "Env": only("volume", "instance", "rds:db", values=["prod"], case="normalise",
                    default="prod"),
    }  # fmt: skip

    answer = world.daily(rules)

    listed = world.csv(answer)
    columns = ("type", "resource", "key", "finding", "action", "reason", "result", "value", "from")
    assert {tuple(row[each] for each in columns) for row in listed} == rows_of(
        world.stack.report(answer)[1:]
    )
    assert len(listed) == len(rows_of(world.stack.report(answer)[1:])) > 10
    assert {(row["account"], row["region"]) for row in listed} == {("123456789012", REGION)}
    assert answer["summary"]["list"] == answer["report"].replace(".jsonl.gz", ".csv.gz")


def test_the_report_has_the_same_numbers_and_every_item(world: TagsWorld) -> None:
    world.account.crowd("volume", 700)

    answer = world.daily(VOLUMES)

    head, *items = world.stack.report(answer)
    assert head["summary"] == answer["summary"]
    assert len(items) == 700
    assert (len(answer["outcomes"]), answer["outcomes_omitted"]) == (500, 200)


def test_no_tag_becomes_a_formula_in_the_list(world: TagsWorld) -> None:
    world.account.volume(tags={"Owner": "=HYPERLINK(1)", "Env": 'a,b\n"c"'})

    answer = world.daily({"Env": only("volume", values=["prod"])})

    (row,) = world.csv(answer)
    assert row["owner"] == "'=HYPERLINK(1)"


def test_without_the_bucket_there_is_no_list_and_people_hear_of_it(world: TagsWorld) -> None:
    world.account.volume()
    boto3.client("s3", REGION).delete_bucket(Bucket=BUCKET)

    answer = world.daily({"Owner": only("volume", **TOP)})

    assert answer["summary"]["list"] is None
    assert answer["counts"] == {"set": {"done": 1}}
    assert kinds(world.stack.alerts()) == ["report_unwritten"]
