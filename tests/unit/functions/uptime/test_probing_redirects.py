from __future__ import annotations

from typing import Any, Final

import pytest

from functions.uptime.probing import Credentials
from functions.uptime.traces import Failure, Fault, Phase
from tests.unit.functions.uptime.building import ADDRESS, OTHER, a_certificate, status
from tests.unit.functions.uptime.scripts import Drive, answer, drive, to

A: Final = "http://a.example/"
NAMES: Final = {"a.example": [ADDRESS], "b.example": [OTHER], "in.example": ["127.0.0.1"]}
SECRET: Final = Credentials(("Authorization: Bearer s3cret",), "u", "s3cret")
CANARY: Final = "s3cret"


def go(answers: dict[str, Any], **target: Any) -> Drive:
    return drive(answers, NAMES, **{"url": A} | target)


def hosts(seen: Drive) -> list[str]:
    """Return where the first try went."""
    number = len(seen.fetches) // len(seen.tries)
    return [fetch.url.text for fetch in seen.fetches[:number]]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_last_answer_judged(code: int) -> None:
    seen = go({A: to("/x", code), "http://a.example/x": answer(204)})

    assert hosts(seen) == [A, "http://a.example/x"]
    assert (seen.last.status, seen.last.failure) == (204, None)
    assert seen.last.url.text == "http://a.example/x"


@pytest.mark.parametrize("code", [200, 201, 300, 304, 305, 306, 399, 404])
def test_a_location_of_another_status_leads_nowhere(code: int) -> None:
    seen = go({A: to("http://b.example/", code)}, expect={"status": ["100-599"]})

    assert hosts(seen) == [A]
    assert seen.last.status == code


def test_a_redirect_without_a_location_is_an_answer() -> None:
    assert go({A: answer(302)}).last.failure is None
    assert go({A: answer(302)}, expect={"status": ["200"]}).last.failure == status(302)


def test_where_redirects_are_not_followed_they_are_judged() -> None:
    no = {"redirects": 0, "status": ["301"]}

    assert go({A: to("http://b.example/", 301)}, expect=no).last.failure is None
    assert hosts(go({A: to("http://b.example/", 301)}, expect=no)) == [A]
    assert go({A: to("/", 302)}, expect=no).last.failure == status(302)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_as_many_redirects_are_followed_as_are_expected_and_no_more(number: int) -> None:
    urls = [f"http://a.example/{each}" for each in range(7)]
    chain: dict[str, Any] = {url: to(f"/{n + 1}") for n, url in enumerate(urls)}
    expect = {"redirects": number}

    just = chain | {urls[number]: answer()}
    assert go(just, url=urls[0], expect=expect).last.failure is None
    seen = go(chain, url=urls[0], expect=expect)
    assert seen.last.failure == Failure(Fault.REDIRECT, "too_many")
    assert hosts(seen) == urls[: number + 1]
    assert (seen.last.url.text, seen.last.status) == (urls[number], 302)


def test_a_circle_ends() -> None:
    seen = go({A: to("http://b.example/"), "http://b.example/": to(A)})

    assert seen.last.failure == Failure(Fault.REDIRECT, "too_many")
    assert len(hosts(seen)) == 6


def test_another_host_is_resolved_and_its_own_address_asked() -> None:
    seen = go({A: to("http://b.example/x")})

    assert seen.resolved == ["a.example", "b.example"]
    assert [fetch.address for fetch in seen.fetches] == [ADDRESS, OTHER]
    assert seen.last.address == OTHER


