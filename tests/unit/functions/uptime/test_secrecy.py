"""A secret in a header, user, query, body or answer is in nothing that people or tables get."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

import pytest

from functions.uptime.past import history_of, records_after
from functions.uptime.probing import Credentials
from functions.uptime.shelves import write_record
from functions.uptime.traces import Failure, Fault, Phase
from functions.uptime.wanted import read_targets
from tests.unit.functions.uptime.building import (
    FIX,
    a_certificate,
    a_record,
    a_target,
    failing,
    findings,
    planned,
)
from tests.unit.functions.uptime.scripts import Drive, answer, to

CANARY: Final = "c4n4ry-s3cr3t"
TARGET: Final[dict[str, Any]] = {
    "url": f"https://{CANARY}:{CANARY}@a.example/?token={CANARY}#{CANARY}",
    "method": "POST",
    "headers": {"X-Key": CANARY, "Cookie": f"session={CANARY}"},
    "body": CANARY,
    "auth": {
        "secret": {
            "arn": f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{CANARY}",
            "key": CANARY,
        },
        "prefix": CANARY,
        "user": CANARY,
    },
    "expect": {
        "body_lacks": f"{CANARY}!",
        "header": {"name": "X-Up", "matches": f"up|{CANARY}"},
        "json": {"path": "a", "equals": CANARY},
    },
    "fix": FIX,
    "slo": 99.9,
    "max_latency_ms": 1,
    "metrics": True,
}
SECRET: Final = Credentials((f"Authorization: Bearer {CANARY}",), CANARY, CANARY)
HEADERS: Final = {"x-up": "up", "set-cookie": CANARY}
SHOWN: Final = answer(body=json.dumps({"a": CANARY}), headers=HEADERS, certificate=a_certificate(5))
ANSWERS: Final[dict[str, Any]] = {
    "well": SHOWN,
    "status": answer(500, body=CANARY, headers=HEADERS),
    "header": answer(headers={"x-up": "no"}, body=CANARY),
    "found": answer(headers=HEADERS, body=f"{CANARY}!"),
    "json": answer(headers=HEADERS, body=f'{{"a": "not {CANARY}"}}'),
    "no_json": answer(headers=HEADERS, body=CANARY),
    "cut": answer(headers=HEADERS, body=CANARY, is_cut=True),
    "refused": answer(0, failure=Failure(Fault.CONNECT, "refused")),
    "timeout": answer(0, failure=Failure(Fault.TIMEOUT, phase=Phase.TLS)),
    "loop": to(f"https://{CANARY}:{CANARY}@a.example/?{CANARY}#{CANARY}"),
    "away": to(f"https://b.example/?{CANARY}"),
    "insecure": to(f"http://b.example/?{CANARY}"),
    "port": to(f"https://b.example:22/?{CANARY}"),
    "unreadable": to(f"ftp://{CANARY}"),
    "inwards": to(f"https://{CANARY}@in.example/?{CANARY}"),
}


def seen(kind: str) -> Drive:
    names = {"in.example": ["127.0.0.1"]}
    answers = {"93.184.215.10": ANSWERS[kind]}
    return Drive(names, answers).run(a_target(**TARGET), (), SECRET)


@pytest.mark.parametrize("record", [a_record(latencies=(900,) * 5), failing(5)])
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_decision_check_metric_record_or_history_holds_a_secret(kind: str, record: Any) -> None:
    drive = seen(kind)
    plan = planned(a_target(**TARGET), probed={"shop": drive.probed}, records={"shop": record})
    found = findings(plan)
    (verdict,) = plan.verdicts

    assert CANARY in str(drive.fetches[0])
    assert len(found.checks) == 6
    said = [
        *plan.decisions,
        *found.outcomes,
        *map(asdict, found.checks),
        *found.breakdowns,
        found.gauges,
        found.summary,
        history_of(plan),
        *map(write_record, records_after(plan).values()),
        verdict.failure,
    ]
    assert CANARY not in str(said)
    assert CANARY.encode().hex() not in str(said)


@pytest.mark.parametrize(
    "odd",
    [
        {"url": f"https://{CANARY}:{CANARY}@a b/?{CANARY}"},
        {"headers": {"X-Key": f"{CANARY}\n"}},
        {"headers": {"X-Key": [CANARY]}},
        {"headers": {f"X-Key: {CANARY}": ""}},
        {"body": {"password": CANARY}},
        {"auth": {"secret": CANARY}},
        {"auth": {"secret": {"arn": CANARY}}},
        {"auth": {"password": CANARY}},
        {"method": CANARY},
        {"expect": {"body_matches": f"({CANARY}"}},
        {"tls": {"ca": CANARY}},
        {"depends_on": f"{CANARY}/x"},
        {"timeout_seconds": CANARY},
    ],
    ids=str,
)
def test_what_is_wrong_with_a_target_is_told_without_its_secrets(odd: dict[str, Any]) -> None:
    wanted = read_targets([{"name": "bad", "url": "https://a.example/", **odd}])
    plan = planned(wrong=wanted.wrong)
    checks = [each for each in findings(plan).checks if each.kind == "target_wrong"]

    assert [each.resource for each in checks] == ["bad"]
    assert CANARY not in f"{plan.decisions}{checks}"
