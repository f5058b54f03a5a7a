"""What holds for every account and every event."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caretaker.decisions import Decision
from caretaker.settings import Mode
from functions.tagging.facts import Action, Facts, Resource
from functions.tagging.findings import find
from functions.tagging.request import TaggingRequest
from functions.tagging.verdict import judge
from tests.support.builders import NOW, SLOT
from tests.support.tagging import a_case, ask, gathered, planned, sets_of
from tests.unit.functions.tagging.oracle import finding_of, writings
from tests.unit.functions.tagging.populations import (
    accounts,
    after,
    by_id,
    escalating,
    escalations,
    events,
    is_opted_out,
    rule_sets,
    rules_as_json,
    tags,
)

many: Final = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few: Final = settings(many, max_examples=25)
asked = st.builds(lambda rules, event: ask(rules, **event), rule_sets, events)
escalated = st.builds(lambda rules, event: ask(rules, **event), escalating, events)
either = st.one_of(
    st.tuples(accounts(), asked),
    st.tuples(escalations(), escalated),
    st.tuples(escalations(), escalated),
)


@many
@given(tags, rule_sets)
def test_finds_what_the_oracle_finds(its_tags: dict[str, str], rules: dict[str, Any]) -> None:
    found = find(its_tags, ask(rules).rules)

    said = {key: finding_of(its_tags, key, rule) for key, rule in rules.items()}
    assert found == {key: finding for key, finding in said.items() if finding}


@many
@given(accounts(), rule_sets, events)
def test_sets_what_the_oracle_would_write(
    facts: Facts, rules: dict[str, Any], event: dict[str, Any]
) -> None:
    request = ask(rules, **event)
    case = a_case(facts, request)

    for resource in facts.resources:
        if resource.type not in case.rules:
            continue
        subject, verdict = case.about(resource), judge(resource, case)
        if is_opted_out(resource) or subject.is_ignored:
            assert [d.action for d in verdict.decisions] == [Action.SKIP]
            continue
        young = resource.created and NOW - resource.created < timedelta(hours=request.grace_hours)
        told = writings(
            resource,
            subject.links,
            rules_as_json(rules, resource.type),
            facts,
            defaults=not young,
        )
        sets = [d.detail for d in verdict.decisions if d.action == Action.SET]
        assert [each["set"] for each in sets] == ([told.values] if told.values else [])
        assert [each["because"] for each in sets] == ([told.because] if told.values else [])
        reasons = {d.reason for d in verdict.decisions}
        assert ("source_unknown" in reasons) is bool(told.unknown)


@few
@given(accounts(), asked, st.randoms(use_true_random=False))
def test_decides_the_same_in_any_order(
    facts: Facts, request: TaggingRequest, luck: random.Random
) -> None:
    def shuffled(found: tuple[Resource, ...]) -> tuple[Resource, ...]:
        return tuple(luck.sample(found, len(found)))

    other = replace(facts, resources=shuffled(facts.resources), behind=shuffled(facts.behind))
    one, two = planned(facts, request), planned(other, request)

    assert (one.decisions, one.refusal, one.id) == (two.decisions, two.refusal, two.id)
    assert one.tally.scores() == two.tally.scores()


@few
@given(accounts(), rule_sets, events)
def test_report_and_act_decide_alike(
    facts: Facts, rules: dict[str, Any], event: dict[str, Any]
) -> None:
    plans = [planned(facts, ask(rules, **event, mode=mode)) for mode in (*Mode, None)]

    assert all(each.decisions == plans[0].decisions for each in plans)
    assert all(each.refusal == plans[0].refusal for each in plans)


@many
@given(accounts(), asked)
def test_every_resource_that_a_rule_is_about_is_decided_once_and_set_once(
    facts: Facts, request: TaggingRequest
) -> None:
    decisions = [d for d in planned(facts, request).decisions if "/" not in d.target]

    wanted = {each.id for each in facts.resources if each.type in request.types}
    assert {d.target for d in decisions} == wanted
    for action_is_set in (True, False):
        told = Counter(d.target for d in decisions if (d.action == Action.SET) is action_is_set)
        assert set(told.values()) <= {1}
    assert {d.target for d in decisions if d.is_change} <= {each.id for each in facts.resources}


@many
@given(accounts(), asked)
def test_a_value_is_overwritten_only_in_its_case_and_only_where_the_rule_says_so(
    facts: Facts, request: TaggingRequest
) -> None:
    known = by_id(facts)

    for target, written in sets_of(planned(facts, request)).items():
        for key, value in written.items():
            before = known[target].tags.get(key)
            if before is not None:
                assert request.rules[key].case == "normalise"
                assert before.lower() == value.lower()
                assert before != value


@many
@given(accounts(), asked)
def test_what_is_set_is_allowed_fits_and_is_never_ours_or_aws_s(
    facts: Facts, request: TaggingRequest
) -> None:
    known = by_id(facts)

    for target, written in sets_of(planned(facts, request)).items():
        resource = known[target]
        assert not is_opted_out(resource)
        assert not any(key.lower().startswith(("aws:", "caretaker:")) for key in written)
        new = [key for key in written if key not in resource.tags]
        assert not new or resource.tag_count + len(new) <= 50
        for key, value in written.items():
            rule = request.rules[key]
            assert rule.judge(value) is None
            assert resource.type in rule.applies_to
            assert value.strip()


@many
@given(accounts(), asked)
def test_a_second_run_sets_nothing(facts: Facts, request: TaggingRequest) -> None:
    first = planned(facts, request)

    assert sets_of(planned(after(facts, first), request)) == {}


@many
@given(either)
def test_an_instance_is_stopped_only_at_the_end_of_its_escalation(
    found: tuple[Facts, TaggingRequest],
) -> None:
    facts, request = found
    known = by_id(facts)

    for each in planned(facts, request).decisions:
        if each.action != Action.STOP:
            continue
        instance, step = known[each.target], facts.steps[each.target]
        assert step.told < SLOT
        assert step.marked_until is not None
        assert step.marked_until <= NOW
        assert datetime.fromisoformat(instance.tags["caretaker:stop-after"]) <= NOW
        assert (instance.type, instance.state) == ("instance", "running")
        assert (instance.links.group, instance.is_stoppable) == ("", True)
        assert not is_opted_out(instance)
        assert request.stop_after_days > 0
        wrong = each.detail["findings"]
        assert isinstance(wrong, dict)
        assert any(request.rules[key].escalate for key in wrong)


@many
@given(either)
def test_each_step_takes_a_run_of_a_later_slot(found: tuple[Facts, TaggingRequest]) -> None:
    facts, request = found
    for each in planned(facts, request).decisions:
        step = facts.steps.get(each.target)
        if each.action in {Action.MARK, Action.STOP}:
            assert step is not None
            assert step.told < SLOT
        if each.action in {Action.UNMARK, Action.START}:
            assert step is not None


@many
@given(either)
def test_more_than_the_blast_radius_is_never_let_through(
    found: tuple[Facts, TaggingRequest],
) -> None:
    facts, request = found
    plan = planned(facts, request)
    if facts.plan is not None:
        assert plan.refusal is None
        assert set(plan.stopping) <= facts.plan.targets
        return
    counted = Counter(d.action for d in plan.decisions if d.target not in facts.approved)
    judged = [
        each
        for each in facts.resources
        if each.type == "instance" and "instance" in request.types and not is_opted_out(each)
    ]
    limit = request.blast_radius.limit(len(judged))
    exceeded = any(counted[action] > limit for action in (Action.MARK, Action.STOP))
    assert (plan.refusal is not None) is exceeded


@few
@given(accounts(), asked)
def test_at_birth_nothing_happens_but_that_tags_are_set(
    facts: Facts, request: TaggingRequest
) -> None:
    at_birth = ask(
        {key: rule.model_dump(mode="json", by_alias=True) for key, rule in request.rules.items()},
        birth={"eventName": "RunInstances"},
    )
    calm = replace(facts, steps={})

    decisions: list[Decision] = [*planned(calm, at_birth).decisions]

    assert {d.action for d in decisions if d.is_change} <= {Action.SET}
    assert all("default" not in str(d.detail.get("because")) for d in decisions)


@few
@given(accounts(), asked)
def test_no_share_of_right_tags_is_below_nothing_or_above_all(
    facts: Facts, request: TaggingRequest
) -> None:
    scores = planned(facts, request).tally.scores()

    assert all(0 <= each.right <= each.of for each in scores.values())
    assert all(0 <= each.percent <= 100 for each in scores.values())


def test_the_strategies_reach_every_action() -> None:
    reached: set[str] = set()
    thorough = settings(max_examples=300, deadline=None, database=None, derandomize=True)

    @thorough
    @given(either)
    def look(found: tuple[Facts, TaggingRequest]) -> None:
        reached.update(d.action for d in planned(*found).decisions)

    @thorough
    @given(escalations(), escalated)
    def look_closely(facts: Facts, request: TaggingRequest) -> None:
        reached.update(d.action for d in planned(facts, request).decisions)

    look()
    look_closely()

    assert reached == set(Action)


def test_nothing_at_all_is_a_plan_too() -> None:
    plan = planned(gathered())

    assert (plan.decisions, plan.refusal, plan.tally.resources) == ([], None, 0)