def test_the_same_host_keeps_the_address_that_was_checked() -> None:
    seen = go({A: to("/x"), "http://a.example/x": to("https://a.example/y")})

    assert seen.resolved == ["a.example"]
    assert [fetch.address for fetch in seen.fetches] == [ADDRESS] * 3


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("http://in.example/", {}),
        ("http://127.0.0.1/", {"127.0.0.1": ["127.0.0.1"]}),
        ("http://127.0.0.1:80/2018-06-01/runtime", {"127.0.0.1": ["127.0.0.1"]}),
        ("//169.254.169.254/latest/meta-data/", {"169.254.169.254": ["169.254.169.254"]}),
        ("http://0xa9fea9fe/", {"169.254.169.254": ["169.254.169.254"]}),
        ("http://[::ffff:127.0.0.1]/", {"::ffff:7f00:1": ["::ffff:7f00:1"]}),
        ("http://[fd00:ec2::254]/", {"fd00:ec2::254": ["fd00:ec2::254"]}),
        ("http://10.0.0.1/", {"10.0.0.1": ["10.0.0.1"]}),
        ("http://both.example/", {"both.example": [OTHER, "127.0.0.1"]}),
    ],
)
def test_a_redirect_inwards_is_asked_of_nobody_and_not_tried_again(
    location: str, names: dict[str, Any]
) -> None:
    seen = drive({A: to(location)}, {**NAMES, **names}, url=A)

    assert hosts(seen) == [A]
    assert seen.last.failure == Failure(Fault.BLOCKED, "address")
    assert (seen.last.status, seen.last.url.text, seen.pauses) == (302, A, [])


def test_a_redirect_inwards_on_the_last_hop_is_asked_of_nobody() -> None:
    chain: dict[str, Any] = {f"http://b.example/{n}": to(f"/{n + 1}") for n in range(4)}
    seen = go({A: to("http://b.example/0"), **chain, "http://b.example/4": to("//in.example/")})

    assert seen.last.failure == Failure(Fault.REDIRECT, "too_many")
    chain["http://b.example/3"] = to("//in.example/")
    seen = go({A: to("http://b.example/0"), **chain})
    assert seen.last.failure == Failure(Fault.BLOCKED, "address")
    assert "in.example" not in str([fetch.url.host for fetch in seen.fetches])


@pytest.mark.parametrize(
    ("url", "location", "failure"),
    [
        (A, "http://b.example:9001/", Failure(Fault.BLOCKED, "port")),
        (A, "http://b.example:22/", Failure(Fault.BLOCKED, "port")),
        (A, "http://a.example:8080/", Failure(Fault.BLOCKED, "port")),
        ("http://a.example:8080/", "/x", None),
        ("http://a.example:8080/", "https://a.example/x", None),
        ("http://a.example:8080/", "http://a.example:8081/x", Failure(Fault.BLOCKED, "port")),
        (A, "http://b.example:443/", None),
        (A, "https://b.example:80/", None),
        ("https://a.example/", "http://a.example/", Failure(Fault.REDIRECT, "insecure")),
        ("https://a.example/", "http://b.example/", Failure(Fault.REDIRECT, "insecure")),
        ("https://a.example/", "//b.example/", None),
        (A, "https://b.example/", None),
        (A, "ftp://b.example/", Failure(Fault.REDIRECT, "unreadable")),
        (A, "file:///etc/passwd", Failure(Fault.REDIRECT, "unreadable")),
        (A, "http://[::1", Failure(Fault.REDIRECT, "unreadable")),
        (A, "/\\b.example/", Failure(Fault.REDIRECT, "unreadable")),
        (A, "http://b.example\x00/", Failure(Fault.REDIRECT, "unreadable")),
    ],
)
def test_a_redirect_leads_to_no_less_security_and_no_odd_port(
    url: str, location: str, failure: Failure | None
) -> None:
    seen = go({url: to(location)}, url=url)

    assert seen.last.failure == failure
    assert len(hosts(seen)) == (2 if failure is None else 1)


def test_a_name_that_a_redirect_leads_to_may_not_exist() -> None:
    failure = Failure(Fault.DNS, "no_such_name")
    seen = drive({A: to("http://b.example/")}, {"b.example": failure}, url=A)

    assert (seen.last.failure, seen.last.status, seen.last.address) == (failure, 302, ADDRESS)
    assert seen.pauses == [2, 10]


@pytest.mark.parametrize(
    "location",
    [
        "http://b.example/",
        "https://a.example/",
        "http://a.example:443/",
        "http://sub.a.example/",
        "http://a.example.b.example/",
        "http://u:p@b.example/",
    ],
)
@pytest.mark.parametrize("code", [302, 307])
def test_credentials_headers_and_body_never_leave_the_origin(location: str, code: int) -> None:
    seen = go(
        {A: to(location, code)},
        secret=SECRET,
        url="http://own:s3cret@a.example/",
        method="POST",
        headers={"X-Key": CANARY},
        body=CANARY,
    )
    first, second = seen.fetches

    assert (first.user, first.password, first.body) == ("u", "s3cret", b"s3cret")
    assert first.headers == ("X-Key: s3cret", "Authorization: Bearer s3cret")
    assert (second.headers, second.user, second.password) == ((), "", "")
    assert second.body is None
    assert CANARY not in str(second)


