from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from caretaker import tags as tag
from functions.retention import gates
from functions.retention.case import open_case
from functions.retention.facts import OUT_OF_SCOPE, Action, Reason
from functions.retention.gates import CHAIN, Stop, closed_gate
from tests.support.builders import NOW
from tests.support.retention import NEW, OLD, a_backup, ask, evidence, verdict

SECOND = timedelta(seconds=1)
REFERENCES = (
    Reason.USED_BY_IMAGE,
    Reason.USED_BY_LAUNCH_TEMPLATE,
    Reason.FAST_RESTORE,
    Reason.LOCKED,
    Reason.VOLUME_CREATING,
    Reason.RESTORE_OPEN,
)


def stop_of(*, references: dict[str, Reason] | None = None, **odd: Any) -> Stop | None:
    """Return the closed gate before an old snapshot beside a new one; None when it may go."""
    snapshot = a_backup(**odd)
    facts = evidence(snapshot, a_backup(NEW, days=2), references=references)
    return closed_gate(snapshot, open_case(facts, ask(), NOW))


def test_lets_an_old_snapshot_go_that_no_rule_keeps() -> None:
    assert stop_of() is None
    assert verdict(a_backup()) == (Action.MARK, Reason.EXPIRED)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"owner": "210987654321"}, Reason.FOREIGN_OWNER),
        ({"owner": ""}, Reason.FOREIGN_OWNER),
        ({"tags": {"aws:backup:source-resource": "x"}}, Reason.AWS_MANAGED),
        ({"tags": {"aws:dlm:lifecycle-policy-id": ""}}, Reason.AWS_MANAGED),
        ({"tags": {tag.MANAGED_BY: "test"}}, Reason.NOT_MANAGED),
        ({"tags": {tag.MANAGED_BY: ""}}, Reason.NOT_MANAGED),
        ({"description": ""}, Reason.NOT_MADE_HERE),
        ({"description": "Created by CreateImage(i-1)"}, Reason.NOT_MADE_HERE),
        ({"tags": {tag.SLOT: "2026-01-01T03:00Z"}}, Reason.NOT_MADE_HERE),
        ({"tags": {tag.POLICY: "daily"}, "policy": "weekly"}, Reason.NOT_MADE_HERE),
        ({"slot": "yesterday"}, Reason.SLOT_UNREADABLE),
        ({"slot": ""}, Reason.SLOT_UNREADABLE),
        ({"slot": "2026-10-12T03:00"}, Reason.SLOT_UNREADABLE),
        ({"slot": "2026-10-13T03:01Z"}, Reason.SLOT_IN_FUTURE),
        ({"slot": "2099-01-01T03:00Z"}, Reason.SLOT_IN_FUTURE),
        ({"policy": "weekly"}, Reason.OTHER_POLICY),
    ],
    ids=str,
)
def test_skips_what_is_not_of_this_policy_and_made_here(
    odd: dict[str, Any], reason: Reason
) -> None:
    assert stop_of(**odd) == Stop(reason)
    assert verdict(a_backup(**odd)) == (Action.SKIP, reason)
    assert reason in OUT_OF_SCOPE


def test_skips_a_snapshot_without_any_of_our_tags() -> None:
    bare = replace(a_backup(description=""), tags={})

    assert verdict(bare) == (Action.SKIP, Reason.NOT_MANAGED)


def test_a_slot_may_be_up_to_a_day_after_the_start() -> None:
    assert stop_of(slot="2026-10-13T03:00Z") is None


def test_skips_a_copy_that_took_over_our_tags_and_our_description() -> None:
    copy = a_backup(of="vol-ffffffff")

    assert verdict(copy) == (Action.SKIP, Reason.NOT_MADE_HERE)


def test_skips_a_foreign_snapshot_onto_which_somebody_copied_all_our_tags() -> None:
    foreign = a_backup(description="nightly by another tool", marked=-SECOND)

    assert verdict(foreign) == (Action.SKIP, Reason.NOT_MADE_HERE)


@pytest.mark.parametrize(
    ("state", "reason", "detail"),
    [
        ("pending", Reason.PENDING, {}),
        ("recoverable", Reason.STATE_UNKNOWN, {"state": "recoverable"}),
        ("recovering", Reason.STATE_UNKNOWN, {"state": "recovering"}),
        ("", Reason.STATE_UNKNOWN, {"state": ""}),
    ],
)
def test_keeps_what_is_not_finished(state: str, reason: Reason, detail: dict[str, str]) -> None:
    assert stop_of(state=state) == Stop(reason, detail)
    assert verdict(a_backup(state=state)) == (Action.KEEP, reason)


def test_a_failed_snapshot_goes_when_a_good_one_is_newer() -> None:
    assert stop_of(state="error") is None


@pytest.mark.parametrize("days", [1.5, 2], ids=["older", "the same"])
def test_keeps_a_failed_snapshot_while_no_good_one_is_newer(days: float) -> None:
    assert stop_of(state="error", days=days) == Stop(Reason.NEWEST_FAILED)


def test_keeps_a_failed_snapshot_of_a_volume_that_has_no_good_one() -> None:
    failed = a_backup(state="error", of="vol-00000009")
    facts = evidence(failed, a_backup(NEW, days=2))

    assert closed_gate(failed, open_case(facts, ask(), NOW)) == Stop(Reason.NEWEST_FAILED)


