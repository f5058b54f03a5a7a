"""A prober that is cut off itself knows it, and calls nobody down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import MINUTE, SHOP, SHOP_AT, http, reason, told

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

TWO: Final[tuple[Any, ...]] = ({**SHOP, "name": "one"}, {**SHOP, "name": "two"})
FIXED: Final = {**SHOP, "fix": {"ecs_service": {"cluster": "web", "service": "shop"}}}


def counted(uptime: UptimeWorld) -> dict[str, Any]:
    """Return how many runs in a row passed and failed, by target."""
    fields = ("bad", "good", "is_down")
    kept = uptime.kept("targets").items()
    return {name: [each.get(field) for field in fields] for name, each in kept}


def test_a_prober_that_is_cut_off_calls_nobody_down(uptime: UptimeWorld) -> None:
    uptime.runs(2, *TWO)
    for address in (SHOP_AT, "93.184.215.11"):
        uptime.place("refused", address)
    before = counted(uptime)
    answers = uptime.runs(5, *TWO)
    assert {told(each, "one") for each in answers} == {("skip", "blind", "unchanged")}
    assert answers[0]["summary"]["blind"] is True
    assert uptime.told() == ["ALARM prober_blind run"]
    assert counted(uptime) == before
    uptime.net.places.clear()
    assert reason(uptime.run(*TWO), "one") == "up"
    assert uptime.told() == ["OK prober_blind run"]


def test_where_the_canary_answers_anything_they_are_down(uptime: UptimeWorld) -> None:
    uptime.place("refused")
    uptime.farm.set("checkip", status=503)
    answers = uptime.runs(3, *TWO)
    assert reason(answers[-1], "one") == "down"
    assert not answers[-1]["summary"]["blind"]
    assert uptime.told() == ["ALARM target_down one two"]
    assert uptime.farm.count("checkip") >= 3


@pytest.mark.parametrize(
    ("lost", "is_blind"), [(4, True), (3, False)], ids=["four of five", "three of five"]
)
def test_four_of_five_cut_off_make_the_prober_suspect(
    uptime: UptimeWorld, lost: int, *, is_blind: bool
) -> None:
    names = ["a", "b", "c", "d", "e"]
    places = [uptime.host(each) for each in names]
    for address in (*places[:lost], "93.184.215.11"):
        uptime.place("refused", address)
    answer = uptime.run(*map(http, names))
    assert answer["summary"]["blind"] is is_blind
    assert reason(answer, "e") == ("blind" if is_blind else "up")
    assert ("checkip.amazonaws.com" in uptime.net.asked) is is_blind


def test_answers_that_are_wrong_make_nobody_suspect(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    assert reason(uptime.run(*TWO), "one") == "failing"
    assert "checkip.amazonaws.com" not in uptime.net.asked


def test_a_lone_target_cannot_blind_the_prober(uptime: UptimeWorld) -> None:
    for address in (SHOP_AT, "93.184.215.11"):
        uptime.place("refused", address)
    assert reason(uptime.run()) == "failing"


def test_a_blind_run_keeps_open_what_is_open_and_asks_for_nothing(uptime: UptimeWorld) -> None:
    uptime.place("refused")
    two: tuple[Any, ...] = tuple({**FIXED, "name": each["name"]} for each in TWO)
    uptime.runs(3, *two)
    assert uptime.told() == ["ALARM target_down one two"]
    uptime.place("refused", "93.184.215.11")
    asked = uptime.cloud.calls.count("Invoke")
    uptime.clock.advance(30 * MINUTE)
    assert reason(uptime.run(*two), "one") == "blind"
    assert uptime.told() == ["ALARM prober_blind run"]
    assert uptime.cloud.calls.count("Invoke") == asked
    assert uptime.open_incidents == ["prober_blind/run", "target_down/one", "target_down/two"]
