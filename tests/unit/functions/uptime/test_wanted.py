from __future__ import annotations

import random
from typing import Any, Final

import pytest

from functions.uptime.wanted import Found, read_targets
from tests.unit.functions.uptime.building import URL

DEPENDS: Final = ("depends_on", "the name of another target")
TWICE: Final = ("name", "a name of its own")
A_URL: Final = "a URL of http or https, as https://example.com/health"


def written(name: str, **odd: Any) -> dict[str, Any]:
    return {"name": name, "url": URL, **odd}


def wrong(*targets: Any, found: Any = ()) -> dict[str, list[tuple[str, str]]]:
    told = read_targets(targets, found).wrong
    assert len({each.name for each in told}) == len(told)
    return {each.name: [(e["path"], e["expected"]) for e in each.errors] for each in told}


def names(*targets: Any, found: Any = ()) -> list[str]:
    return sorted(read_targets(targets, found).targets)


def test_targets_are_known_by_their_names() -> None:
    wanted = read_targets([written("a"), written("b", url="http://b/")])

    assert {name: target.url for name, target in wanted.targets.items()} == {
        "a": URL,
        "b": "http://b/",
    }
    assert wanted.wrong == ()


def test_nothing_wanted_is_nothing_wrong() -> None:
    assert read_targets([]) == ({}, ())


def test_one_wrong_target_is_told_by_name_and_the_others_are_probed() -> None:
    targets = [written("a"), written("bad", method="PUT", slo=5), written("c")]

    assert names(*targets) == ["a", "c"]
    assert wrong(*targets) == {
        "bad": [("method", "'GET', 'HEAD', 'POST' or 'OPTIONS'"), ("slo", "more than 50.0")]
    }


def test_the_name_of_a_wrong_header_is_not_told_for_a_whole_line_may_stand_there() -> None:
    told = wrong(written("bad", headers={"Authorization: Bearer s3cret": "", "X": 5}))

    assert [path for path, _ in told["bad"]] == ["headers", "headers"]
    assert told["bad"][0][1].startswith("text that matches ^[!#$%&")
    assert told["bad"][1][1] == "a valid string"
    assert "s3cret" not in str(told)
    problems = read_targets([written("bad", headers={"X": 5})]).wrong[0].errors
    assert [each["problem"] for each in problems] == ["Input should be a valid string"]


@pytest.mark.parametrize(
    "nameless",
    [None, 5, "shop", [], {}, {"url": URL}, {"name": "a b"}, {"name": 5}, {"name": ["shop"]}],
    ids=str,
)
def test_a_target_without_a_fit_name_is_told_by_its_place(nameless: Any) -> None:
    assert names(written("a"), nameless) == ["a"]
    assert list(wrong(written("a"), nameless)) == ["targets.1"]


def test_what_is_no_object_is_told_as_a_target() -> None:
    assert wrong("shop") == {"targets.0": [("target", "an object")]}


def test_of_two_targets_with_one_name_the_first_is_probed_and_the_second_told() -> None:
    first, second = written("shop", url="http://a/"), written("shop", url="http://b/")

    assert read_targets([first, second]).targets["shop"].url == "http://a/"
    assert wrong(first, second) == {"targets.1": [TWICE]}


def test_a_wrong_target_with_the_name_of_another_is_told_by_its_place() -> None:
    assert wrong(written("shop"), written("shop", method="PUT")).keys() == {"targets.1"}
    assert wrong(written("shop", method="PUT"), written("shop")).keys() == {"targets.0"}


def test_a_target_may_depend_on_another_and_that_on_a_third() -> None:
    targets = [written("a", depends_on="b"), written("b", depends_on="c"), written("c")]

    assert names(*targets) == ["a", "b", "c"]
    assert not wrong(*targets)


