"""What the template promises, asserted on what SAM makes of it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from caretaker import settings
from functions.snapshot.request import ONE, SET, SnapshotRequest
from tests.contract.template import (
    EXTRA_POLICY,
    ROOT,
    TEMPLATE,
    as_list,
    environment,
    expanded,
    functions,
    properties,
    resources,
    role_of,
    texts,
    with_defaults,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

STATE = {"Fn::If": ["IsEnabled", "ENABLED", "DISABLED"]}
NAME = re.compile(r"(Bucket|Table|Topic|Queue|Function|Role|LogGroup|Alarm|Layer|Policy)?Name")
QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}

NAMES_THAT_MAY_BE_FIXED = {
    (
        "AWS::IAM::Policy",
        "PolicyName",
    ): "an inline policy's name has to be unique in its role alone",
    ("AWS::Lambda::Permission", "FunctionName"): "tells which function, names nothing",
    ("AWS::Lambda::EventInvokeConfig", "FunctionName"): "tells which function, names nothing",
}


def test_every_schedule_and_rule_stops_with_enabled() -> None:
    timers = properties("AWS::Scheduler::Schedule") | properties("AWS::Events::Rule")

    assert timers
    assert {id_: timer.get("State") for id_, timer in timers.items()} == dict.fromkeys(
        timers, STATE
    )


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


def test_every_rule_keeps_what_it_cannot_deliver() -> None:
    for rule in properties("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": QUEUE}
            assert target["RetryPolicy"].keys() == {
                "MaximumEventAgeInSeconds",
                "MaximumRetryAttempts",
            }


def test_rules_start_the_snapshot_chore_for_both_kinds_of_failed_snapshots_alone() -> None:
    patterns = [rule["EventPattern"] for rule in properties("AWS::Events::Rule").values()]

    assert [each["source"] for each in patterns] == [["aws.ec2"]] * len(patterns)
    assert {each["detail-type"][0]: each["detail"] for each in patterns} == {
        ONE: {"event": ["createSnapshot"], "result": ["failed"]},
        SET: {"event": ["createSnapshots"], "result": ["failed"]},
    }


def test_only_rules_of_this_stack_may_call_a_function() -> None:
    rules = properties("AWS::Events::Rule")
    for permission in properties("AWS::Lambda::Permission").values():
        rule, attribute = permission["SourceArn"]["Fn::GetAtt"]

        assert permission["Principal"] == "events.amazonaws.com"
        assert (rule in rules, attribute) == (True, "Arn")


def _schedule_inputs(path: Path) -> list[Any]:
    template = expanded() if path == TEMPLATE else written(path)
    return [
        pytest.param(with_defaults(resource["Properties"]["Target"]["Input"], template), id=id_)
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]


@pytest.mark.parametrize("text", [*_schedule_inputs(TEMPLATE), *_schedule_inputs(EXTRA_POLICY)])
def test_every_schedule_sends_an_event_that_the_chore_takes(text: str) -> None:
    placeholder = "<aws.scheduler.scheduled-time>"

    assert placeholder in text
    event = json.loads(text.replace(placeholder, "2026-11-21T03:00:00Z"))
    assert SnapshotRequest.model_validate(event).scheduled_time is not None


def test_daily_schedule_follows_the_stacks_mode_and_freshness_only_reports() -> None:
    inputs = {
        id_: json.loads(with_defaults(schedule["Target"]["Input"], expanded()))
        for id_, schedule in properties("AWS::Scheduler::Schedule").items()
    }

    assert "mode" not in inputs["SnapshotFunctionDaily"]
    assert inputs["SnapshotFunctionFreshness"]["mode"] == "report"
    assert {each["max_age_hours"] for each in inputs.values()} == {
        written()["Parameters"]["SnapshotMaxAgeHours"]["Default"]
    }


def test_every_function_has_a_role_and_a_log_group_of_its_own() -> None:
    roles = [role_of(id_) for id_ in functions()]
    groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions().values()]

    assert len(set(roles)) == len(roles)
    assert len(set(groups)) == len(groups)
    for group in groups:
        retention = properties("AWS::Logs::LogGroup")[group]["RetentionInDays"]
        assert retention == {"Ref": "LogRetentionDays"}
    assert {function["LoggingConfig"]["LogFormat"] for function in functions().values()} == {"JSON"}


def test_every_function_has_a_failure_destination_and_its_retries_spelled_out() -> None:
    configured = {
        config["FunctionName"]["Ref"]: config
        for config in properties("AWS::Lambda::EventInvokeConfig").values()
    }

    assert configured.keys() == functions().keys()
    for config in configured.values():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == QUEUE
        assert 0 <= config["MaximumRetryAttempts"] <= 2


def test_no_event_waits_until_the_next_hourly_run() -> None:
    for config in properties("AWS::Lambda::EventInvokeConfig").values():
        assert config["MaximumEventAgeInSeconds"] < 3600


def test_every_function_runs_the_python_of_the_project_from_its_own_folder() -> None:
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    sources = {
        id_: r["Properties"]
        for id_, r in written()["Resources"].items()
        if r["Type"] == "AWS::Serverless::Function"
    }

    assert sources.keys() == functions().keys()
    for id_, source in sources.items():
        package = source["CodeUri"].replace("/", ".")
        build = written()["Resources"][id_]["Metadata"]["BuildProperties"]
        assert (ROOT / source["CodeUri"]).is_dir()
        assert source["Handler"] == f"{package}.app.lambda_handler"
        assert build == {"ParentPackageMode": "explicit", "ParentPackages": package}
        assert functions()[id_]["Runtime"] == f"python{version}"


def test_layer_is_built_for_the_architecture_of_the_functions() -> None:
    layer = written()["Resources"]["CommonLayer"]

    assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert layer["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
    assert written()["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]


def test_reserved_concurrency_is_none_unless_asked_for() -> None:
    assert written()["Parameters"]["ReservedConcurrency"]["Default"] == -1
    for function in functions().values():
        then = function["ReservedConcurrentExecutions"]["Fn::If"]
        assert (then[0], then[2]) == ("HasReservedConcurrency", {"Ref": "AWS::NoValue"})


@pytest.mark.parametrize("function", functions())
def test_environment_equals_the_settings(function: str) -> None:
    known = {
        value for name, value in vars(settings).items() if name.startswith("CARETAKER_") and value
    }
    given = environment(function)

    assert {name for name in given if name.startswith("CARETAKER_")} == known
    assert given.keys() - known == {
        "MALLOC_TRIM_THRESHOLD_",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
    }


def test_no_physical_name_is_fixed() -> None:
    fixed = [
        (id_, key)
        for id_, resource in expanded()["Resources"].items()
        for key, value in resource.get("Properties", {}).items()
        if NAME.fullmatch(key)
        and (resource["Type"], key) not in NAMES_THAT_MAY_BE_FIXED
        and not _differs_by_stack(value)
    ]

    assert fixed == []


def _differs_by_stack(name: object) -> bool:
    return any("AWS::StackName" in text for text in texts(name))


@pytest.mark.parametrize("path", [TEMPLATE, EXTRA_POLICY], ids=lambda path: path.name)
def test_partition_is_never_spelled_out(path: Path) -> None:
    assert re.findall(r"arn:aws[^:]*:\S*", path.read_text(encoding="utf-8")) == []


def test_retained_things_survive_delete_and_replacement() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    things = [r for r in expanded()["Resources"].values() if r["Type"] in kept]

    assert {thing["Type"] for thing in things} == kept
    for thing in things:
        assert (thing["DeletionPolicy"], thing["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_state_table_is_on_demand_recoverable_encrypted_and_expires() -> None:
    (table,) = properties("AWS::DynamoDB::Table").values()

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


def test_reports_bucket_is_private_encrypted_versioned_and_cleans_up() -> None:
    (bucket,) = properties("AWS::S3::Bucket").values()
    rules = bucket["LifecycleConfiguration"]["Rules"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert {key for rule in rules for key in rule} >= {
        "ExpirationInDays",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
        "ExpiredObjectDeleteMarker",
    }


def test_failure_queue_is_encrypted_and_keeps_messages_as_long_as_sqs_can() -> None:
    (queue,) = properties("AWS::SQS::Queue").values()

    assert queue == {"MessageRetentionPeriod": 14 * 24 * 3600, "SqsManagedSseEnabled": True}


def test_every_topic_is_encrypted_with_a_key_of_the_customer() -> None:
    key = {
        "Fn::If": ["MakesTopicsKey", {"Fn::GetAtt": ["TopicsKey", "Arn"]}, {"Ref": "TopicsKeyArn"}]
    }

    assert [t["KmsMasterKeyId"] for t in properties("AWS::SNS::Topic").values()] == [key, key]
    assert resources("AWS::KMS::Key")["TopicsKey"]["Condition"] == "MakesTopicsKey"


@pytest.mark.parametrize("path", [TEMPLATE, EXTRA_POLICY], ids=lambda path: path.name)
def test_every_parameter_is_described_limited_and_has_a_default_within_its_limits(
    path: Path,
) -> None:
    for name, parameter in written(path)["Parameters"].items():
        default = parameter["Default"]

        assert parameter["Description"].endswith("."), name
        if "AllowedValues" in parameter:
            assert default in parameter["AllowedValues"], name
        elif parameter["Type"] == "Number":
            assert parameter["MinValue"] <= default <= parameter["MaxValue"], name
        else:
            assert re.search(parameter["AllowedPattern"], default), name


def test_every_parameter_is_shown_in_one_group() -> None:
    groups = written()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(written()["Parameters"])


def test_every_parameter_is_used() -> None:
    used = set(texts({key: written()[key] for key in ("Conditions", "Globals", "Resources")}))
    placed = {name for text in used for name in re.findall(r"\$\{(\w+)}", text)}

    assert written()["Parameters"].keys() - used - placed == set()


def test_further_stacks_find_all_that_they_import() -> None:
    exported = {
        output["Export"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for output in expanded()["Outputs"].values()
        if "Export" in output
    }
    imported = set(
        re.findall(r"ImportValue: !Sub \$\{CaretakerStack}-(\w+)", EXTRA_POLICY.read_text("utf-8"))
    )

    assert imported == exported


def test_outputs_name_every_function_topic_table_bucket_and_queue() -> None:
    values = [output["Value"] for output in expanded()["Outputs"].values()]
    kinds = {"Lambda::Function", "SNS::Topic", "DynamoDB::Table", "S3::Bucket", "SQS::Queue"}

    for kind in kinds:
        for id_ in resources(f"AWS::{kind}"):
            assert {"Ref": id_} in values


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_install_page_names_every_parameter_and_output(section: str) -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")

    assert [name for name in written()[section] if f"`{name}`" not in page] == []


def test_install_page_shows_the_defaults_of_the_template() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    settings_table = page.partition("## Settings")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", settings_table, re.MULTILINE))

    for name, parameter in written()["Parameters"].items():
        default = parameter["Default"]
        assert shown[name] == ("empty" if default == "" else f"`{default}`")


def test_samconfig_has_three_tables_of_known_parameters_and_no_account() -> None:
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    tables = {k: v for k, v in tomllib.loads(text).items() if k != "version"}
    overrides = [
        override.partition("=")[0]
        for table in tables.values()
        for override in as_list(table["deploy"]["parameters"].get("parameter_overrides", []))
    ]

    assert set(tables) == {"default", "prod", "local"}
    assert set(overrides) <= written()["Parameters"].keys()
    assert not re.search(r"\d{12}|profile *=", text)
