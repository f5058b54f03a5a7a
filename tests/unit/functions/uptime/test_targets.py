from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_part
from functions.uptime.targets import MAX_BODY, Target
from tests.unit.functions.uptime.building import CA, URL, a_target

NO_FIELD: Final = "no such field; see the chore's page"
A_FIELD: Final = "this field; see the chore's page"
A_URL: Final = "a URL of http or https, as https://example.com/health"
A_PATTERN: Final = "a pattern without look-around and back-references, as 'status: (ok|up)'"
A_STATUS: Final = "a status, or a range as 200-399"
A_PATH: Final = "a JMESPath, as status.database"
A_HEADER: Final = "a header that the probe does not write by itself"
NAME: Final = "text that matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
NO_BREAK: Final = r"text that matches ^[^\x00-\x08\x0a-\x1f\x7f]*$"
TOKEN: Final = "text that matches ^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"
ARN: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"
SERVICE: Final = {"cluster": "prod", "service": "web"}


def wrong(**target: Any) -> list[tuple[str, str]]:
    return wrong_of({"name": "shop", "url": URL, **target})


def wrong_of(written: object) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_part(Target, written, "target")
    return [(error["path"], error["expected"]) for error in refused.value.errors]


def test_a_name_and_a_url_are_enough_and_the_rest_is_as_documented() -> None:
    target = a_target()
    expect = target.expect

    assert (target.method, target.headers, target.body) == ("GET", {}, None)
    assert (target.timeout_seconds, target.connect_timeout_seconds) == (10, 4)
    assert (target.max_latency_ms, target.ip_version, target.slo) == (None, "4", None)
    assert (target.auth, target.depends_on, target.fix, target.maintenance) == (
        None,
        None,
        None,
        (),
    )
    assert (target.group, target.metrics) == ("default", False)
    assert (expect.status, expect.redirects, expect.max_bytes) == (("200-399",), 5, MAX_BODY)
    assert (expect.body_matches, expect.body_lacks, expect.header) == (None, None, None)
    assert expect.json_value is None
    assert not expect.reads_body
    assert (target.tls.verify, target.tls.min_days, target.tls.ca) == (True, 21, None)
    assert MAX_BODY == 256 * 1024


def test_every_field_has_its_place() -> None:
    target = a_target(
        method="POST",
        headers={"X-Key": "a\tb"},
        body="ping",
        timeout_seconds=0.5,
        connect_timeout_seconds=0.25,
        expect={"json": {"path": "status.db", "equals": {"up": [1, None]}}, "status": ["204"]},
        max_latency_ms=800,
        ip_version="both",
        tls={"verify": False, "min_days": 90, "ca": CA},
        auth={"secret": {"arn": ARN, "key": "token"}, "header": "X-Token", "prefix": "Key "},
        group="web",
        depends_on="db",
        maintenance=[{"start": "22:00", "duration_minutes": 60}],
        fix={"ecs_service": SERVICE},
        slo=99.95,
        metrics=True,
    )

    assert target.expect.json_value is not None
    assert target.expect.json_value.equals == {"up": [1, None]}
    assert target.expect.reads_body
    assert target.auth is not None
    assert (target.auth.header, target.auth.prefix, target.auth.user) == ("X-Token", "Key ", None)
    assert target.maintenance[0].start == "22:00"
    assert target.fix is not None
    assert target.fix.ecs_service is not None


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        ("expect.max_bytes", 1, 256 * 1024),
        ("expect.redirects", 0, 5),
        ("tls.min_days", 1, 90),
        ("max_latency_ms", 1, 30_000),
    ],
)
def test_whole_numbers_have_limits(path: str, least: int, most: int) -> None:
    def odd(value: object) -> dict[str, Any]:
        *above, field = path.split(".")
        return {above[0]: {field: value}} if above else {field: value}

    for value in (least, most):
        a_target(**odd(value))
    assert wrong(**odd(least - 1)) == [(path, f"at least {least}")]
    assert wrong(**odd(most + 1)) == [(path, f"at most {most}")]
    for other in (str(least), least + 0.5, True, [least]):
        assert wrong(**odd(other)) == [(path, "a valid integer")]


