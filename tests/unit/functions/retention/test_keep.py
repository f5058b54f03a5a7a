from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.retention.keep import Rules, kept_slots
from tests.support.retention import ask
from tests.unit.functions.retention.keep_oracle import kept_in_plain_words

EXAMPLES = json.loads((Path(__file__).parent / "keep_examples.json").read_text())


def kept(slots: list[str], **keep: int) -> dict[str, Rules]:
    return kept_slots(slots, ask(keep).keep)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["name"])
def test_keeps_what_the_page_shows(example: dict[str, Any]) -> None:
    keep = ask(example["keep"]).keep
    shown = {slot: tuple(rules) for slot, rules in example["slots"].items() if rules}

    assert kept_slots(example["slots"], keep) == shown


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["name"])
def test_the_plain_words_agree_with_the_page(example: dict[str, Any]) -> None:
    shown = {slot: tuple(rules) for slot, rules in example["slots"].items() if rules}

    assert kept_in_plain_words(list(example["slots"]), example["keep"]) == shown


@pytest.mark.parametrize(
    "rule", ["last", "hourly", "daily", "weekly", "monthly", "yearly", "within_days"]
)
def test_keeps_nothing_of_nothing(rule: str) -> None:
    assert kept([], **{rule: 3}) == {}


def test_the_newest_slot_is_always_kept() -> None:
    slots = ["2026-11-20T03:00Z", "2026-11-21T03:00Z"]

    for rule in ("last", "hourly", "daily", "weekly", "monthly", "yearly"):
        assert kept(slots, **{rule: 1}) == {"2026-11-21T03:00Z": (f"{rule} 1",)}
    assert kept(slots, within_days=1) == {"2026-11-21T03:00Z": ("within_days",)}


def test_a_slot_that_is_listed_twice_counts_once() -> None:
    slots = ["2026-11-20T03:00Z", "2026-11-21T03:00Z", "2026-11-21T03:00Z"]

    assert list(kept(slots, last=2)) == ["2026-11-21T03:00Z", "2026-11-20T03:00Z"]


def test_a_slot_names_every_rule_that_keeps_it_in_the_order_of_the_rules() -> None:
    every = dict.fromkeys(("within_days", "yearly", "monthly", "weekly", "daily", "hourly"), 1)

    assert kept(["2026-11-21T03:00Z"], last=1, **every) == {
        "2026-11-21T03:00Z": (
            "last 1",
            "hourly 1",
            "daily 1",
            "weekly 1",
            "monthly 1",
            "yearly 1",
            "within_days",
        )
    }


def test_the_same_hour_of_two_days_is_two_hours() -> None:
    slots = ["2026-11-20T03:00Z", "2026-11-21T03:00Z"]

    assert set(kept(slots, hourly=2)) == set(slots)


def test_the_same_month_of_two_years_is_two_months() -> None:
    slots = ["2025-11-21T03:00Z", "2026-11-21T03:00Z"]

    assert set(kept(slots, monthly=2)) == set(slots)


def test_the_same_week_of_two_years_is_two_weeks() -> None:
    slots = ["2025-11-21T03:00Z", "2026-11-20T03:00Z"]  # both of a week 47

    assert set(kept(slots, weekly=2)) == set(slots)


def test_exactly_so_many_days_before_the_newest_slot_is_out() -> None:
    slots = ["2026-11-18T03:00Z", "2026-11-18T03:01Z", "2026-11-21T03:00Z"]

    assert set(kept(slots, within_days=3)) == {"2026-11-18T03:01Z", "2026-11-21T03:00Z"}
