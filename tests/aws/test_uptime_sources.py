"""Targets by event, by an object of S3 and by tags; each is read by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from caretaker.errors import CallError
from functions.uptime.aws import sources
from tests.cloud import REGION
from tests.support.uptime_world import SHOP, SHOP_AT, failure, http, item_of, reason

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

BUCKET: Final = "shop-targets"
URL: Final = f"s3://{BUCKET}/caretaker/targets.json"
INSIDE: Final[dict[str, Any]] = {"private_networks": ["10.0.0.0/8"]}
WRONG: Final[tuple[Any, ...]] = (
    {"name": "shop", "url": "http://shop.example.com/twice"},
    {"name": "ftp", "url": "ftp://shop.example.com/"},
    {"name": "ahead", "url": SHOP["url"], "expect": {"body_matches": "(?=ok)"}},
    {"name": "broken", "url": SHOP["url"], "expect": {"body_matches": "(ok"}},
    {"name": "huge", "url": SHOP["url"], "expect": {"body_matches": "(a{1000}){1000}"}},
    {"name": "status", "url": SHOP["url"], "expect": {"status": ["2xx"]}},
    {"name": "path", "url": SHOP["url"], "expect": {"json": {"path": "[", "equals": 1}}},
    {"name": "typo", "url": SHOP["url"], "expects": {}},
    {"name": "number", "url": SHOP["url"], "timeout_seconds": "10"},
    {"name": "header", "url": SHOP["url"], "headers": {"X-A": "a\r\nX-B: b"}},
    {"name": "host", "url": SHOP["url"], "headers": {"Host": "other.example.com"}},
    {"name": "two-fixes", "url": SHOP["url"], "fix": {}},
)
NAMELESS: Final[tuple[Any, ...]] = (
    {"url": SHOP["url"]},
    "http://x.example/",
    None,
    7,
    [],
    {"name": "../x"},
)


def put(content: Any, *, key: str = "caretaker/targets.json") -> None:
    """Put an object of targets into a bucket."""
    client = boto3.client("s3", REGION)
    if not client.list_buckets(Prefix=BUCKET)["Buckets"]:
        client.create_bucket(
            Bucket=BUCKET,
            CreateBucketConfiguration={"LocationConstraint": REGION},  # type: ignore[typeddict-item]
        )
    text = content if isinstance(content, str) else json.dumps(content)
    client.put_object(Bucket=BUCKET, Key=key, Body=text.encode())


@pytest.mark.parametrize("form", ["list", "object"])
def test_targets_of_an_object_are_probed_beside_those_of_the_event(
    uptime: UptimeWorld, form: str
) -> None:
    blog, docs = uptime.host("blog"), uptime.host("docs")
    listed = [http("blog"), http("docs")]
    put(listed if form == "list" else {"targets": listed})
    answer = uptime.run(SHOP, targets_from=URL)
    assert {each["target"]: each["reason"] for each in answer["outcomes"]} == dict.fromkeys(
        ("blog", "docs", "shop"), "up"
    )
    assert {address for address, _ in uptime.net.dialled} == {SHOP_AT, blog, docs}


def test_wrong_targets_are_told_by_name_once_and_the_others_are_probed(
    uptime: UptimeWorld,
) -> None:
    answer = uptime.run(SHOP, *WRONG, *NAMELESS)
    wrong = {each["target"] for each in answer["outcomes"] if each["reason"] == "wrong"}
    named = {each["name"] for each in WRONG} - {"shop"}
    places = {"targets.1", *(f"targets.{1 + len(WRONG) + n}" for n in range(len(NAMELESS)))}
    assert wrong == named | places
    assert reason(answer) == "up"
    assert answer["status"] == "ok"
    assert answer["summary"]["wrong"] == len(wrong)
    assert all(item_of(answer, each)["detail"]["errors"] for each in wrong)
    (message,) = uptime.stack.alerts()
    assert {each["kind"] for each in message["incidents"]} == {"target_wrong"}
    uptime.runs(2, SHOP, *WRONG, *NAMELESS)
    assert uptime.heard() == []
    uptime.run()
    assert uptime.told()[0].startswith("OK target_wrong")
    assert uptime.farm.count("shop") == 4


def test_what_depends_on_nobody_or_on_itself_is_told_and_probed_all_the_same(
    uptime: UptimeWorld,
) -> None:
    answer = uptime.run({**SHOP, "depends_on": "nobody"}, {**http("me"), "depends_on": "me"})
    assert reason(answer) == "up"
    assert failure(answer, "me")[0] == "dns"
    assert reason(answer, "shop.depends_on") == reason(answer, "me.depends_on") == "wrong"


@pytest.mark.parametrize("content", ["{", "", "[1", "7", '"x"', "null", '{"targets": 7}', "{}"])
def test_an_object_that_holds_no_targets_refuses_the_run_and_is_told_once(
    uptime: UptimeWorld, content: str
) -> None:
    put(content)
    answers = uptime.runs(2, targets_from=URL)
    assert {(each["status"], each["reason"]) for each in answers} == {
        ("refused", "targets_unreadable")
    }
    assert [each["path"] for each in answers[0]["errors"]] == ["targets_from"]
    assert uptime.net.dialled == []
    assert len(uptime.heard()) == 1


def test_what_was_down_stays_down_while_the_targets_cannot_be_read(uptime: UptimeWorld) -> None:
    put([SHOP])
    uptime.farm.set("shop", status=500)
    uptime.runs(3, targets_from=URL)
    uptime.heard()
    uptime.cloud.faults.add("denied", operation="GetObject")
    answer = uptime.run(targets_from=URL)
    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert "target_down/shop" in uptime.open_incidents
    uptime.heard()
    uptime.farm.set("shop")
    uptime.runs(2, targets_from=URL)
    assert "OK target_down shop" in uptime.told()


@pytest.mark.parametrize("why", ["denied", "missing", "no bucket"])
def test_an_object_that_cannot_be_read_fails_the_run_and_is_told_once(
    uptime: UptimeWorld, why: str
) -> None:
    if why != "no bucket":
        put([SHOP], key="elsewhere.json" if why == "missing" else "caretaker/targets.json")
    if why == "denied":
        uptime.cloud.faults.add("denied", operation="GetObject", times=None)
    answers = uptime.runs(3, SHOP, targets_from=URL)
    assert {(each["status"], each["reason"]) for each in answers} == {("failed", "listing_failed")}
    assert uptime.net.dialled == []
    assert len(uptime.heard()) == 1


def test_a_failure_that_may_pass_is_left_to_the_next_try(uptime: UptimeWorld) -> None:
    put([SHOP])
    uptime.cloud.faults.add("unavailable", operation="GetObject", times=None)
    with pytest.raises(CallError):
        uptime.look(targets_from=URL)
    uptime.cloud.faults.clear()
    assert reason(uptime.run(targets_from=URL)) == "up"


def test_ten_thousand_targets_are_read_and_accounted_for(uptime: UptimeWorld) -> None:
    put([{**SHOP, "name": f"t{number}"} for number in range(10_000)])
    answer = uptime.run(targets_from=URL, seconds=60.5)
    assert answer["summary"]["targets"] == 10_000
    assert len(json.dumps(answer)) < 256 * 1024
    assert len(answer["outcomes"]) + answer["outcomes_omitted"] == 10_000
    assert answer["summary"]["down"] == 0
    assert len(uptime.stack.report(answer)) == 10_001


def test_one_more_is_too_many_and_so_is_an_object_too_large(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    put([{}] * 10_001)
    assert uptime.run(targets_from=URL)["reason"] == "targets_unreadable"
    put([SHOP, {"name": "x" * 2000}])
    monkeypatch.setattr(sources, "_MAX_OBJECT", 1000)
    assert uptime.run(targets_from=URL)["reason"] == "targets_unreadable"
    answer = uptime.run(*[SHOP] * 10_001)
    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