@pytest.mark.parametrize(
    ("field", "most", "limit"),
    [("timeout_seconds", 30, 30.0), ("connect_timeout_seconds", 10, 10.0)],
)
def test_times_have_limits(field: str, most: int, limit: float) -> None:
    def read(value: Any) -> float:
        written: dict[str, Any] = {field: value}
        time: float = getattr(a_target(**written), field)
        return time

    assert [read(value) for value in (0.001, 1, most)] == [0.001, 1, most]
    assert wrong(**{field: 0}) == [(field, "more than 0.0")]
    assert wrong(**{field: -1}) == [(field, "more than 0.0")]
    assert wrong(**{field: most + 0.1}) == [(field, f"at most {limit}")]
    for other in ("1", True, None, [1]):
        assert wrong(**{field: other}) == [(field, "a valid number")]


def test_an_objective_is_between_half_and_all_of_the_time() -> None:
    assert a_target(slo=50.1).slo == 50.1
    assert a_target(slo=99.999).slo == 99.999
    assert wrong(slo=50) == [("slo", "more than 50.0")]
    assert wrong(slo=100) == [("slo", "less than 100.0")]
    assert wrong(slo="99.9") == [("slo", "a valid number")]


@pytest.mark.parametrize(
    ("url", "version", "other"),
    [
        ("http://93.184.215.10/", "4", "6"),
        ("http://0x5d.12113674/", "4", "6"),
        ("http://[2606:2800:21f::1]/", "6", "4"),
        ("http://[::ffff:93.184.215.10]/", "6", "4"),
    ],
)
def test_an_address_is_of_the_version_that_is_asked_for(url: str, version: str, other: str) -> None:
    for fit in (version, "both"):
        assert a_target(url=url, ip_version=fit).ip_version == fit
    ((path, expected),) = wrong(url=url, ip_version=other)
    assert path == "ip_version"
    assert expected == f"{version} or both, for the URL holds such an address"


@pytest.mark.parametrize("version", ["4", "6", "both"])
def test_a_name_may_have_addresses_of_any_version(version: str) -> None:
    assert a_target(ip_version=version).ip_version == version


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_of_json_is_refused(number: float) -> None:
    for field in ("timeout_seconds", "connect_timeout_seconds", "slo"):
        assert wrong(**{field: number})


