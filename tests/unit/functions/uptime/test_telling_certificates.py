from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from caretaker.incidents import Severity
from functions.uptime.traces import Certificate, Failure, Fault, Phase
from tests.support.builders import NOW
from tests.unit.functions.uptime.building import (
    OTHER,
    a_certificate,
    a_target,
    a_try,
    check_of,
    checks,
    down,
    failing,
    planned,
    probed,
)


def certificate(days: float, *, min_days: int = 21, **more: Any) -> Any:
    """Return what is told of a certificate that expires in so many days."""
    seen = probed(a_try(certificate=a_certificate(days, **more)))
    return check_of("certificate_expiring", a_target(tls={"min_days": min_days}), seen)


@pytest.mark.parametrize(
    ("days", "healthy", "stage", "severity", "what"),
    [
        (400, True, "21", Severity.NOTICE, "its certificate expires within 401 days"),
        (21, True, "21", Severity.NOTICE, "its certificate expires within 22 days"),
        (20.9, False, "21", Severity.NOTICE, "its certificate expires within 21 days"),
        (14, False, "21", Severity.NOTICE, "its certificate expires within 15 days"),
        (13.9, False, "14", Severity.NOTICE, "its certificate expires within 14 days"),
        (7, False, "14", Severity.NOTICE, "its certificate expires within 8 days"),
        (6.9, False, "7", Severity.WARNING, "its certificate expires within 7 days"),
        (3, False, "7", Severity.WARNING, "its certificate expires within 4 days"),
        (2.9, False, "3", Severity.CRITICAL, "its certificate expires within 3 days"),
        (1, False, "3", Severity.CRITICAL, "its certificate expires within 2 days"),
        (0.9, False, "1", Severity.CRITICAL, "its certificate expires within 1 days"),
        (0.001, False, "1", Severity.CRITICAL, "its certificate expires within 1 days"),
        (-0.001, False, "expired", Severity.CRITICAL, "its certificate has expired"),
        (-30, False, "expired", Severity.CRITICAL, "its certificate has expired"),
    ],
)
def test_a_certificate_is_told_of_in_time_and_again_as_the_day_comes_near(
    days: float, stage: str, severity: Severity, what: str, *, healthy: bool
) -> None:
    check = certificate(days)

    assert (check.healthy, check.stage, check.severity) == (healthy, stage, severity)
    assert check.what == what
    assert (check.done, check.next) == ("nothing", "renew it")


@pytest.mark.parametrize(
    ("days", "least", "healthy", "stage"),
    [(29.9, 30, False, "30"), (20, 30, False, "30"), (5, 6, False, "7"), (6, 6, True, "7")],
)
def test_a_target_says_when_it_is_told_of_first(
    days: float, least: int, stage: str, *, healthy: bool
) -> None:
    check = certificate(days, min_days=least)

    assert (check.healthy, check.stage) == (healthy, stage)


def test_a_chain_that_expires_first_is_told_of() -> None:
    check = certificate(90, chain=5, fingerprint="ab" * 32)

    assert check.what == "its chain expires within 6 days"
    assert check.evidence["expires"] == "2026-11-26 03:00 UTC"
    assert check.cause == "abababababababab"


def test_of_several_certificates_the_one_that_expires_first_is_told_of() -> None:
    first, second = (a_certificate(days, fingerprint=f"{days:064}") for days in (60, 5))
    seen = probed(a_try(certificate=first), a_try(certificate=second, address=OTHER))
    check = check_of("certificate_expiring", seen=seen)

    assert check.healthy is False
    assert check.evidence["expires"] == "2026-11-26 03:00 UTC"


def test_another_certificate_for_the_same_days_is_no_news() -> None:
    assert (
        certificate(10, fingerprint="a" * 64).stage == certificate(10, fingerprint="b" * 64).stage
    )


def test_an_expired_certificate_is_told_of_though_the_probe_fails() -> None:
    tried = a_try(Failure(Fault.TLS, "expired"), certificate=a_certificate(-1))
    told = checks(planned(probed={"shop": probed(tried, before=2)}, records={"shop": failing(2)}))

    assert told["certificate_expiring"].what == "its certificate has expired"
    assert told["target_down"].what.endswith("no trust in its certificate, it has expired")


def test_a_certificate_that_was_not_seen_stays_as_it_was_told() -> None:
    early = Failure(Fault.TIMEOUT, phase=Phase.CONNECT)

    assert check_of("certificate_expiring", seen=down(early)).healthy is None
    assert check_of("certificate_expiring", seen=probed()).healthy is None


def test_a_target_without_tls_has_no_certificate() -> None:
    told = checks(planned(a_target(url="http://a.example/"))).get("certificate_expiring")

    assert told is None or told.healthy is None


def test_a_certificate_is_told_of_however_the_url_is_written() -> None:
    seen = {"shop": probed(a_try(certificate=a_certificate(5)))}

    for url in ("HTTPS://a.example/", "http://a.example/redirected"):
        told = checks(planned(a_target(url=url), probed=seen))
        assert told["certificate_expiring"].healthy is False


@pytest.mark.usefixtures("in_tokyo")
def test_times_of_a_certificate_are_told_in_utc() -> None:
    ends = (NOW + timedelta(days=2)).astimezone(tz=None)
    seen = probed(a_try(certificate=Certificate("f" * 64, ends, ends)))

    told = check_of("certificate_expiring", seen=seen)
    assert told.evidence["expires"] == "2026-11-23 03:00 UTC"
