"""The ready events of instance health, each sent: as the schedule and the rules deliver them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.instance_health import app
from tests.cloud import Account, ManualClock, strict_moto
from tests.contract.patterns import matches
from tests.contract.template import expanded, properties, with_values
from tests.support.stack import ENVIRONMENT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).parents[2] / "events" / "instance_health"
EVENTS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")
}
OF_RULES: Final = sorted(name for name, event in EVENTS.items() if "detail-type" in event)
REFUSED: Final = {"wrong-ladder": "event_invalid", "wrong-windows": "event_invalid"}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Stack, Account]]:
    """One account for all events: each is about what is there, or about nothing."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**ENVIRONMENT, "CARETAKER_TARGET_ROLE_NAME": "target"}.items():
            patched.setenv(name, value)
        clock = ManualClock()
        with strict_moto(clock) as cloud:
            account = Account(cloud)
            account.instance({})
            yield Stack(clock), account


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_ready_event_is_carried_out_or_refused_as_the_page_says(
    name: str, world: tuple[Stack, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "target")
    stack, account = world

    answer = stack.run(app.CHORE, EVENTS[name])

    assert answer["reason"] == REFUSED.get(name)
    assert answer["status"] == ("refused" if name in REFUSED else "ok")
    assert account.power_log() == []


def test_the_regular_event_is_what_the_schedule_sends_without_further_settings() -> None:
    schedule = properties("AWS::Scheduler::Schedule")["InstanceHealthFunctionPoll"]
    sent = json.loads(with_values(schedule["Target"]["Input"], expanded()))

    regular = EVENTS["regular"]
    assert {**sent, "scheduled_time": regular["scheduled_time"]} == regular


@pytest.mark.parametrize("name", OF_RULES)
def test_an_event_of_aws_is_one_that_a_rule_hears(name: str) -> None:
    heard = [
        id_
        for id_, rule in properties("AWS::Events::Rule").items()
        if matches(rule["EventPattern"], EVENTS[name])
    ]

    assert [id_.startswith("InstanceHealthFunction") for id_ in heard] == [True]


def test_every_rule_hears_a_ready_event() -> None:
    rules = properties("AWS::Events::Rule")
    mine = {id_ for id_ in rules if id_.startswith("InstanceHealthFunction")}
    heard = {
        id_
        for id_ in mine
        for name in OF_RULES
        if matches(rules[id_]["EventPattern"], EVENTS[name])
    }

    assert len(mine) == 2
    assert heard == mine
