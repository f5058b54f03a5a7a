"""What holds from one run to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from functions.retention.facts import Action, Facts
from functions.retention.plan import Plan, delete_after, plan_retention
from functions.retention.request import RetentionRequest
from tests.support.builders import NOW
from tests.unit.functions.retention.populations import accounts, requests

if TYPE_CHECKING:
    from collections.abc import Collection

quick = settings(max_examples=60, deadline=None)


def plan_of(known: Facts, request: RetentionRequest, now: datetime = NOW) -> Plan:
    return plan_retention(known, request, now=now)


def without_limits(known: Facts) -> Facts:
    return replace(known, last_seen=None, plan=None)


def carried_out(known: Facts, plan: Plan, when: datetime) -> Facts:
    """Return the account after a run that carried out all its changes."""
    action_of = {d.target: d.action for d in plan.decisions}
    left = []
    for each in known.snapshots:
        tags = dict(each.tags)
        if action_of[each.id] == Action.MARK:
            tags[tag.DELETE_AFTER] = delete_after(when)
        if action_of[each.id] == Action.UNMARK:
            del tags[tag.DELETE_AFTER]
        if action_of[each.id] != Action.DELETE:
            left.append(replace(each, tags=tags))
    return replace(known, snapshots=tuple(left))


def changes(plan: Plan) -> Collection[str]:
    return [d.target for d in plan.decisions if d.is_change]


@quick
@given(accounts(), requests())
def test_the_same_run_again_changes_nothing(known: Facts, request: RetentionRequest) -> None:
    known = without_limits(known)

    after = carried_out(known, plan_of(known, request), NOW)

    assert changes(plan_of(after, request)) == []


@quick
@given(accounts(), requests(), st.integers(0, 72))
def test_what_is_marked_goes_two_days_later_and_not_before(
    known: Facts, request: RetentionRequest, hours: int
) -> None:
    known = without_limits(known)
    first = plan_of(known, request)
    marked = {d.target for d in first.decisions if d.action == Action.MARK}

    later = NOW + timedelta(hours=hours)
    second = plan_of(carried_out(known, first, NOW), request, later)

    deleted = {d.target for d in second.decisions if d.action == Action.DELETE}
    assert deleted.isdisjoint(marked) if hours < 48 else marked <= deleted


@quick
@given(accounts(), requests())
def test_a_run_that_was_carried_out_never_looks_like_a_loss(
    known: Facts, request: RetentionRequest
) -> None:
    known = without_limits(known)
    first = plan_of(known, request)
    after = carried_out(known, first, NOW)

    second = plan_of(replace(after, last_seen=first.population(after_deleting=True)), request)

    assert second.refusal is None or second.refusal.reason == "blast_radius"
