"""The ready events of uptime and service repair, each sent into a small part of the internet."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from functions.service_repair import app as service_repair
from functions.uptime import app, probing
from functions.uptime.targets import Target
from tests.cloud import REGION, Account, ManualClock, strict_moto
from tests.cloud.internet import internet
from tests.contract.template import expanded, properties, with_values
from tests.farm import running_farm
from tests.support.docs_pages import fields_of
from tests.support.stack import ENVIRONMENT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
REGULAR: Final = "regular"


def read(chore: str) -> dict[str, dict[str, Any]]:
    files = (ROOT / "events" / chore).glob("*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


EVENTS: Final = read("uptime")
REPAIRS: Final = read("service_repair")
WRONG: Final = {"wrong-event", "other-region"}
WRONG_REPAIRS: Final = {"wrong-repair", "wrong-bounds", "other-region"}
KNOWN: Final = dict.fromkeys(
    ("example.com", "www.example.com", "example.org", "api.example.com"), "93.184.215.10"
)


@pytest.fixture(scope="module")
def world() -> Iterator[Stack]:
    """One account for all events: what they name is there in part."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        patched.setattr(probing, "PAUSES", (0.01, 0.01))
        patched.setattr(app, "_RUNS", count(1))
        clock = ManualClock()
        with (
            strict_moto(clock) as cloud,
            running_farm() as farm,
            internet(KNOWN, {80: farm.port("http"), 443: farm.port("https")}, ca=farm.ca),
        ):
            farm.set("example.com", body="Example Domain")
            farm.set("www.example.com", body="Example Domain")
            Account(cloud).instance({})
            stack = Stack(clock)
            _put_targets()
            yield stack


def _put_targets() -> None:
    s3 = boto3.client("s3", REGION)
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)  # type: ignore[arg-type]
    listed = (ROOT / "docs" / "examples" / "targets.json").read_bytes()
    s3.put_object(Bucket="a-bucket", Key="caretaker/targets.json", Body=listed)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_ready_event_is_carried_out_or_refused_as_the_page_says(name: str, world: Stack) -> None:
    answer = world.run(app.CHORE, EVENTS[name], seconds=240)

    assert answer["reason"] == ("event_invalid" if name in WRONG else None)
    assert answer["status"] == ("refused" if name in WRONG else "ok")


@pytest.mark.parametrize("name", sorted(REPAIRS))
def test_a_ready_repair_is_looked_at_or_refused_as_the_page_says(name: str, world: Stack) -> None:
    answer = world.run(service_repair.CHORE, REPAIRS[name], seconds=300)

    assert answer["reason"] == ("event_invalid" if name in WRONG_REPAIRS else None)
    assert answer["status"] == ("refused" if name in WRONG_REPAIRS else "ok")
    assert {item["reason"] for item in answer.get("outcomes", [])} <= {"incident_not_open"}


@pytest.mark.parametrize("name", ["one-target", "several", "slow", "depends"])
def test_what_an_event_to_begin_with_names_is_up(name: str, world: Stack) -> None:
    answer = world.run(app.CHORE, EVENTS[name], seconds=240)

    assert answer["summary"]["targets"] == len(EVENTS[name]["targets"])
    assert answer["summary"]["up"] == answer["summary"]["targets"]


def test_wrong_targets_are_told_and_the_one_that_is_right_is_probed(world: Stack) -> None:
    answer = world.run(app.CHORE, EVENTS["wrong-targets"], seconds=240)
    reasons = [item["reason"] for item in answer["outcomes"]]

    assert reasons.count("wrong") == 7
    assert {item["target"] for item in answer["outcomes"] if item["reason"] != "wrong"} == {
        *("front", "orphan")
    }


def test_everything_that_a_target_can_have_is_shown_in_one_event() -> None:
    (shown,) = [each for each in EVENTS["everything"]["targets"] if each["name"] == "checkout"]
    optional = {"fix.instance", "fix.ssm_document", "maintenance.*.date"}

    assert set(_paths(shown)) >= {
        name for name in fields_of(Target) if not any(name.startswith(each) for each in optional)
    }


def _paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields, those in a list as `maintenance.*.start`."""
    if isinstance(value, list):
        for each in value:
            yield from _paths(each, f"{prefix}*.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from _paths(inner, f"{prefix}{name}.")


def test_the_regular_event_is_what_the_schedule_sends_without_further_settings() -> None:
    schedule = properties("AWS::Scheduler::Schedule")["UptimeFunctionProbe"]
    sent = json.loads(with_values(schedule["Target"]["Input"], expanded()))

    regular = EVENTS[REGULAR]
    assert {**sent, "scheduled_time": regular["scheduled_time"]} == regular
