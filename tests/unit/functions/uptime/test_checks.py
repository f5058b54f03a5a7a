from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.decisions import Result
from caretaker.errors import FieldError
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.uptime.checks import JUDGED
from functions.uptime.facts import Wrong
from functions.uptime.spans import NOTHING, Sum
from functions.uptime.traces import Phase
from tests.unit.functions.uptime.building import (
    FIX,
    OPEN,
    REFUSED,
    a_record,
    a_target,
    a_try,
    checks,
    down,
    failing,
    findings,
    planned,
    probed,
    status,
)

ERRORS: Final = [FieldError(f"field{number}", "odd", f"even {number}") for number in range(8)]
SECRET: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"


def test_a_target_that_is_well_has_nothing_wrong() -> None:
    found = findings(planned(a_target(slo=99.9), records={"shop": a_record()}))

    assert {each.kind: each.healthy for each in found.checks} == {
        "target_down": True,
        "target_slow": True,
        "target_partial": True,
        "certificate_expiring": None,
        "slo_missed": True,
        "prober_blind": True,
    }
    assert found.judged == JUDGED
    assert found.gauges == {"TargetsProbed": 1, "TargetsDown": 0}
    assert found.may_continue is False
    assert found.refusal is None
    assert found.summary["up"] == 1


def test_every_kind_that_is_judged_is_told_of_every_target() -> None:
    """Else an incident would end because a run did not see its target."""
    targets = [
        a_target("seen", slo=99.9),
        a_target("early", slo=99.9),
        a_target("working", slo=99.9, maintenance=[OPEN]),
        a_target("locked", slo=99.9),
    ]
    plan = planned(
        *targets, probed={"seen": down(), "locked": probed()}, unreadable={"locked": "x"}
    )
    told = {(each.kind, each.resource) for each in findings(plan).checks}

    kinds = JUDGED - {"target_wrong"}
    assert {(kind, target.name) for kind in kinds for target in targets} <= told


@pytest.mark.parametrize(
    ("run", "stack", "tells"),
    [
        (Mode.ACT, Mode.ACT, True),
        (Mode.REPORT, Mode.REPORT, True),
        (Mode.REPORT, Mode.ACT, False),
    ],
)
def test_a_look_by_hand_tells_nobody(run: Mode, stack: Mode, *, tells: bool) -> None:
    plan = planned(wrong=[Wrong("bad", ERRORS)], records={"shop": failing(3)}, is_blind=True)
    found = findings(plan, run=run, stack=stack)

    assert bool(found.checks) is bool(found.judged) is tells
    assert len(found.outcomes) == 2
    assert found.summary["wrong"] == 1


def test_a_blind_prober_wakes_people_once_and_calls_nothing_down() -> None:
    targets = [a_target(name, fix=FIX) for name in ("a", "b", "c")]
    seen = {each.name: down() for each in targets}
    records = {each.name: failing(2) for each in targets}
    bad = [
        each
        for each in findings(planned(*targets, probed=seen, records=records, is_blind=True)).checks
        if each.healthy is False
    ]

    (check,) = bad
    assert (check.kind, check.resource, check.severity) == (
        "prober_blind",
        "run",
        Severity.CRITICAL,
    )
    assert check.what == (
        "nearly nothing answers, and the canary neither: the prober itself is cut off"
    )
    assert check.next == "look at the function's network; resolved when it can see again"
    assert check.done == "no target is called down, and no repair is asked for"


def test_a_wrong_target_is_told_of_by_name_with_what_was_expected() -> None:
    check = checks(planned(wrong=[Wrong("bad", ERRORS)]))["target_wrong"]

    assert (check.resource, check.healthy, check.severity) == ("bad", False, Severity.WARNING)
    assert check.what == "cannot be probed: field0; field1; field2"
    assert check.evidence == {f"field{number}": f"even {number}" for number in range(5)}
    assert (check.done, check.next) == ("the other targets are probed", "correct it")
    assert check.cause == "wrong"


def test_a_secret_that_cannot_be_read_makes_its_target_wrong() -> None:
    check = checks(planned(unreadable={"shop": "AccessDeniedException"}))["target_wrong"]

    assert (check.resource, check.healthy) == ("shop", False)
    assert check.what == "cannot be probed: its secret cannot be read"
    assert check.evidence == {"error": "AccessDeniedException"}
    assert check.cause == "secret"
    assert check.done == "the other targets are probed"
    assert check.next == "see that the secret exists and is among UptimeSecretArns"


