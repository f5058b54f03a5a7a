"""What starts the functions, what it sends them, and what becomes of events that fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.request import parse_request
from caretaker.settings import Mode
from functions.alerts.request import AlertsRequest
from functions.drill.request import DrillRequest
from functions.fleet.request import FleetRequest
from functions.instance_health.request import InstanceHealthRequest
from functions.restore.request import RestoreRequest
from functions.retention.request import RetentionRequest
from functions.snapshot.request import SnapshotRequest
from functions.tagging.request import TaggingRequest
from functions.uptime.request import UptimeRequest
from tests.contract.template import (
    EXTRA_FLEET,
    EXTRA_POLICY,
    EXTRA_TAGGING,
    TEMPLATE,
    TEMPLATES,
    deployed,
    environment,
    expanded,
    functions,
    properties,
    template_of,
    with_values,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from caretaker.request import BaseRequest
    from tests.contract.template import Properties


KEEP_WORDS = ("Last", "Hourly", "Daily", "Weekly", "Monthly", "Yearly", "WithinDays")
RULES = '{"Owner": {"values": ["a ${b}", "c"]}}'
"""Rules for where a template has none; a text that Fn::Sub must not look into."""

TAGGING_IN_FULL = {"TaggingRules": RULES, "TaggingAtBirth": "on"}
QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}

REQUESTS: dict[str, type[BaseRequest]] = {
    "SnapshotFunction": SnapshotRequest,
    "RetentionFunction": RetentionRequest,
    "TaggingFunction": TaggingRequest,
    "InstanceHealthFunction": InstanceHealthRequest,
    "UptimeFunction": UptimeRequest,
    "RestoreFunction": RestoreRequest,
    "DrillFunction": DrillRequest,
    "AlertsFunction": AlertsRequest,
    "FleetFunction": FleetRequest,
}
"""The event that each function with a schedule takes."""

SCHEDULED_BY_OTHERS = {"FleetFunction"}
"""What a fleet does is for whoever has an organization to say: the stack itself starts none."""

SECONDS_BETWEEN_RUNS = {
    "SnapshotFunction": 3600,
    "RetentionFunction": 86_400,
    "TaggingFunction": 86_400,
    "InstanceHealthFunction": 60,
    "UptimeFunction": 60,
    "RestoreFunction": 900,
    "DrillFunction": 86_400,
    "AlertsFunction": 300,
}
"""The shortest time between two scheduled runs of each function."""

MAY_WAIT_SECONDS = {
    **SECONDS_BETWEEN_RUNS,
    "InstanceHealthFunction": 301,
    "UptimeFunction": 301,
    "ServiceRepairFunction": 301,
    "FleetFunction": 3600,
}
"""How long an event of each function is worth while: less than this.

