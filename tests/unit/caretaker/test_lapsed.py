"""What is over though nobody knows it to be healthy is not called so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from caretaker.incidents import Check, Incident
from caretaker.rendering import Turn
from caretaker.settings import Channel
from caretaker.transitions import plan_transitions
from tests.support.alerts import ORIGIN, STALE, rendered
from tests.support.builders import NOW

BAD = Check("ill", "i-1", healthy=False, what="ill")
REPLACED = replace(BAD, healthy=True, lapsed=True, ending="replaced by i-2")


def opened(check: Check) -> Incident:
    (incident,) = plan_transitions([], [check], judged=frozenset(), now=NOW, origin=ORIGIN).opened
    return incident


def resolved(known: Incident, *checks: Check) -> Incident:
    (incident,) = plan_transitions(
        [known], checks, judged=frozenset({"ill"}), now=NOW, origin=ORIGIN
    ).resolved
    return incident


def test_what_has_lapsed_is_over_and_not_healthy() -> None:
    over = resolved(opened(BAD), REPLACED)

    assert rendered(over, turn=Turn.OK).subject.endswith("i-1: over after 0m, replaced by i-2")


def test_what_is_healthy_says_so() -> None:
    for checks in ([replace(BAD, healthy=True)], []):
        over = resolved(opened(BAD), *checks)
        assert rendered(over, turn=Turn.OK).subject.endswith("i-1: healthy after 0m")


def test_what_makes_nothing_healthy_by_ending_is_over_once_it_is_not_seen() -> None:
    """As a wrong event that is not sent again."""
    over = resolved(opened(replace(BAD, lapsed=True)))

    assert rendered(over, turn=Turn.OK).subject.endswith("i-1: over after 0m")


def test_one_that_lapsed_flaps_and_gets_well_is_healthy() -> None:
    known = replace(opened(BAD), flapping=True, calm=True, lapsed=True)
    (again,) = plan_transitions([known], [BAD], judged=frozenset(), now=NOW, origin=ORIGIN).noted

    assert not again.lapsed


@pytest.mark.parametrize("channel", [Channel.ALERTS, Channel.CHAT])
def test_a_page_of_the_console_may_be_given(channel: Channel) -> None:
    page = "states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:x"
    body = rendered(replace(STALE, console=page), to=channel).body

    assert f"Console: https://eu-west-1.console.aws.amazon.com/{page}" in body
    assert (
        "console" not in json.loads(json.loads(body).get("default", "{}")).get("incidents", [{}])[0]
    )


def test_a_run_without_a_slot_names_none() -> None:
    email = json.loads(rendered(STALE, origin=replace(ORIGIN, slot="")).body)["email"]

    assert "policy daily, account 123456789012, eu-west-1.\n" in email
