"""What is seen at a glance of a target, and what people are told of it."""

from __future__ import annotations

from typing import Final

import pytest

from functions.uptime.probing import Probed, Try
from functions.uptime.traces import Failure, Fault, Phase
from functions.uptime.urls import parse_url
from functions.uptime.verdict import is_cut_off, shown_of
from tests.unit.functions.uptime.building import (
    ADDRESS,
    OTHER,
    REFUSED,
    a_certificate,
    a_target,
    a_try,
    down,
    judged,
    probed,
    status,
)

NO_NAME: Final = Failure(Fault.DNS, "no_such_name")
EARLY: Final = Failure(Fault.TIMEOUT, phase=Phase.CONNECT)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (down(REFUSED), True),
        (down(NO_NAME), True),
        (down(EARLY), True),
        (down(Failure(Fault.TLS, "expired")), True),
        (down(REFUSED, 2), True),
        (probed(REFUSED, EARLY), True),
        (probed(REFUSED, None), False),
        (probed(None, REFUSED), False),
        (probed(), False),
        (probed(before=2), False),
        (down(status(500)), False),
        (down(Failure(Fault.BODY, "found")), False),
        (down(Failure(Fault.BLOCKED, "address")), False),
        (down(Failure(Fault.REDIRECT, "too_many")), False),
        (down(Failure(Fault.TOO_LARGE, "body")), False),
        (down(Failure(Fault.CONFIG)), False),
    ],
)
def test_cut_off_is_when_nothing_came_back_over_the_network(
    seen: Probed, *, expected: bool
) -> None:
    assert is_cut_off(seen) is expected


def test_people_are_told_of_the_try_that_failed() -> None:
    well, bad, worse = a_try(), a_try(REFUSED), a_try(status(500))

    assert shown_of([well, bad, worse]) is bad
    assert shown_of([a_try(address=OTHER), well]) is well
    assert shown_of([]) is None
    assert judged(seen=probed(well, bad)).shown is bad


def test_the_detail_is_what_people_want_to_know() -> None:
    tried = a_try(certificate=a_certificate(60, chain=30), url=parse_url("https://u:p@a/b?c"))

    assert judged(a_target(group="web"), probed(tried, before=1)).decision.detail == {
        "url": "https://a/b?...",
        "group": "web",
        "tries": 2,
        "ms": 40,
        "phases": {"dns": 10.0, "connect": 10.0, "first_byte": 20.0},
        "addresses": {ADDRESS: "ok"},
        "status": 200,
        "http": "2",
        "certificate_expires": "2027-01-20T03:00:00Z",
        "chain_expires": "2026-12-21T03:00:00Z",
    }


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_said_and_what_is_shown_are_of_the_same_try(number: int) -> None:
    tries = [a_try(status(404)), a_try(REFUSED, address=OTHER)]
    verdict = judged(seen=probed(*(tries if number else reversed(tries))))

    assert verdict.shown is not None
    assert verdict.failure == verdict.shown.failure
    detail = verdict.decision.detail
    assert ("status" in detail) is (detail["fault"] == "status")


def test_times_are_told_to_a_tenth_of_a_millisecond() -> None:
    tried = a_try(phases={Phase.DNS: 1.26, Phase.CONNECT: 20.0401})

    assert judged(seen=probed(tried)).decision.detail["phases"] == {"dns": 1.3, "connect": 20.0}


def test_the_detail_of_a_failure_tells_why_and_where() -> None:
    detail = judged(seen=probed(a_try(ms=10), a_try(EARLY, ms=4000, address=OTHER))).decision.detail

    assert detail["fault"] == "timeout"
    assert (detail["why"], detail["phase"]) == ("", "connect")
    assert detail["addresses"] == {ADDRESS: "ok", OTHER: "timeout"}
    assert detail["ms"] == 4000
    assert not {"status", "http", "certificate_expires"} & detail.keys()


def test_the_detail_of_a_name_that_is_not_resolved_has_no_address() -> None:
    tried = Try(parse_url("http://a/"), failure=NO_NAME)
    detail = judged(seen=probed(tried)).decision.detail

    assert (detail["addresses"], detail["phases"], detail["ms"]) == ({}, {}, 0)
    assert (detail["fault"], detail["why"], detail["phase"]) == ("dns", "no_such_name", "")