Lambda tries again after one minute and after two more, so an event that comes once, as one of AWS
Health does, needs some polls' time. A repair that is still needed is asked for again after five
minutes at the earliest.
"""

POLLS = {
    "InstanceHealthFunctionPoll": "InstanceHealth",
    "UptimeFunctionProbe": "Uptime",
}
"""The schedules of every minute, and what the names of their parameters begin with."""


def _states(**parameters: str) -> dict[str, str]:
    return {
        id_: resource["Properties"]["State"]
        for id_, resource in deployed(**parameters)["Resources"].items()
        if resource["Type"] in {"AWS::Scheduler::Schedule", "AWS::Events::Rule"}
    }


def test_every_schedule_and_rule_runs_with_enabled_and_stops_with_it() -> None:
    timers = properties("AWS::Scheduler::Schedule") | properties("AWS::Events::Rule")

    assert len(timers) > len(functions())
    assert _states(**TAGGING_IN_FULL) == dict.fromkeys(timers, "ENABLED")
    assert _states(**TAGGING_IN_FULL, Enabled="false") == dict.fromkeys(timers, "DISABLED")


@pytest.mark.parametrize(
    ("parameters", "running"),
    [
        ({}, set()),
        ({"TaggingAtBirth": "on"}, set()),
        ({"TaggingRules": RULES}, {"TaggingFunctionDaily"}),
        (TAGGING_IN_FULL, {"TaggingFunctionDaily", "TaggingFunctionBirth"}),
    ],
    ids=["nothing", "no rules", "no birth", "both"],
)
def test_tags_are_judged_only_by_rules_and_at_birth_only_if_asked_for(
    parameters: dict[str, str], running: set[str]
) -> None:
    states = _states(**parameters)

    assert {id_ for id_ in states if "Tagging" in id_ and states[id_] == "ENABLED"} == running
    assert {states[id_] for id_ in states if "Tagging" not in id_} == {"ENABLED"}


def test_without_events_instances_are_polled_alone() -> None:
    without, given = _states(InstanceHealthEvents="off"), _states(InstanceHealthEvents="on")

    assert given == _states()
    assert {id_ for id_ in given if given[id_] != without[id_]} == {
        "InstanceHealthFunctionAwsHealth",
        "InstanceHealthFunctionInstanceStopped",
    }
    assert without["InstanceHealthFunctionPoll"] == "ENABLED"


def test_every_schedule_has_the_role_the_group_the_queue_and_its_retries_spelled_out() -> None:
    for schedule in properties("AWS::Scheduler::Schedule").values():
        assert schedule["GroupName"] == {"Ref": "ScheduleGroup"}
        assert schedule["Target"]["RoleArn"] == {"Fn::GetAtt": ["SchedulerRole", "Arn"]}
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}
        assert schedule["Target"]["RetryPolicy"].keys() == {
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
        }
        assert schedule["ScheduleExpressionTimezone"] == {"Ref": "ScheduleTimeZone"}


def _target(schedule: Properties) -> str:
    """Return the logical id of the function that a schedule starts, in this stack or from it."""
    arn = schedule["Target"]["Arn"]
    if "Fn::GetAtt" in arn:
        return str(arn["Fn::GetAtt"][0])
    return str(arn["Fn::ImportValue"]["Fn::Sub"].rpartition("-")[2].removesuffix("Arn"))


def _schedules(path: Path) -> list[Any]:
    template = template_of(path)
    return [
        pytest.param(template, resource["Properties"], id=f"{path.stem}-{id_}")
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]


SCHEDULES = [schedule for path in TEMPLATES for schedule in _schedules(path)]


def _event(template: Properties, schedule: Properties, **values: str) -> Any:
    rules = {} if template is not expanded() else {"TaggingRules": RULES}
    text = with_values(schedule["Target"]["Input"], template, **rules | values)
    placeholder = "<aws.scheduler.scheduled-time>"
    assert placeholder in text
    return json.loads(text.replace(placeholder, "2026-11-21T03:00:00Z"))


@pytest.mark.parametrize(("template", "schedule"), SCHEDULES)
def test_every_schedule_sends_an_event_that_the_chore_takes(
    template: Properties, schedule: Properties
) -> None:
    request = parse_request(REQUESTS[_target(schedule)], _event(template, schedule))

    assert request.scheduled_time is not None


@pytest.mark.parametrize("limit", ["MinValue", "MaxValue"])
@pytest.mark.parametrize(("template", "schedule"), SCHEDULES)
def test_the_chore_takes_every_number_that_a_parameter_allows(
    template: Properties, schedule: Properties, limit: str
) -> None:
    for name, parameter in template["Parameters"].items():
        if limit in parameter:
            event = _event(template, schedule, **{name: str(parameter[limit])})
            parse_request(REQUESTS[_target(schedule)], event)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (TEMPLATE, REQUESTS.keys() - SCHEDULED_BY_OTHERS),
        (EXTRA_POLICY, {"SnapshotFunction", "RetentionFunction"}),
        (EXTRA_TAGGING, {"TaggingFunction"}),
        (EXTRA_FLEET, {"FleetFunction"}),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_every_chore_with_a_policy_is_scheduled(path: Path, expected: set[str]) -> None:
    targets = {_target(each.values[1]) for each in _schedules(path)}

    assert targets == expected


def test_schedules_follow_the_stacks_mode_and_freshness_only_reports() -> None:
    modes = {
        id_: _event(expanded(), schedule).get("mode")
        for id_, schedule in properties("AWS::Scheduler::Schedule").items()
    }

    assert modes.pop("SnapshotFunctionFreshness") == "report"
    assert set(modes.values()) == {None}


def test_schedules_send_what_the_parameters_say() -> None:
    made = properties("AWS::Scheduler::Schedule")
    snapshot = _event(expanded(), made["SnapshotFunctionDaily"], SnapshotMaxAgeHours="31")
    retention = _event(
        expanded(),
        made["RetentionFunctionDaily"],
        **{f"RetentionKeep{word}": str(n) for n, word in enumerate(KEEP_WORDS)},
        RetentionOrphansKeepDays="21",
        RetentionMaxCount="22",
        RetentionMaxPercent="23",
        SnapshotPricePerGiBMonth="0.24",
    )
    alerts = _event(expanded(), made["AlertsFunctionOften"], RemindCriticalHours="7")
    tagging = _event(
        expanded(),
        made["TaggingFunctionDaily"],
        TaggingRules=RULES,
        TaggingOwnerKey="team:owner",
        TaggingOwners='{"web-team": "arn:aws:sns:eu-west-1:123456789012:web-team"}',
        TaggingGraceHours="11",
        TaggingStops="on",
        TaggingStopAfterDays="12",
        TaggingMaxCount="13",
        TaggingMaxPercent="14",
    )

    assert snapshot["max_age_hours"] == 31
    assert list(retention["keep"].values()) == list(range(len(KEEP_WORDS)))
    assert retention["orphans_keep_days"] == 21
    assert retention["blast_radius"] == {"count": 22, "percent": 23}
    assert retention["price_per_gib_month"] == 0.24
    assert alerts["remind_critical_hours"] == 7
    tagging.pop("scheduled_time")
    assert tagging == {
        "policy": "default",
        "rules": json.loads(RULES),
        "owner_key": "team:owner",
        "owners": {"web-team": "arn:aws:sns:eu-west-1:123456789012:web-team"},
        "grace_hours": 11,
        "stop_after_days": 12,
        "blast_radius": {"count": 13, "percent": 14},
    }
    assert _event(expanded(), made["TaggingFunctionDaily"], TaggingRules="")["rules"] == {}


def _probe(**parameters: str) -> Any:
    schedule = properties("AWS::Scheduler::Schedule")["UptimeFunctionProbe"]
    return _event(expanded(), schedule, **parameters)


@pytest.mark.parametrize(
    ("networks", "sent"),
    [
        ("", []),
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.0.0.0/8,fd12:3456::/48", ["10.0.0.0/8", "fd12:3456::/48"]),
    ],
)
def test_a_probe_is_sent_what_the_parameters_say(networks: str, sent: list[str]) -> None:
    plain = _probe(UptimePrivateNetworks=networks)
    given = _probe(UptimePrivateNetworks=networks, UptimeTargets="s3://a-bucket/web/targets.json")

    assert {**plain, "scheduled_time": None} == {
        "policy": "default",
        "discover": True,
        "targets_from": None,
        "private_networks": sent,
        "scheduled_time": None,
    }
    assert given == {**plain, "targets_from": "s3://a-bucket/web/targets.json"}
    for event in (plain, given):
        parse_request(UptimeRequest, event)


def _poll(**parameters: str) -> Any:
    schedule = properties("AWS::Scheduler::Schedule")["InstanceHealthFunctionPoll"]
    return _event(expanded(), schedule, **parameters)


def test_a_poll_is_sent_what_the_parameters_say() -> None:
    windows = [{"start": "02:00", "duration_minutes": 90, "zone": "Europe/Dublin"}]
    repairs = {"polls": 3, "ladders": {"instance": ["page", "reboot"]}}
    plain = _poll()
    given = _poll(
        InstanceHealthGroupBy="Service",
        InstanceHealthMaintenance=json.dumps(windows),
        InstanceHealthRepairs=json.dumps(repairs, indent=1),
    )

    assert plain.keys() == given.keys()
    assert {**plain, "scheduled_time": None} == {
        "policy": "default",
        "group_by": None,
        "maintenance_windows": [],
        "repairs": {},
        "scheduled_time": None,
    }
    assert given["group_by"] == "Service"
    assert given["maintenance_windows"] == windows
    assert given["repairs"] == repairs
    for event in (plain, given):
        request = parse_request(InstanceHealthRequest, event)
        assert (request.group_by, request.lease_scope) == (event["group_by"], "")


@pytest.mark.parametrize(("id_", "chore"), POLLS.items())
def test_a_poll_that_comes_too_late_to_be_the_next_is_not_started(id_: str, chore: str) -> None:
    schedule = properties("AWS::Scheduler::Schedule")[id_]
    shortest = SECONDS_BETWEEN_RUNS[f"{chore}Function"]

    assert written()["Parameters"][f"{chore}Schedule"]["Default"] == "rate(1 minute)"
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= shortest
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


@pytest.mark.parametrize("chore", POLLS.values())
def test_a_poll_that_hangs_ends_before_its_silence_is_an_alarm(chore: str) -> None:
    longest = functions()[f"{chore}Function"]["Timeout"]

    assert longest <= written()["Parameters"][f"{chore}HeartbeatMinutes"]["MinValue"] * 60


def test_no_mark_is_planned_where_the_stack_stops_no_instances() -> None:
    made = properties("AWS::Scheduler::Schedule")["TaggingFunctionDaily"]

    days = {each: _event(expanded(), made, TaggingStops=each) for each in ("on", "off")}

    assert {each: event["stop_after_days"] for each, event in days.items()} == {"on": 7, "off": 0}


def test_what_changes_others_things_only_reports_unless_asked_to_act() -> None:
    modes = {id_: environment(id_)["CARETAKER_MODE"] for id_ in functions()}

    assert modes == {
        "SnapshotFunction": {"Ref": "SnapshotMode"},
        "RetentionFunction": {"Ref": "RetentionMode"},
        "TaggingFunction": {"Ref": "TaggingMode"},
        "InstanceHealthFunction": {"Ref": "InstanceHealthMode"},
        "UptimeFunction": {"Ref": "UptimeMode"},
        "ServiceRepairFunction": {"Ref": "UptimeMode"},
        "RestoreFunction": {"Ref": "RestoreMode"},
        "DrillFunction": {"Ref": "DrillMode"},
        "AlertsFunction": Mode.ACT,
        "FleetFunction": {"Ref": "FleetMode"},
    }
    shipped = {
        name: each["Default"]
        for name, each in written()["Parameters"].items()
        if each.get("AllowedValues") == [*Mode]
    }
    only_add = {"DrillMode", "SnapshotMode"}
    assert {name for name, mode in shipped.items() if mode == Mode.ACT} == only_add
    told = {ref["Ref"] for ref in modes.values() if isinstance(ref, dict)}
    assert told == shipped.keys() | {"FleetMode"}
    assert written()["Parameters"]["FleetMode"]["Default"] == "off"


def test_every_function_has_a_failure_destination_and_its_retries_spelled_out() -> None:
    configured = {
        config["FunctionName"]["Ref"]: config
        for config in properties("AWS::Lambda::EventInvokeConfig").values()
    }

    assert configured.keys() == functions().keys()
    for config in configured.values():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == QUEUE
        assert 0 <= config["MaximumRetryAttempts"] <= 2


def test_no_event_waits_until_it_is_of_no_more_use() -> None:
    waits = {
        config["FunctionName"]["Ref"]: config["MaximumEventAgeInSeconds"]
        for config in properties("AWS::Lambda::EventInvokeConfig").values()
    }

    assert waits.keys() == MAY_WAIT_SECONDS.keys()
    for function, seconds in waits.items():
        assert seconds < MAY_WAIT_SECONDS[function]
        assert seconds <= 6 * 3600, "Lambda keeps no event longer"


def test_a_run_of_the_alerts_chore_is_over_before_the_next() -> None:
    (schedule,) = (
        each
        for each in properties("AWS::Scheduler::Schedule").values()
        if _target(each) == "AlertsFunction"
    )

    assert written()["Parameters"]["AlertsSchedule"]["Default"] == "rate(5 minutes)"
    assert functions()["AlertsFunction"]["Timeout"] < SECONDS_BETWEEN_RUNS["AlertsFunction"]
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] < 300
