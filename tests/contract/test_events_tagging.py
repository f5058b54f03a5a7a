"""The ready events of tagging, each sent: births as the template's rule delivers them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.request import parse_request
from functions.tagging import app, birth
from functions.tagging.request import TaggingRequest
from tests.cloud import Account, ManualClock, strict_moto
from tests.contract.template import written
from tests.support.stack import ENVIRONMENT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).parents[2] / "events" / "tagging"
EVENTS: Final = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
BIRTHS: Final = sorted(name for name in EVENTS if name.startswith("birth-"))
REFUSED: Final = {
    "empty": "event_invalid",
    "reserved-key": "event_invalid",
    "wrong-rules": "event_invalid",
    "approve": "plan_unknown",
}
_EVENTS: Final = written()["Resources"]["TaggingFunction"]["Properties"]["Events"]


def filled(template: str) -> Any:
    """Return the JSON of an event that the template writes, something in each of its gaps."""
    gaps = {"${Rules}": "{}", "${Owners}": "{}", "<birth>": "{}"}
    for gap, value in gaps.items():
        template = template.replace(gap, value)
    numbers = ("GraceHours", "StopAfterDays", "MaxCount", "MaxPercent")
    for number in numbers:
        template = template.replace(f"${{Tagging{number}}}", "1").replace(f"${{{number}}}", "1")
    return json.loads(template)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Stack, Account]]:
    """One account for all events: each brings what it is about, or finds little."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**ENVIRONMENT, "CARETAKER_TARGET_ROLE_NAME": "target"}.items():
            patched.setenv(name, value)
        clock = ManualClock()
        with strict_moto(clock) as cloud:
            account = Account(cloud)
            account.instance({}, tags={"environment": "Prod"})
            yield Stack(clock), account


@pytest.mark.parametrize("name", sorted(EVENTS.keys() - set(BIRTHS)))
def test_a_ready_event_is_carried_out_or_refused_as_the_page_says(
    name: str, world: tuple[Stack, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "target")
    stack, _ = world

    answer = stack.run(app.CHORE, EVENTS[name])

    assert answer["reason"] == REFUSED.get(name)
    assert answer["status"] in ({"refused"} if name in REFUSED else {"ok", "partial"})


@pytest.mark.parametrize("name", BIRTHS)
def test_a_birth_tags_what_was_made_with_its_maker(name: str, world: tuple[Stack, Account]) -> None:
    stack, account = world
    request = parse_request(TaggingRequest, EVENTS[name])
    assert request.birth
    text, made = json.dumps(EVENTS[name]), []
    for born in request.birth.ids:
        made.append(_made_in(account, born.partition("-")[0]))
        text = text.replace(born, made[-1])

    stack.run(app.CHORE, json.loads(text))

    maker = request.birth.userIdentity.arn.rpartition("/")[2]
    assert made
    assert {account.tags_of(each).get("Owner") for each in made} == {maker}


def _made_in(account: Account, prefix: str) -> str:
    """Make something new without tags."""
    if prefix == "i":
        return account.instance({}, age_hours=0).id
    volume = account.volume(age_hours=0)
    if prefix == "vol":
        return volume
    snapshot = account.snapshot(volume)
    return snapshot if prefix == "snap" else account.image(snapshot)


def test_there_is_a_birth_for_every_call_and_each_call_is_in_the_rule() -> None:
    calls = {EVENTS[name]["birth"]["eventName"] for name in BIRTHS}
    pattern = _EVENTS["Birth"]["Properties"]["Pattern"]["detail"]

    assert calls == set(birth._BORN_AS)  # noqa: SLF001 - the calls that it knows
    assert calls == set(pattern["eventName"])
    assert {EVENTS[n]["birth"]["eventSource"] for n in BIRTHS} == set(pattern["eventSource"])


@pytest.mark.parametrize("name", BIRTHS)
def test_a_birth_has_the_fields_that_the_rule_of_the_template_delivers(name: str) -> None:
    template, _ = _EVENTS["Birth"]["Properties"]["InputTransformer"]["InputTemplate"]["Fn::Sub"]

    assert EVENTS[name].keys() == filled(template).keys()


def test_the_regular_event_has_the_fields_that_the_schedule_sends() -> None:
    template, _ = _EVENTS["Daily"]["Properties"]["Input"]["Fn::Sub"]

    assert EVENTS["cost-allocation"].keys() == filled(template).keys()