def test_in_maintenance_nobody_hears_of_a_secret_and_nothing_is_over() -> None:
    target = a_target(maintenance=[OPEN], auth={"secret": {"arn": SECRET}})
    plan = planned(target, unreadable={"shop": "AccessDenied"})

    assert checks(plan)["target_wrong"].healthy is None


@pytest.mark.parametrize("facts", [{"probed": {}}, {"is_blind": True}], ids=str)
def test_a_secret_stays_unreadable_until_its_target_is_seen(facts: dict[str, Any]) -> None:
    target = a_target(auth={"secret": {"arn": SECRET}})

    assert checks(planned(target, **facts))["target_wrong"].healthy is None
    assert "target_wrong" not in checks(planned(target))
    assert "target_wrong" not in checks(planned(**facts))


def broken_down(plan: Any, metric: str, dimension: str) -> dict[str, float]:
    """Return one metric of a run by one dimension."""
    (found,) = [
        each
        for each in findings(plan).breakdowns
        if (each.metric, each.dimension) == (metric, dimension)
    ]
    return dict(found.values)


def test_a_group_is_as_available_as_its_targets_together() -> None:
    targets = [a_target("a", group="web"), a_target("b", group="web"), a_target("c")]
    records = {
        "a": a_record(minutes=0, running=(NOTHING, Sum(up=100), NOTHING)),
        "b": a_record(minutes=0, running=(NOTHING, Sum(up=50, down=50), NOTHING)),
        "c": a_record(minutes=0, running=(NOTHING, Sum(down=7), NOTHING)),
    }
    plan = planned(*targets, records=records)

    assert broken_down(plan, "UptimePercent", "Group") == {"web": 75, "default": 0}


def test_of_a_group_that_nobody_has_seen_nothing_is_measured() -> None:
    plan = planned(probed={})

    assert broken_down(plan, "UptimePercent", "Group") == {}
    assert broken_down(plan, "LatencyMs", "Group") == {}
    assert broken_down(plan, "PhaseMs", "Phase") == {}


def test_a_group_is_as_quick_as_the_median_of_its_targets() -> None:
    targets = [a_target(name, group="web") for name in "abc"]
    records = {
        name: a_record(latencies=(ms,) * 5) for name, ms in (("a", 100), ("b", 300), ("c", 900))
    }
    seen = {name: down() for name in "abc"}
    plan = planned(*targets, records=records, probed=seen)

    assert broken_down(plan, "LatencyMs", "Group") == {"web": 300}
    del records["c"]
    assert broken_down(planned(*targets, records=records, probed=seen), "LatencyMs", "Group") == {
        "web": 200
    }


def test_a_target_has_metrics_of_its_own_where_it_opts_in() -> None:
    targets = [a_target("a", metrics=True), a_target("b")]
    records = {
        name: a_record(minutes=0, running=(NOTHING, Sum(up=9), NOTHING), latencies=(40,) * 5)
        for name in "ab"
    }
    plan = planned(*targets, records=records)

    assert broken_down(plan, "UptimePercent", "Target") == {"a": 100}
    assert broken_down(plan, "LatencyMs", "Target") == {"a": 40}


def test_phases_are_medians_over_what_answered_as_it_should() -> None:
    targets = [a_target(name) for name in "abcd"]
    seen = {
        "a": probed(a_try(phases={Phase.DNS: 1, Phase.CONNECT: 10})),
        "b": probed(a_try(phases={Phase.DNS: 3, Phase.CONNECT: 30.06, Phase.TLS: 5})),
        "c": probed(a_try(REFUSED, phases={Phase.DNS: 999})),
        "d": probed(a_try(phases={Phase.CONNECT: 20.26}), a_try(status(500), ms=9999)),
    }

    assert broken_down(planned(*targets, probed=seen), "PhaseMs", "Phase") == {
        "dns": 2,
        "connect": 20.3,
        "tls": 5,
    }


def test_a_run_with_nothing_to_probe_is_well() -> None:
    found = findings(planned(wrong=[], probed={}), Result.DONE)

    assert found.gauges["TargetsProbed"] == 0