def test_credentials_do_not_come_back_with_a_redirect_home() -> None:
    home = "http://a.example/x"
    answers = {A: to("http://b.example/"), "http://b.example/": to(home), home: to("/y")}
    _, *later = go(answers, secret=SECRET).fetches

    assert [fetch.url.host for fetch in later] == ["b.example", "a.example", "a.example"]
    assert CANARY not in str(later)


def test_credentials_stay_with_the_origin() -> None:
    seen = go({A: to("/x")}, secret=SECRET, headers={"X-Key": "1"})
    first, second = seen.fetches

    assert (second.headers, second.user, second.password) == (
        first.headers,
        first.user,
        first.password,
    )


def test_a_second_try_has_the_credentials_again() -> None:
    seen = go({A: to("http://b.example/"), "http://b.example/": answer(500)}, secret=SECRET)

    assert [bool(fetch.user) for fetch in seen.fetches] == [True, False] * 3


@pytest.mark.parametrize(
    ("method", "code", "then", "has_body"),
    [
        ("POST", 301, "GET", False),
        ("POST", 302, "GET", False),
        ("POST", 303, "GET", False),
        ("POST", 307, "POST", True),
        ("POST", 308, "POST", True),
        ("OPTIONS", 307, "OPTIONS", True),
        ("OPTIONS", 303, "GET", False),
        ("HEAD", 301, "HEAD", True),
        ("HEAD", 303, "HEAD", True),
        ("HEAD", 308, "HEAD", True),
        ("GET", 302, "GET", True),
        ("GET", 308, "GET", True),
    ],
)
def test_the_method_after_a_redirect_is_a_browsers(
    method: str, code: int, then: str, *, has_body: bool
) -> None:
    first, second = go({A: to("/x", code)}, method=method, body="ping").fetches

    assert (first.method, first.body) == (method, b"ping")
    assert (second.method, second.body) == (then, b"ping" if has_body else None)


def test_once_it_is_get_it_stays_get() -> None:
    answers = {A: to("/x", 302), "http://a.example/x": to("/y", 307)}

    assert [f.method for f in go(answers, method="POST").fetches] == ["POST", "GET", "GET"]


def test_the_times_of_all_hops_add_up_and_are_taken_from_what_is_left() -> None:
    seen = drive(
        {A: to("http://b.example/", ms=400), "http://b.example/": answer(ms=100)},
        NAMES,
        url=A,
        dns_ms=50,
        timeout_seconds=1,
    )

    assert seen.last.phases == {Phase.DNS: 100, Phase.CONNECT: 250, Phase.FIRST_BYTE: 250}
    assert [fetch.seconds for fetch in seen.fetches] == pytest.approx([0.95, 0.5])
    assert [fetch.connect_seconds for fetch in seen.fetches] == pytest.approx([0.95, 0.5])


@pytest.mark.parametrize("longest", [Phase.CONNECT, Phase.TLS, Phase.FIRST_BYTE, Phase.TRANSFER])
def test_no_hop_starts_when_the_time_is_up_and_the_phase_that_took_it_is_told(
    longest: Phase,
) -> None:
    certificate = a_certificate()
    slow = answer(302, "/x", phases={Phase.CONNECT: 10, longest: 996}, certificate=certificate)
    seen = go({A: slow}, timeout_seconds=1, dns_ms=5)

    assert hosts(seen) == [A]
    assert seen.last.failure == Failure(Fault.TIMEOUT, phase=longest)
    assert (seen.last.status, seen.last.certificate) == (302, certificate)


def test_a_name_on_the_way_has_the_time_that_is_left() -> None:
    seen = drive({A: to("http://b.example/", ms=400)}, NAMES, url=A, dns_ms=100, timeout_seconds=1)

    assert [step.seconds for step in seen.steps if hasattr(step, "host")] == pytest.approx([1, 0.5])
