from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.uptime import words
from functions.uptime.past import Figures
from functions.uptime.spans import Budget, Sum
from functions.uptime.traces import Failure, Fault, Phase
from functions.uptime.words import minutes, said_of, said_of_figures, said_of_phases
from tests.unit.functions.uptime.building import a_try

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID = [
    (Failure(Fault.DNS, "no_such_name"), "its name is not resolved, there is no such name"),
    (Failure(Fault.DNS, "no_answer"), "its name is not resolved, the resolver does not answer"),
    (Failure(Fault.CONNECT, "refused"), "no connection, refused"),
    (Failure(Fault.CONNECT, "unreachable"), "no connection, unreachable"),
    (Failure(Fault.CONNECT, "closed"), "no connection, closed in the middle"),
    (Failure(Fault.TLS, "expired"), "no trust in its certificate, it has expired"),
    (Failure(Fault.TLS, "other_host"), "no trust in its certificate, it is another host's"),
    (Failure(Fault.TLS, "untrusted"), "no trust in its certificate, nobody known has signed it"),
    (Failure(Fault.TLS, "handshake"), "no trust in its certificate, the handshake failed"),
    (
        Failure(Fault.TIMEOUT, phase=Phase.DNS),
        "no answer in time, while its name was resolved",
    ),
    (Failure(Fault.TIMEOUT, phase=Phase.CONNECT), "no answer in time, while connecting"),
    (Failure(Fault.TIMEOUT, phase=Phase.TLS), "no answer in time, while securing the connection"),
    (Failure(Fault.TIMEOUT, phase=Phase.FIRST_BYTE), "no answer in time, before the first byte"),
    (Failure(Fault.TIMEOUT, phase=Phase.TRANSFER), "no answer in time, in the middle of the body"),
    (Failure(Fault.STATUS, "503"), "status 503"),
    (Failure(Fault.BODY, "not_found"), "not the body expected, what must be there is not"),
    (Failure(Fault.BODY, "found"), "not the body expected, what must not be there is"),
    (Failure(Fault.BODY, "no_json"), "not the body expected, no JSON"),
    (Failure(Fault.BODY, "json"), "not the body expected, another value in its JSON"),
    (Failure(Fault.BODY, "header"), "not the body expected, not the header expected"),
    (Failure(Fault.BODY, "unreadable"), "not the body expected, it cannot be decoded"),
    (Failure(Fault.TOO_LARGE, "body"), "a body too large to judge"),
    (Failure(Fault.TOO_LARGE, "headers"), "a body too large to judge, its headers"),
    (Failure(Fault.REDIRECT, "too_many"), "a redirect that leads nowhere, too many of them"),
    (Failure(Fault.REDIRECT, "insecure"), "a redirect that leads nowhere, from https to http"),
    (Failure(Fault.REDIRECT, "unreadable"), "a redirect that leads nowhere, it cannot be decoded"),
    (Failure(Fault.BLOCKED, "port"), "an address that is not probed, to an unusual port"),
    (
        Failure(Fault.BLOCKED, "address"),
        "an address that is not probed, private, local or reserved",
    ),
    (Failure(Fault.CONFIG), "cannot be probed"),
    (
        Failure(Fault.CONFIG, "unfit"),
        "cannot be probed, a header, a credential or a certificate authority that cannot be sent",
    ),
    (Failure(Fault.CONNECT, "something new"), "no connection"),
]


@pytest.mark.parametrize(("failure", "said"), SAID, ids=[said for _, said in SAID])
def test_a_failure_is_told_in_a_few_words(failure: Failure, said: str) -> None:
    assert said_of(failure) == said


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_words(fault: Fault) -> None:
    assert said_of(Failure(fault))


def written_whys() -> Iterator[str]:
    """Yield why a probe fails, as the code says it wherever it makes a failure."""
    for path in Path(words.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Failure":
                constants = (each for arg in node.args[1:] for each in ast.walk(arg))
                yield from (str(c.value) for c in constants if isinstance(c, ast.Constant))


def test_every_reason_that_the_code_gives_has_words() -> None:
    whys = {why for why in written_whys() if why.isidentifier()} - {"body"}

    assert {"refused", "no_answer", "address", "too_many", "no_json"} <= whys
    for why in whys:
        assert said_of(Failure(Fault.CONNECT, why)) != said_of(Failure(Fault.CONNECT)), why


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_words(phase: Phase) -> None:
    assert said_of(Failure(Fault.TIMEOUT, phase=phase)).startswith("no answer in time, ")


def test_the_phases_are_told_in_their_order() -> None:
    phases = {Phase.DNS: 0.4, Phase.CONNECT: 12.6, Phase.TLS: 30, Phase.TRANSFER: 1000.2}

    assert said_of_phases(a_try(phases=phases)) == (
        "dns 0 ms, connect 13 ms, tls 30 ms, transfer 1000 ms"
    )
    assert said_of_phases(a_try(phases={})) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0m"),
        (59, "0m"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h 0m"),
        (5400, "1h 30m"),
        (100 * 3600 + 61, "100h 1m"),
    ],
)
def test_a_span_of_time_is_told_in_hours_and_minutes(seconds: int, said: str) -> None:
    assert minutes(seconds) == said


@pytest.mark.parametrize(
    ("sum_", "budget", "said"),
    [
        (Sum(), None, ""),
        (Sum(up=10), None, "up 100 % in 30d"),
        (Sum(up=86_399, down=1), None, "up 99.999 % in 30d"),
        (Sum(up=999, down=1), None, "up 99.9 % in 30d"),
        (Sum(down=1), None, "up 0 % in 30d"),
        (Sum(), Budget(2592, 0), "43m of 43m error budget left"),
        (Sum(up=1), Budget(25_920, 6000), "5h 32m of 7h 12m error budget left"),
        (Sum(up=1), Budget(2592, 9999), "0m of 43m error budget left"),
    ],
    ids=str,
)
def test_figures_are_told_with_what_is_left_of_the_budget(
    sum_: Sum, budget: Budget | None, said: str
) -> None:
    assert said_of_figures(Figures({"24h": Sum(), "30d": sum_, "90d": Sum()}, budget, 0)) == said
