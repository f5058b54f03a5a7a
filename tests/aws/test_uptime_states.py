"""How targets stand from run to run, and what people hear of it: once each, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.uptime import probing
from tests.support.uptime_world import MINUTE, SHOP, SHOP_AT, http, item_of, reason, told

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

AT_ONCE: Final[dict[str, Any]] = {"confirm": {"failures": 1, "successes": 1}}
SLOW: Final = {**SHOP, "max_latency_ms": 250}
IN_A_WINDOW: Final = {**SHOP, "maintenance": [{"start": "03:00", "duration_minutes": 4}]}


@pytest.mark.parametrize("statuses", [(500, 200), (500, 500, 200)])
def test_what_passes_at_a_further_try_is_unstable_and_nobody_hears_of_it(
    uptime: UptimeWorld, statuses: tuple[int, ...]
) -> None:
    uptime.farm.set("shop", statuses=statuses)
    answer = uptime.run()
    assert told(answer) == ("keep", "unstable", "unchanged")
    assert item_of(answer)["detail"]["tries"] == len(statuses)
    assert answer["summary"]["unstable"] == 1
    assert uptime.farm.count("shop") == len(statuses)
    assert reason(uptime.run()) == "up"
    assert uptime.heard() == []


def test_three_failed_runs_open_and_two_good_ones_close_and_nothing_is_told_between(
    uptime: UptimeWorld,
) -> None:
    uptime.run()
    uptime.farm.set("shop", status=503)
    reasons = [reason(each) for each in uptime.runs(2)]
    assert (reasons, uptime.heard()) == (["failing"] * 2, [])
    assert told(uptime.run()) == ("report", "down", "unchanged")
    (alarm,) = uptime.heard()
    assert alarm == "ALARM: [CRIT] prod shop: down 2m: status 503"
    assert {reason(each) for each in uptime.runs(7)} == {"down"}
    assert uptime.open_incidents == ["target_down/shop"]
    uptime.farm.set("shop", status=200)
    assert told(uptime.run()) == ("keep", "recovering", "unchanged")
    assert uptime.heard() == [], "one good run is no recovery"
    assert reason(uptime.run()) == "up"
    (ok,) = uptime.stack.alerts()
    assert ok["Subject"].startswith("OK: [CRIT] prod shop: ")
    assert "8m" in ok["Subject"] or "9m" in ok["Subject"]
    assert uptime.open_incidents == []
    assert (uptime.runs(3) and uptime.heard()) == []


@pytest.mark.parametrize(
    ("slo", "ending"),
    # Seven good minutes of ten, of which three were down; a thousandth of 30 days is 43 minutes.
    [({}, "up 70 % in 30d"), ({"slo": 99.9}, "40m of 43m error budget left")],
)
def test_the_recovery_comes_with_the_figures_of_the_time_that_went_by(
    uptime: UptimeWorld, slo: dict[str, float], ending: str
) -> None:
    target = {**SHOP, **slo}
    uptime.runs(6, target)
    uptime.farm.set("shop", status=503)
    uptime.runs(3, target)
    uptime.farm.set("shop", status=200)
    uptime.stack.alerts()
    uptime.runs(2, target)
    ended = [each for message in uptime.stack.alerts() for each in message["incidents"]]
    (down,) = [each for each in ended if each["kind"] == "target_down"]
    assert down["ending"] == ending


def test_of_a_longer_gap_between_two_runs_nobody_knows_anything(uptime: UptimeWorld) -> None:
    uptime.run()
    uptime.clock.advance(59 * MINUTE)
    uptime.farm.set("shop", status=503)
    uptime.runs(3)
    uptime.farm.set("shop", status=200)
    uptime.stack.alerts()
    uptime.runs(2)
    ((down,),) = [message["incidents"] for message in uptime.stack.alerts()]
    # Ten minutes of the hour count as up, then three were down and one was up.
    assert down["ending"] == "up 78.571 % in 30d"


def test_failures_between_good_runs_open_nothing(uptime: UptimeWorld) -> None:
    for _ in range(3):
        uptime.farm.set("shop", status=500)
        uptime.runs(2)
        uptime.farm.set("shop", status=200)
        uptime.run()
    assert uptime.heard() == []


def test_good_runs_between_failures_close_nothing(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(3)
    assert uptime.told() == ["ALARM target_down shop"]
    for _ in range(3):
        uptime.farm.set("shop", status=200)
        uptime.run()
        uptime.farm.set("shop", status=500)
        assert reason(uptime.run()) == "down"
    assert uptime.heard() == []
    assert uptime.open_incidents == ["target_down/shop"]


def test_how_many_runs_it_takes_stands_in_the_event(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    assert reason(uptime.run(**AT_ONCE)) == "down"
    uptime.farm.set("shop", status=200)
    assert reason(uptime.run(**AT_ONCE)) == "up"
    assert uptime.told() == ["ALARM target_down shop", "OK target_down shop"]


def test_a_cause_that_changes_is_no_news(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(3)
    assert len(uptime.heard()) == 1
    uptime.place("refused")
    uptime.runs(3)
    assert uptime.heard() == []


def test_three_slow_runs_of_five_are_degraded_once_and_over_again(uptime: UptimeWorld) -> None:
    fast = uptime.runs(5, SLOW)
    uptime.farm.set("shop", delay_ms=400)
    slow = uptime.runs(3, SLOW)
    uptime.farm.set("shop")
    over = uptime.runs(3, SLOW)
    assert [reason(each) for each in fast] == ["up"] * 5
    assert [reason(each) for each in slow] == ["up", "up", "slow"]
    assert told(slow[-1]) == ("report", "slow", "unchanged")
    assert slow[-1]["summary"]["degraded"] == 1
    assert [reason(each) for each in over] == ["slow", "slow", "up"]
    assert uptime.told() == ["ALARM target_slow shop", "OK target_slow shop"]


def test_what_a_cold_start_measures_does_not_count(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from itertools import count  # noqa: PLC0415 - of this test alone

    from functions.uptime import app  # noqa: PLC0415 - to make it cold

    for _ in range(5):
        monkeypatch.setattr(app, "_RUNS", count())
        uptime.run()
    assert "latencies" not in uptime.kept("targets")["shop"]
    uptime.run()
    assert len(uptime.kept("targets")["shop"]["latencies"]) == 1


def test_in_a_window_nothing_is_probed_told_or_counted(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    answers = uptime.runs(4, IN_A_WINDOW)
    assert {told(each) for each in answers} == {("skip", "maintenance", "unchanged")}
    assert answers[0]["summary"]["maintenance"] == 1
    assert (uptime.net.dialled, uptime.heard()) == ([], [])
    after = [reason(each) for each in uptime.runs(3, IN_A_WINDOW)]
    assert after == ["failing", "failing", "down"], "the window's own runs do not count"
    (message,) = uptime.stack.alerts()
    assert message["incidents"][0]["kind"] == "target_down"


def test_an_incident_that_is_open_stays_so_through_a_window(uptime: UptimeWorld) -> None:
    uptime.clock.advance(-timedelta(minutes=3).total_seconds())
    uptime.farm.set("shop", status=500)
    uptime.runs(3, IN_A_WINDOW)
    assert uptime.told() == ["ALARM target_down shop"]
    uptime.runs(4, IN_A_WINDOW)
    assert uptime.heard() == []
    assert uptime.open_incidents == ["target_down/shop"]
    uptime.farm.set("shop", status=200)
    uptime.runs(2, IN_A_WINDOW)
    (ok,) = uptime.stack.alerts()
    # Three minutes down, four of maintenance, one of up again: the window is in no share.
    assert ok["incidents"][0]["ending"].startswith("up 25 %")


def test_what_there_was_no_time_for_is_unknown_and_not_down(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", how="silent")
    uptime.host("blog")
    answers = [uptime.run(SHOP, http("blog"), seconds=60.5) for _ in range(3)]
    assert {told(each) for each in answers} == {("skip", "not_probed", "unchanged")}
    assert {told(each, "blog") for each in answers} == {("keep", "up", "unchanged")}
    assert answers[0]["summary"] | {"unknown": 1, "down": 0} == answers[0]["summary"]
    assert uptime.heard() == []


def test_without_any_time_nothing_is_probed_and_all_is_unknown(uptime: UptimeWorld) -> None:
    assert reason(uptime.run(seconds=59)) == "not_probed"
    assert uptime.net.dialled == []


def test_an_open_incident_is_not_closed_by_a_run_that_saw_nothing(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(3)
    uptime.heard()
    for _ in range(3):
        assert reason(uptime.run(seconds=59)) == "not_probed"
    assert uptime.heard() == []
    assert uptime.open_incidents == ["target_down/shop"]
    assert reason(uptime.run()) == "down", "what was known is kept"


def test_a_target_that_is_listed_no_more_is_told_as_over(uptime: UptimeWorld) -> None:
    uptime.host("blog")
    uptime.farm.set("shop", status=500)
    uptime.runs(3, SHOP, http("blog"))
    uptime.heard()
    uptime.run(http("blog"))
    assert uptime.told() == ["OK target_down shop"]


def test_an_objective_that_is_missed_is_told_once(uptime: UptimeWorld) -> None:
    # Of 30 days 99.95 % leave 21 minutes; a state is taken to last ten at most.
    target = {**SHOP, "slo": 99.95}
    uptime.run(target)
    uptime.farm.set("shop", status=500)
    for _ in range(5):
        uptime.run(target)
        uptime.clock.advance(9 * MINUTE)
    heard = uptime.told()
    assert heard[0] == "ALARM target_down shop"
    assert [each for each in heard if "slo_missed" in each] == ["ALARM slo_missed shop"]
    assert uptime.open_incidents == ["slo_missed/shop", "target_down/shop"]


def test_a_thousand_targets_down_for_one_cause_are_one_message(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PAUSES", ())
    targets = [{**SHOP, "name": f"t{n:04}", "url": f"{SHOP['url']}{n}"} for n in range(1000)]
    uptime.farm.set("shop", status=503)
    answer = uptime.run(*targets, **AT_ONCE, at_once=200)
    assert answer["counts"] == {"report": {"unchanged": 1000}}
    assert len(answer["outcomes"]) + answer["outcomes_omitted"] == 1000
    (alarm,) = uptime.heard()
    assert alarm.startswith("ALARM: [CRIT] prod 1000 ")
    uptime.farm.set("shop", status=200)
    uptime.run(*targets, **AT_ONCE, at_once=200)
    (ok,) = uptime.heard()
    assert ok.startswith("OK: [CRIT] prod 1000 ")
    assert uptime.net.dialled.count((SHOP_AT, 80)) == 2000


def test_two_causes_are_two_groups_of_one_message(uptime: UptimeWorld) -> None:
    for name in ("blog", "docs"):
        uptime.place("refused", uptime.host(name))
    uptime.farm.set("shop", status=500)
    targets: list[Any] = [SHOP, http("blog"), http("docs")]
    uptime.runs(3, *targets)
    (alarm,) = uptime.stack.alerts()
    parents = {each["resource"]: each["parent"] for each in alarm["incidents"]}
    assert parents["blog"] == parents["docs"] != parents["shop"]


def test_slow_and_down_targets_are_metrics_by_group(
    uptime: UptimeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    uptime.host("blog", status=500)
    uptime.runs(3, {**SHOP, "group": "front", "metrics": True}, http("blog"))
    said = capsys.readouterr().out
    assert '"TargetsDown":[1' in said.replace(" ", "")
    assert '"TargetsProbed":[2' in said.replace(" ", "")
    assert '"Group":"front"' in said.replace(" ", "")
    assert '"Target":"shop"' in said.replace(" ", "")
    assert '"Target":"blog"' not in said.replace(" ", "")
