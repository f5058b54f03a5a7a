"""Certificates: people hear of each once at every threshold, before it is too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import https, item_of, reason

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

DAY: Final = 86_400


@pytest.fixture(autouse=True)
def today(uptime: UptimeWorld) -> None:
    """Certificates are made by the machine's time, so that it is that of the runs as well."""
    uptime.come_to_today()


def of_certificates(uptime: UptimeWorld) -> list[tuple[str, str, list[str]]]:
    """Return what people heard of certificates: state, severity, resources."""
    return [
        (
            message["state"],
            message["incidents"][0]["severity"],
            [each["resource"] for each in message["incidents"]],
        )
        for message in uptime.stack.alerts()
        if message["incidents"][0]["kind"] == "certificate_expiring"
    ]


def test_one_that_is_good_for_long_is_told_to_nobody(uptime: UptimeWorld) -> None:
    answer = uptime.run(https())
    assert reason(answer) == "up"
    ends = datetime.fromisoformat(item_of(answer)["detail"]["certificate_expires"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)
    assert uptime.heard() == []


def test_one_that_expires_is_told_once_at_each_threshold_and_when_it_is_renewed(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", certificate="expiring", days=30)
    heard = {}
    ends = uptime.clock.now() + timedelta(days=30)
    for within in (30, 22, 21, 20, 15, 14, 13, 8, 7, 4, 3, 2, 1, 0):
        then = ends - timedelta(days=within, hours=-1)
        uptime.clock.advance((then - uptime.clock.now()).total_seconds())
        assert {reason(each) for each in uptime.runs(2, https())} == {"up"}
        for state, severity, _ in of_certificates(uptime):
            heard[within] = f"{state} {severity}"
    assert heard == {
        21: "ALARM notice",
        14: "ALARM notice",
        7: "ALARM warning",
        3: "ALARM critical",
        1: "ALARM critical",
        0: "ALARM critical",
    }
    uptime.farm.set("shop", certificate="expiring", days=180)
    uptime.run(https())
    assert [each[0] for each in of_certificates(uptime)] == ["OK"]


def test_how_soon_it_is_told_first_stands_in_the_target(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", certificate="expiring", days=30)
    uptime.run(https())
    assert of_certificates(uptime) == []
    uptime.run(https(tls={"min_days": 40}))
    assert of_certificates(uptime) == [("ALARM", "notice", ["shop"])]


def test_a_chain_that_expires_before_its_leaf_counts(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", certificate="short_chain", days=5)
    detail = item_of(uptime.run(https()))["detail"]
    leaf, chain = (
        datetime.fromisoformat(detail[each]) for each in ("certificate_expires", "chain_expires")
    )
    assert leaf - chain > timedelta(days=300)
    (message,) = uptime.stack.alerts()
    assert "chain expires within 5 days" in message["Subject"]


def test_one_that_has_expired_is_told_as_such_where_it_is_not_verified(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", certificate="expired")
    assert reason(uptime.run(https(tls={"verify": False}))) == "up"
    (message,) = uptime.stack.alerts()
    assert "certificate has expired" in message["Subject"]
    assert message["incidents"][0]["severity"] == "critical"


def test_the_last_day_is_not_the_end_and_the_end_is_news(uptime: UptimeWorld) -> None:
    unverified = https(tls={"verify": False})
    uptime.farm.set("shop", certificate="expiring", days=0.5)
    uptime.run(unverified)
    (message,) = uptime.stack.alerts()
    assert "expired" not in message["Subject"]
    uptime.clock.advance(DAY)
    uptime.run(unverified)
    (message,) = uptime.stack.alerts()
    assert "has expired" in message["Subject"]


def test_targets_of_one_certificate_are_one_message(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", certificate="expiring", days=10)
    targets = [https(name=f"shop-{n}", url=f"https://shop.example.com/{n}") for n in range(5)]
    uptime.run(*targets)
    (message,) = uptime.stack.alerts()
    assert len(message["incidents"]) == 5
    assert len({each["parent"] for each in message["incidents"]}) == 1


def test_another_certificate_of_the_same_age_is_told_no_more_than_once(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", certificate="expiring", days=10)
    uptime.run(https())
    assert len(of_certificates(uptime)) == 1
    uptime.farm.set("shop", certificate="expiring", days=10.2)
    uptime.runs(3, https())
    assert len(of_certificates(uptime)) <= 1


def test_two_certificates_in_turn_do_not_drown_anybody(uptime: UptimeWorld) -> None:
    for number in range(6):
        uptime.farm.set("shop", certificate="expiring", days=10 + number % 2 / 10)
        uptime.run(https())
    assert len(of_certificates(uptime)) <= 2


def in_a_window(uptime: UptimeWorld) -> Any:
    now = f"{uptime.clock.now():%H:%M}"
    uptime.run(https(maintenance=[{"start": now, "duration_minutes": 2}]))


def out_of_reach(uptime: UptimeWorld) -> Any:
    uptime.place("refused")
    uptime.run(https())
    uptime.net.places.clear()


@pytest.mark.parametrize("unseen", [in_a_window, out_of_reach])
def test_one_that_was_not_seen_this_time_is_not_renewed(uptime: UptimeWorld, unseen: Any) -> None:
    uptime.farm.set("shop", certificate="expiring", days=10)
    uptime.run(https())
    assert len(of_certificates(uptime)) == 1
    unseen(uptime)
    uptime.run(https())
    assert of_certificates(uptime) == []
    assert uptime.open_incidents == ["certificate_expiring/shop"]


def test_every_target_of_a_host_sees_the_certificate(uptime: UptimeWorld) -> None:
    # One after the other, so that a session could be taken up again, without a certificate.
    targets = [https(name=f"shop-{n}", url=f"https://shop.example.com/{n}") for n in range(4)]
    answer = uptime.run(*targets, at_once=1)
    seen = {"certificate_expires" in each["detail"] for each in answer["outcomes"]}
    assert seen == {True}