@pytest.mark.parametrize(
    ("odd", "path", "expected"),
    [
        ({"name": ""}, "name", NAME),
        ({"name": "-shop"}, "name", NAME),
        ({"name": "a/b"}, "name", NAME),
        ({"name": "shop\n"}, "name", NAME),
        ({"name": "läden"}, "name", NAME),
        ({"name": "s" * 64}, "name", NAME),
        ({"name": 5}, "name", "a valid string"),
        ({"url": "https://a b/"}, "url", A_URL),
        ({"url": "file:///etc/passwd"}, "url", A_URL),
        ({"url": "example.com"}, "url", A_URL),
        ({"url": ""}, "url", A_URL),
        ({"url": "https://x/" + "a" * 2039}, "url", "at most this many: 2048"),
        ({"url": None}, "url", "a valid string"),
        ({"method": "PUT"}, "method", "'GET', 'HEAD', 'POST' or 'OPTIONS'"),
        ({"method": "get"}, "method", "'GET', 'HEAD', 'POST' or 'OPTIONS'"),
        ({"headers": []}, "headers", "an object"),
        ({"headers": {"X Y": "1"}}, "headers.X Y", TOKEN),
        ({"headers": {"": "1"}}, "headers.", TOKEN),
        ({"headers": {"X-Y:": "1"}}, "headers.X-Y:", TOKEN),
        ({"headers": {"X-Y\r\nHost": "1"}}, "headers.X-Y\r\nHost", TOKEN),
        ({"headers": {"X" * 65: "1"}}, f"headers.{'X' * 65}", TOKEN),
        ({"headers": {"X-Y": "1\r\nHost: other"}}, "headers.X-Y", NO_BREAK),
        ({"headers": {"X-Y": "1\n"}}, "headers.X-Y", NO_BREAK),
        ({"headers": {"X-Y": "1\r"}}, "headers.X-Y", NO_BREAK),
        ({"headers": {"X-Y": "a\x00b"}}, "headers.X-Y", NO_BREAK),
        ({"headers": {"X-Y": "a\x7fb"}}, "headers.X-Y", NO_BREAK),
        ({"headers": {"X-Y": 5}}, "headers.X-Y", "a valid string"),
        ({"headers": {"X-Y": None}}, "headers.X-Y", "a valid string"),
        ({"headers": {"X-Y": "v" * 4097}}, "headers.X-Y", "at most this many: 4096"),
        ({"headers": {f"X-{n}": "" for n in range(21)}}, "headers", "at most this many: 20"),
        ({"body": "b" * 8193}, "body", "at most this many: 8192"),
        ({"body": {"a": 1}}, "body", "a valid string"),
        ({"ip_version": 4}, "ip_version", "'4', '6' or 'both'"),
        ({"ip_version": "5"}, "ip_version", "'4', '6' or 'both'"),
        ({"group": "my group"}, "group", NAME),
        ({"depends_on": "a/b"}, "depends_on", NAME),
        ({"metrics": "yes"}, "metrics", "a valid boolean"),
        ({"metrics": 1}, "metrics", "a valid boolean"),
        ({"maintenance": {"start": "22:00"}}, "maintenance", "a valid array"),
        ({"maintenance": [{"start": "22:00"}]}, "maintenance.0.duration_minutes", A_FIELD),
        (
            {"maintenance": [{"start": "22:00", "duration_minutes": 60}] * 21},
            "maintenance",
            "at most this many: 20",
        ),
        ({"interval": 60}, "interval", NO_FIELD),
        ({"timeout": 60}, "timeout", NO_FIELD),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_a_wrong_target_and_says_what_it_must_be(
    odd: dict[str, Any], path: str, expected: str
) -> None:
    assert wrong(**odd) == [(path, expected)]


@pytest.mark.parametrize(
    "name",
    ["Host", "host", "HOST", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade"],
)
def test_headers_that_frame_a_request_are_the_probes_own(name: str) -> None:
    assert wrong(headers={name: "x"}) == [(f"headers.{name}", A_HEADER)]
    secret = {"secret": {"arn": ARN}, "header": name}
    assert wrong(auth=secret) == [("auth.header", A_HEADER)]


@pytest.mark.parametrize("written", [None, 5, "shop", [], True])
def test_what_is_no_object_is_no_target(written: object) -> None:
    assert wrong_of(written) == [("target", "an object")]


def test_every_wrong_field_is_named_at_once() -> None:
    problems = wrong_of({"name": "a b", "method": "PUT", "slo": 1, "expect": {"redirects": 6}})

    assert [path for path, _ in problems] == ["name", "url", "method", "expect.redirects", "slo"]


def test_what_is_wrong_is_told_without_what_was_written() -> None:
    canary = "s3cr3t-canary"
    problems = wrong(
        url=f"https://u:{canary}@a b/?k={canary}",
        headers={"X-Key": f"{canary}\n"},
        body=[canary],
        auth={"secret": {"arn": canary}, "prefix": f"{canary}\n", "user": f"{canary}\n"},
        expect={"body_matches": f"({canary}", "json": {"path": f"{canary}..", "equals": 1}},
        tls={"ca": canary},
        method=canary,
    )

    assert len(problems) == 10
    assert canary not in str(problems)