@pytest.mark.parametrize(
    ("edges", "lost"),
    [
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "a"}, ["a", "b"]),
        ({"a": "b", "b": "c", "c": "a"}, ["a", "b", "c"]),
        ({"a": "b", "b": "c", "c": "b"}, ["a", "b", "c"]),
        ({"a": "nobody"}, ["a"]),
        ({"a": "b", "b": "nobody"}, ["a", "b"]),
        ({"a": None, "b": "a", "c": "c"}, ["c"]),
        ({"a": "b", "b": None, "c": "d", "d": "c"}, ["c", "d"]),
    ],
    ids=str,
)
def test_who_depends_on_nobody_or_in_a_circle_is_told_and_probed_as_one_that_stands_alone(
    edges: dict[str, str | None], lost: list[str]
) -> None:
    targets = [written(name, depends_on=to) for name, to in edges.items()]

    for seed in range(5):
        random.Random(seed).shuffle(targets)
        assert wrong(*targets) == {f"{name}.depends_on": [DEPENDS] for name in lost}
        read = read_targets(targets).targets
        assert {name: target.depends_on for name, target in read.items()} == {
            name: None if name in lost else to for name, to in edges.items()
        }


def test_what_depends_on_a_wrong_target_is_probed_all_the_same() -> None:
    targets = [written("a", depends_on="b"), written("b", method="PUT")]

    assert names(*targets) == ["a"]
    assert wrong(*targets).keys() == {"a.depends_on", "b"}


def test_very_many_targets_in_a_row_are_read_and_a_long_way_is_taken_for_a_circle() -> None:
    targets = [written(f"t{n}", depends_on=f"t{n + 1}") for n in range(2000)]
    wanted = read_targets([*targets, written("t2000")])

    alone = [name for name, target in wanted.targets.items() if target.depends_on is None]
    assert len(wanted.targets) == 2001
    assert set(alone) == {f"t{n}" for n in range(1991)} | {"t2000"}


@pytest.mark.parametrize(
    ("tag", "host", "url"),
    [
        ("https:8443/health", "10.0.0.7", "https://10.0.0.7:8443/health"),
        ("http/", "10.0.0.7", "http://10.0.0.7/"),
        ("http", "10.0.0.7", "http://10.0.0.7/"),
        ("https:443", "web-1.elb.amazonaws.com", "https://web-1.elb.amazonaws.com:443/"),
        ("https/a?b=c", "2001:db8::1", "https://[2001:db8::1]/a?b=c"),
    ],
)
def test_a_tag_asks_for_a_scheme_a_port_and_a_path(tag: str, host: str, url: str) -> None:
    wanted = read_targets([], [Found("i-1", host, tag)])

    assert wanted.wrong == ()
    assert wanted.targets["i-1"].url == url


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "ftp/",
        "HTTP/",
        "http://evil.example.com/",
        "https:8443@evil.example.com/",
        "http:@evil.example.com/",
        "http:80.evil.example.com/",
        "https://169.254.169.254/",
        "http.evil.example.com/",
        "http?x",
        "http:123456/",
        "http:/",
        "http:٨٠/",
        "http/a b",
        "http/\n",
        "http/ä",
        " http/",
        "http/" + "a" * 513,
    ],
)
def test_a_tag_aims_the_prober_nowhere_else(tag: str) -> None:
    found = [Found("i-1", "10.0.0.7", tag)]

    assert names(found=found) == []
    assert wrong(found=found) == {"i-1": [("url", A_URL)]}


@pytest.mark.parametrize("tag", ["http//evil.example.com/", "http/@evil.example.com", "http:7/\\x"])
def test_whatever_a_tag_has_for_a_path_the_host_is_the_resources_own(tag: str) -> None:
    wanted = read_targets([], [Found("i-1", "10.0.0.7", tag)])

    assert all(each.url.startswith("http://10.0.0.7") for each in wanted.targets.values())


def test_a_resource_without_an_address_that_may_be_probed_is_told_of() -> None:
    assert wrong(found=[Found("i-1", "", "http/")]) == {"i-1": [("url", A_URL)]}


@pytest.mark.parametrize("tag", ["http:0/", "http:65536/"])
def test_a_port_that_is_none_is_told_of(tag: str) -> None:
    assert wrong(found=[Found("i-1", "10.0.0.7", tag)]) == {"i-1": [("url", A_URL)]}


def test_a_tagged_resource_with_the_name_of_a_target_is_told_by_its_place() -> None:
    assert wrong(written("i-1"), found=[Found("i-1", "10.0.0.7", "http/")]) == {"tag.i-1": [TWICE]}


def test_a_target_may_depend_on_a_tagged_resource() -> None:
    target = written("shop", depends_on="i-1")

    assert names(target, found=[Found("i-1", "10.0.0.7", "http/")]) == ["i-1", "shop"]
