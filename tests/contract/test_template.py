"""What the template promises, asserted on what SAM makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from caretaker import settings
from caretaker.settings import Mode
from caretaker.tags import MANAGED_BY
from tests.contract.template import (
    ROOT,
    TEMPLATES,
    deployed,
    environment,
    expanded,
    functions,
    properties,
    resources,
    role_of,
    texts,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


NAME = re.compile(
    r"(Bucket|Table|Topic|Queue|Function|Role|LogGroup|Alarm|Layer|Policy|StateMachine)?Name"
)

NAMES_THAT_MAY_BE_FIXED = {
    (
        "AWS::IAM::Policy",
        "PolicyName",
    ): "an inline policy's name has to be unique in its role alone",
    ("AWS::Lambda::Permission", "FunctionName"): "tells which function, names nothing",
    ("AWS::Lambda::EventInvokeConfig", "FunctionName"): "tells which function, names nothing",
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


OF_SOME_FUNCTIONS = {
    settings.CARETAKER_KMS_KEY_ARNS: {"InstanceHealthFunction", "RestoreFunction"},
    settings.CARETAKER_PRIVATE_NETWORKS: {"UptimeFunction"},
    settings.CARETAKER_INSTANCE_REPAIRS: {"UptimeFunction"},
    settings.CARETAKER_SERVICE_REPAIRS: {"UptimeFunction"},
    settings.CARETAKER_SSM_DOCUMENTS: {"ServiceRepairFunction"},
    settings.CARETAKER_RESTORE_MACHINE: {"RestoreFunction"},
    settings.CARETAKER_DRILL_JUDGE: {"DrillFunction"},
    settings.CARETAKER_FLEET_CHORES: {"FleetFunction"},
    settings.CARETAKER_FLEET_MACHINE: {"FleetFunction"},
}
"""Settings that these functions alone have a use for; the others take them for empty."""


@pytest.mark.parametrize("function", functions())
def test_environment_equals_the_settings(function: str) -> None:
    known = {
        value for name, value in vars(settings).items() if name.startswith("CARETAKER_") and value
    } - {name for name, owners in OF_SOME_FUNCTIONS.items() if function not in owners}
    given = environment(function)

    assert {name for name in given if name.startswith("CARETAKER_")} == known
    assert given.keys() - known == {
        "MALLOC_TRIM_THRESHOLD_",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
    }


def test_repairs_are_asked_for_at_the_functions_of_this_stack() -> None:
    given = environment("UptimeFunction")
    asked = {
        settings.CARETAKER_INSTANCE_REPAIRS: "InstanceHealthFunction",
        settings.CARETAKER_SERVICE_REPAIRS: "ServiceRepairFunction",
    }

    assert {name: given[name] for name in asked} == {
        name: {"Fn::GetAtt": [function, "Arn"]} for name, function in asked.items()
    }


@pytest.mark.parametrize(
    ("function", "setting", "parameter"),
    [
        ("UptimeFunction", settings.CARETAKER_PRIVATE_NETWORKS, "UptimePrivateNetworks"),
        ("ServiceRepairFunction", settings.CARETAKER_SSM_DOCUMENTS, "UptimeDocuments"),
        ("RestoreFunction", settings.CARETAKER_KMS_KEY_ARNS, "KmsKeyArns"),
    ],
)
def test_what_a_list_opens_is_known_to_the_function_that_is_held_to_it(
    function: str, setting: str, parameter: str
) -> None:
    assert environment(function)[setting] == {"Fn::Join": [",", {"Ref": parameter}]}


SUBNETS, GROUPS = {"Ref": "UptimeSubnetIds"}, {"Ref": "UptimeSecurityGroupIds"}


@pytest.mark.parametrize(("ipv6", "is_allowed"), [("off", False), ("on", True)])
def test_uptime_alone_runs_in_a_vpc_and_only_where_subnets_are_given(
    ipv6: str, *, is_allowed: bool
) -> None:
    given = {"UptimeSubnetIds": "subnet-0a1b2c3d", "UptimeSecurityGroupIds": "sg-0a1b2c3d"}
    made = deployed(**given, UptimeIpv6=ipv6)["Resources"]
    inside = {id_: made[id_]["Properties"].get("VpcConfig") for id_ in functions()}

    assert {id_ for id_, place in inside.items() if place} == {"UptimeFunction"}
    assert inside["UptimeFunction"] == {
        "SubnetIds": SUBNETS,
        "SecurityGroupIds": GROUPS,
        "Ipv6AllowedForDualStack": is_allowed,
    }
    for id_ in functions():
        assert "VpcConfig" not in deployed(UptimeIpv6=ipv6)["Resources"][id_]["Properties"]


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


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
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

    topics = properties("AWS::SNS::Topic")
    assert {id_: topic["KmsMasterKeyId"] for id_, topic in topics.items()} == dict.fromkeys(
        topics, key
    )
    assert resources("AWS::KMS::Key")["TopicsKey"]["Condition"] == "MakesTopicsKey"


@pytest.mark.parametrize(
    ("parameter", "topic", "variable"),
    [
        ("UrgentTopic", "UrgentAlertsTopic", settings.CARETAKER_URGENT_TOPIC),
        ("ChatTopic", "ChatAlertsTopic", settings.CARETAKER_CHAT_TOPIC),
        ("PagerTopic", "PagerAlertsTopic", settings.CARETAKER_PAGER_TOPIC),
    ],
)
def test_an_optional_topic_exists_and_is_known_only_when_it_is_on(
    parameter: str, topic: str, variable: str
) -> None:
    for switch, expected in {"off": "", "on": {"Ref": topic}}.items():
        made = deployed(**{parameter: switch})
        for id_ in functions():
            given = made["Resources"][id_]["Properties"]["Environment"]["Variables"]
            assert given[variable] == expected
        assert (topic in made["Resources"]) == (switch == "on")
        assert (f"{parameter}Arn" in made["Outputs"]) == (switch == "on")
        for kind in ("Resources", "Outputs"):
            mentioned = {"Ref": topic} in list(_references(made[kind]))
            assert mentioned == (switch == "on")


def _references(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        if value.keys() == {"Ref"}:
            yield value
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, set()),
        ({"AlertsEmail": "a@example.com"}, {"AlertsEmailSubscription"}),
        ({"WatchdogEmail": "a@example.com"}, {"WatchdogEmailSubscription"}),
        ({"UrgentTopic": "on"}, set()),
        ({"UrgentPhone": "+15550100123", "UrgentEmail": "a@example.com"}, set()),
        ({"UrgentTopic": "on", "UrgentPhone": "+15550100123"}, {"UrgentPhoneSubscription"}),
        ({"UrgentTopic": "on", "UrgentEmail": "a@example.com"}, {"UrgentEmailSubscription"}),
    ],
    ids=str,
)
def test_people_are_subscribed_where_both_address_and_topic_are_given(
    given: dict[str, str], made: set[str]
) -> None:
    resources = deployed(**given)["Resources"]

    assert {id_ for id_ in resources if id_.endswith("Subscription")} == made


def test_recycle_bin_keeps_deleted_snapshots_of_this_installation_in_either_mode() -> None:
    (rule,) = properties("AWS::Rbin::Rule").values()

    assert rule["ResourceType"] == "EBS_SNAPSHOT"
    assert rule["ResourceTags"] == [
        {
            "ResourceTagKey": MANAGED_BY,
            "ResourceTagValue": environment("RetentionFunction")[settings.CARETAKER_INSTALLATION],
        }
    ]
    assert rule["RetentionPeriod"] == {
        "RetentionPeriodUnit": "DAYS",
        "RetentionPeriodValue": {"Ref": "RecycleBinDays"},
    }
    for mode in Mode:
        assert "RecycleBinRule" in deployed(RetentionMode=mode)["Resources"]
    assert "RecycleBinRule" not in deployed(RecycleBinDays=0)["Resources"]