def test_a_good_snapshot_of_another_policy_is_newer_too() -> None:
    failed, good = a_backup(state="error"), a_backup(NEW, days=2, policy="weekly")

    assert closed_gate(failed, open_case(evidence(failed, good), ask(), NOW)) is None


@pytest.mark.parametrize("tier", ["archive", "glacier", ""])
def test_keeps_every_tier_but_the_standard_one(tier: str) -> None:
    assert stop_of(tier=tier) == Stop(Reason.ARCHIVED)


@pytest.mark.parametrize(
    ("age", "stop"),
    [(timedelta(days=1), None), (timedelta(days=1) - SECOND, Stop(Reason.TOO_YOUNG))],
    ids=["a day", "a second less"],
)
def test_keeps_a_snapshot_until_it_is_a_day_old(age: timedelta, stop: Stop | None) -> None:
    snapshot = a_backup(days=age / timedelta(days=1))
    facts = evidence(snapshot, a_backup(NEW, days=0.1))

    assert closed_gate(snapshot, open_case(facts, ask(), NOW)) == stop


def test_keeps_a_snapshot_that_seems_to_be_of_tomorrow() -> None:
    assert stop_of(days=-1) == Stop(Reason.TOO_YOUNG)


def test_keeps_what_a_rule_keeps_and_names_the_rules() -> None:
    old, new = a_backup(), a_backup(NEW, days=2)
    case = open_case(evidence(old, new), ask({"last": 2, "monthly": 2}), NOW)

    assert closed_gate(old, case) == Stop(Reason.KEPT_BY_RULE, {"rules": ["last 2", "monthly 2"]})
    assert closed_gate(new, case) == Stop(Reason.KEPT_BY_RULE, {"rules": ["last 1", "monthly 1"]})


def test_keeps_the_last_good_snapshot_that_no_rule_keeps() -> None:
    old = a_backup()
    case = open_case(evidence(old, disks=[]), ask(orphans_keep_days=1), NOW)

    assert closed_gate(old, case) == Stop(Reason.LAST_GOOD)


@pytest.mark.parametrize("reason", REFERENCES)
def test_keeps_what_something_else_needs_and_says_what(reason: Reason) -> None:
    assert stop_of(references={OLD: reason}) == Stop(reason)
    assert verdict(a_backup(), references={OLD: reason}) == (Action.KEEP, reason)


def test_keeps_nothing_because_another_snapshot_is_needed() -> None:
    assert stop_of(references={NEW: Reason.LOCKED}) is None


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "",
        "false",
        "no",
        "for ever",
        "2026-11-21",
        "2026-11-22",
        "2099-12-31",
        "2026-11-31",
        "20-11-2026",
        "20261120",
        "2026-W40",
        "2026-11-20 ",
        "2026-11-20T03:00:00",
        "2026-11-21T03:00:00Z",
        "2026-11-21T03:00:01Z",
        "2026-11-20T23:00:01-04:00",
        "9999-12-31T23:59:59-12:00",
        "T",
    ],
)
def test_keeps_what_somebody_asked_to_keep_even_if_it_cannot_be_read(value: str) -> None:
    assert stop_of(tags={tag.KEEP: value}) == Stop(Reason.KEEP_TAG, {"keep": value})


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20",
        "2025-12-31",
        "0001-01-01",
        "2026-11-21T02:59:59Z",
        "2026-11-21T04:59:59+02:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_lets_go_what_was_to_be_kept_until_a_day_that_has_passed(value: str) -> None:
    assert stop_of(tags={tag.KEEP: value}) is None


ALL_AT_ONCE: dict[str, Any] = {
    "policy": "weekly",
    "state": "pending",
    "tier": "archive",
    "days": 0.5,
    "references": {OLD: Reason.LOCKED},
    "tags": {tag.KEEP: "true"},
}
OPENED: list[dict[str, Any]] = [
    {"policy": "daily"},
    {"state": "completed"},
    {"tier": "standard"},
    {"days": 1.5},  # which makes it the newest of its volume
    {"days": 40},
    {"references": {}},
    {"tags": {}},
]


def test_the_first_closed_gate_gives_the_reason() -> None:
    reasons = []
    odd = ALL_AT_ONCE
    for opened in ({}, *OPENED):
        odd = {**odd, **opened}
        stop = stop_of(**odd)
        reasons.append(stop.reason if stop else None)

    assert reasons == [
        Reason.OTHER_POLICY,
        Reason.PENDING,
        Reason.ARCHIVED,
        Reason.TOO_YOUNG,
        Reason.KEPT_BY_RULE,
        Reason.LOCKED,
        Reason.KEEP_TAG,
        None,
    ]


def test_sharing_is_told_before_other_references() -> None:
    snapshot = a_backup()
    facts = evidence(snapshot, a_backup(NEW, days=2), references={OLD: Reason.LOCKED})
    case = open_case(facts, ask(), NOW)

    assert closed_gate(snapshot, replace(case, shared=frozenset({OLD}))) == Stop(Reason.SHARED)
    assert closed_gate(snapshot, replace(case, shared=frozenset({NEW}))) == Stop(Reason.LOCKED)


def test_no_gate_is_missing() -> None:
    assert (
        gates.scope,
        gates.state,
        gates.tier,
        gates.age,
        gates.rules,
        gates.references,
        gates.opt_out,
    ) == CHAIN
