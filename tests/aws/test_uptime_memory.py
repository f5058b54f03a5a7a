"""What is kept between runs, whatever happens to a run and to the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.alerts import app as alerts
from tests.support.crashes import KilledError, at_call, killed_at
from tests.support.uptime_world import MINUTE, SHOP, SHOP_AT, reason, told

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

TWO: Final[tuple[Any, ...]] = ({**SHOP, "name": "one"}, {**SHOP, "name": "two"})
FIXED: Final = {**SHOP, "fix": {"ecs_service": {"cluster": "web", "service": "shop"}}}


def down(uptime: UptimeWorld, *targets: Any) -> None:
    """Let the shop be down, and people know it."""
    uptime.farm.set("shop", status=500)
    uptime.runs(3, *targets)
    uptime.stack.alerts()


def delivered(uptime: UptimeWorld) -> list[str]:
    """Return what people heard once the chore `alerts` has sent what was not sent."""
    uptime.clock.advance(5 * MINUTE)
    uptime.stack.run(alerts.CHORE, {})
    return uptime.told()


def test_a_slot_that_is_run_again_counts_once(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    reasons = [reason(uptime.look(request=each)) for each in ("first", "first", "second")]
    assert reasons == ["failing"] * 3
    assert uptime.kept("targets")["shop"]["bad"] == 1
    uptime.clock.advance(MINUTE)
    assert reason(uptime.run()) == "failing"
    assert (reason(uptime.look()), reason(uptime.look())) == ("down", "down")
    assert uptime.told() == ["ALARM target_down shop"]


def test_a_run_that_meets_another_is_skipped(uptime: UptimeWorld) -> None:
    met: list[dict[str, Any]] = []

    def meet() -> None:
        met.append(uptime.look())
        uptime.clock.advance(30)
        met.append(uptime.look(scheduled_time="2026-11-21T03:01:00Z"))

    at_call(uptime.cloud, "BatchWriteItem", meet)
    assert reason(uptime.look()) == "up"
    assert [(each["status"], each["reason"]) for each in met] == [
        ("skipped", "slot_in_progress"),
        ("skipped", "run_in_progress"),
    ]
    assert uptime.net.dialled == [(SHOP_AT, 80)]
    assert uptime.heard() == []


@pytest.mark.parametrize("effective", [False, True])
@pytest.mark.parametrize("operation", ["Query", "BatchWriteItem", "PutObject", "Publish"])
def test_a_run_that_is_killed_as_it_opens_leaves_nothing_untold(
    uptime: UptimeWorld, operation: str, *, effective: bool
) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(2)
    with (
        killed_at(uptime.cloud, operation, 1, effective=effective),
        pytest.raises(KilledError),
    ):
        uptime.look(request="killed")
    uptime.clock.advance(MINUTE)
    assert reason(uptime.look(request="killed")) == "down"
    uptime.clock.advance(MINUTE)
    uptime.run()
    assert set(delivered(uptime)) == {"ALARM target_down shop"}
    uptime.farm.set("shop", status=200)
    uptime.runs(2)
    assert delivered(uptime) == ["OK target_down shop"]


def test_without_the_table_probes_go_on_and_nothing_is_asked_or_overwritten(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(2, FIXED)
    before = uptime.kept("targets")
    out = uptime.cloud.faults.add("internal_error", service="dynamodb", times=None)
    dialled = len(uptime.net.dialled)
    answer = uptime.run(FIXED)
    assert told(answer) == ("report", "failing", "unchanged")
    assert len(uptime.net.dialled) == dialled + 3
    assert out.fired
    uptime.cloud.faults.clear()
    assert uptime.kept("targets") == before
    assert uptime.cloud.calls.count("Invoke") == 0
    assert uptime.told() == ["ALARM state_unavailable caretaker-state"]
    assert reason(uptime.run(FIXED)) == "down", "the two runs before the trouble count"
    assert "ALARM target_down shop" in uptime.told()


def test_an_hour_without_the_table_is_no_flood_of_messages(uptime: UptimeWorld) -> None:
    uptime.cloud.faults.add("internal_error", service="dynamodb", times=None)
    uptime.runs(60, SHOP, {"name": "wrong", "url": "x"})
    heard = uptime.told()
    assert heard[0].startswith("ALARM state_unavailable caretaker-state")
    assert len(heard) <= 4


def test_an_incident_stays_open_while_the_table_is_out_of_reach(uptime: UptimeWorld) -> None:
    down(uptime)
    uptime.cloud.faults.add("never_arrived", service="dynamodb", times=None)
    uptime.run()
    uptime.cloud.faults.clear()
    uptime.stack.alerts()
    uptime.run()
    assert "target_down/shop" in uptime.open_incidents
    assert "ALARM target_down shop" not in uptime.told()


def test_what_could_not_be_read_is_not_written_over(uptime: UptimeWorld) -> None:
    down(uptime)
    before = uptime.kept("targets")
    uptime.cloud.faults.add("internal_error", operation="Query", times=None)
    uptime.run()
    uptime.cloud.faults.clear()
    assert uptime.kept("targets") == before
    assert uptime.cloud.calls.of("Query")


def test_what_cannot_be_written_is_told_all_the_same(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(2)
    uptime.cloud.faults.add("denied", operation="BatchWriteItem", times=None)
    assert reason(uptime.run()) == "down"


def test_a_look_by_hand_in_report_mode_tells_nobody_and_leaves_no_trace(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", status=500)
    uptime.runs(2)
    before = {(item["pk"], item["sk"]): item for item in uptime.stack.items()}
    answer = uptime.look(mode="report")
    assert (answer["mode"], reason(answer)) == ("report", "down")
    assert {(item["pk"], item["sk"]): item for item in uptime.stack.items()} == before
    assert uptime.heard() == []
    assert uptime.stack.report(answer)[1]["target"] == "shop"


def test_a_stack_that_reports_remembers_and_tells_and_asks_for_nothing(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    uptime.farm.set("shop", status=500)
    answers = uptime.runs(5, FIXED)
    assert [told(each) for each in answers[:3]] == [
        ("report", "failing", "unchanged"),
        ("report", "failing", "unchanged"),
        ("report", "down", "unchanged"),
    ]
    assert told(answers[3]) == ("fix", "down", "planned")
    assert uptime.cloud.calls.count("Invoke") == 0
    assert uptime.told() == ["ALARM target_down shop"]
    uptime.farm.set("shop", status=200)
    uptime.runs(2, FIXED)
    assert uptime.told() == ["OK target_down shop"]


def test_an_event_cannot_raise_the_stacks_mode(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    answer = uptime.run(mode="act")
    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")
    assert uptime.net.dialled == []


def test_two_policies_know_nothing_of_each_other(uptime: UptimeWorld) -> None:
    down(uptime)
    answer = uptime.run(policy="other")
    assert reason(answer) == "failing"
    assert uptime.open_incidents == ["target_down/shop"]


def test_every_result_is_kept_for_two_days_and_what_it_came_to_for_longer(
    uptime: UptimeWorld,
) -> None:
    uptime.clock.advance(20 * 3600 + 55 * MINUTE)
    uptime.runs(7)
    kinds = {str(item["pk"]).partition("#")[0] for item in uptime.stack.items()}
    assert {"targets", "past", "raw-2026-11-21", "raw-2026-11-22", "days"} <= kinds
    assert "minutes-2026-11-21" in kinds
    state, phases, fault = uptime.kept("raw-2026-11-21")["shop"]
    assert (state, fault) == ("up", "")
    assert len(phases) == 4
    (day,) = [item for item in uptime.stack.items() if str(item["pk"]).startswith("days#")]
    assert day["sk"] == "2026-11-21T00:00Z/000"
    assert uptime.kept("days")["shop"][:3] == [300, 0, 0]
    assert all(int(item["expires_at"]) for item in uptime.stack.items() if "content" in item)
