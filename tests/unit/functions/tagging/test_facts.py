from __future__ import annotations

from typing import TYPE_CHECKING

from functions.tagging import facts
from functions.tagging.facts import Compliance, of_type
from tests.support.tagging import a_resource, an_instance

if TYPE_CHECKING:
    import pytest


def test_finds_the_resources_of_a_type() -> None:
    one, two = an_instance("i-1"), an_instance("i-2")

    assert of_type([one, a_resource(), two], "instance") == {"i-1": one, "i-2": two}


def test_what_was_not_there_is_new() -> None:
    last = Compliance(50, frozenset({"a", "b"}))

    assert last.new_among({"b", "c"}) == {"c"}
    assert last.new_among({"a"}) == frozenset()
    assert Compliance(100, frozenset()).new_among({"a"}) == {"a"}


def test_what_a_full_list_could_not_hold_is_not_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MAX_VIOLATIONS", 2)
    full = Compliance(0, frozenset({"b", "d"}))

    assert full.new_among({"a", "b", "c", "e"}) == {"a", "c"}
    assert Compliance(0, frozenset({"b"})).new_among({"a", "c"}) == {"a", "c"}


def test_two_hundred_thousand_violations_are_remembered() -> None:
    assert facts.MAX_VIOLATIONS == 200_000
