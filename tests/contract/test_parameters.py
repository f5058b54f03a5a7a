"""Parameters, outputs and their pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.contract.template import (
    ROOT,
    TEMPLATE,
    TEMPLATES,
    as_list,
    expanded,
    resources,
    texts,
    written,
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
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


FOR_OTHER_CHORES = {"DrillFunctionArn", "InstanceHealthFunctionArn", "UptimeFunctionArn"}
"""Exports that no example imports: of the second, events ask for a repair; the others are targets
of schedules with other policies and targets."""


def test_further_stacks_find_all_that_they_import() -> None:
    exported = {
        output["Export"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for output in expanded()["Outputs"].values()
        if "Export" in output
    }
    imported = {
        name
        for path in TEMPLATES
        if path != TEMPLATE
        for name in re.findall(
            r"ImportValue: !Sub \$\{CaretakerStack}-(\w+)", path.read_text("utf-8")
        )
    }

    assert imported == exported - FOR_OTHER_CHORES
    assert exported >= FOR_OTHER_CHORES


def test_outputs_name_every_function_machine_topic_table_bucket_and_queue() -> None:
    values = [output["Value"] for output in expanded()["Outputs"].values()]
    kinds = {
        *("Lambda::Function", "StepFunctions::StateMachine", "SNS::Topic", "SQS::Queue"),
        *("DynamoDB::Table", "S3::Bucket"),
    }

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
        name
        for table in tables.values()
        for override in as_list(table["deploy"]["parameters"].get("parameter_overrides", []))
        for name in (override if isinstance(override, dict) else [override.partition("=")[0]])
    ]

    assert set(tables) == {"default", "prod", "local"}
    assert set(overrides) <= written()["Parameters"].keys()
    assert not re.search(r"\d{12}|profile *=", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_pass_cfn_lint(path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), path],
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("parameter", "given", "is_taken"),
    [
        ("TaggingRules", "", True),
        ("TaggingRules", '{"Owner": {"pattern": "[a-z]+${1}"}}', True),
        ("TaggingRules", '\n{"Owner":\n{}}\n', True),
        ("TaggingRules", '{"Owner": {"pattern": "(?P<name>a)"}}', False),
        ("TaggingRules", '["Owner"]', False),
        ("TaggingRules", "Owner", False),
        ("TaggingKeys", "*", True),
        ("TaggingKeys", "CostCenter", True),
        ("TaggingKeys", "team:*", True),
        ("TaggingKeys", "caretaker:stop-after", False),
        ("TaggingKeys", "Caretaker:*", False),
        ("TaggingKeys", "AWS:*", False),
        ("TaggingKeys", "", False),
        ("TaggingOwnerKey", "Owner", True),
        ("TaggingOwnerKey", 'Owner", "mode": "act', False),
        ("TaggingOwnerKey", "caretaker:owner", False),
        ("TaggingOwnerKey", "*", False),
        ("TaggingOwners", "{}", True),
        ("TaggingOwners", "", False),
        ("TaggingOwnerTopics", "", True),
        ("TaggingOwnerTopics", "arn:aws:sns:eu-west-1:123456789012:web-team", True),
        ("TaggingOwnerTopics", "arn:aws:sns:eu-west-1:123456789012:*", False),
        ("TaggingOwnerTopics", "*", False),
        ("InstanceHealthGroupBy", "", True),
        ("InstanceHealthGroupBy", "aws:autoscaling:groupName", True),
        ("InstanceHealthGroupBy", 'web", "mode": "act', False),
        ("InstanceHealthGroupBy", "web\\", False),
        ("InstanceHealthGroupBy", "${AWS::StackName}", False),
        ("InstanceHealthMaintenance", "[]", True),
        ("InstanceHealthMaintenance", '[{"start": "02:00", "duration_minutes": 60}]\n', True),
        ("InstanceHealthMaintenance", "", False),
        ("InstanceHealthMaintenance", "{}", False),
        ("InstanceHealthMaintenance", '[{"zone": "<aws.scheduler.schedule-arn>"}]', False),
        ("InstanceHealthRepairs", "{}", True),
        ("InstanceHealthRepairs", '{"polls": 3}', True),
        ("InstanceHealthRepairs", "", False),
        ("InstanceHealthRepairs", "[]", False),
        ("InstanceHealthRepairs", '{"polls": "<aws.scheduler.attempt-number>"}', False),
        ("UptimeTargets", "", True),
        ("UptimeTargets", "s3://a-bucket/web/targets.json", True),
        ("UptimeTargets", "s3://a-bucket/", False),
        ("UptimeTargets", "s3://a-bucket/*", False),
        ("UptimeTargets", "s3://*/targets.json", False),
        ("UptimeTargets", "s3://a-bucket/${aws:username}", False),
        ("UptimeTargets", 's3://a-bucket/a", "mode": "act', False),
        ("UptimeTargets", "s3://a-bucket/<aws.scheduler.schedule-arn>", False),
        ("UptimeTargets", "https://example.com/targets.json", False),
        ("UptimePrivateNetworks", "", True),
        ("UptimePrivateNetworks", "10.0.0.0/8", True),
        ("UptimePrivateNetworks", "fd12:3456:789a::/48", True),
        ("UptimePrivateNetworks", "10.0.0.1", False),
        ("UptimePrivateNetworks", '10.0.0.0/8", "a', False),
        ("UptimePrivateNetworks", "*", False),
        ("UptimeSecretArns", "", True),
        (
            "UptimeSecretArns",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:web/probe-AbCdEf",
            True,
        ),
        ("UptimeSecretArns", "arn:aws:ssm:eu-west-1:123456789012:parameter/web/token", True),
        ("UptimeSecretArns", "arn:aws:ssm:eu-west-1:123456789012:parameter/*", False),
        ("UptimeSecretArns", "arn:aws:ssm:eu-west-1:123456789012:document/restart", False),
        ("UptimeSecretArns", "arn:aws:kms:eu-west-1:123456789012:key/0a1b", False),
        ("UptimeSecretArns", "*", False),
        ("UptimeSubnetIds", "", True),
        ("UptimeSubnetIds", "subnet-0a1b2c3d4e5f60718", True),
        ("UptimeSubnetIds", "vpc-0a1b2c3d", False),
        ("UptimeSecurityGroupIds", "", True),
        ("UptimeSecurityGroupIds", "sg-0a1b2c3d", True),
        ("UptimeSecurityGroupIds", "default", False),
        ("UptimeEcsServices", "", True),
        ("UptimeEcsServices", "arn:aws:ecs:eu-west-1:123456789012:service/web/api", True),
        ("UptimeEcsServices", "arn:aws:ecs:eu-west-1:123456789012:service/web/*", True),
        ("UptimeEcsServices", "arn:aws:ecs:eu-west-1:123456789012:service/*", False),
        ("UptimeEcsServices", "arn:aws:ecs:eu-west-1:123456789012:service/*/api", False),
        ("UptimeEcsServices", "arn:aws:ecs:eu-west-1:123456789012:task/web/0a1", False),
        ("UptimeEcsServices", "*", False),
        ("UptimeDocuments", "", True),
        ("UptimeDocuments", "arn:aws:ssm:eu-west-1:123456789012:document/restart-web", True),
        ("UptimeDocuments", "arn:aws:ssm:eu-west-1:123456789012:document/*", False),
        ("UptimeDocuments", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", False),
        (
            "UptimeDocuments",
            "arn:aws:ssm:eu-west-1:123456789012:document/AWS-RunShellScript",
            False,
        ),
        ("UptimeDocuments", "*", False),
        ("DrillJudgeArn", "", True),
        ("DrillJudgeArn", "arn:aws:lambda:eu-west-1:123456789012:function:judge", True),
        ("DrillJudgeArn", "arn:aws:lambda:eu-west-1:123456789012:function:judge:live", True),
        ("DrillJudgeArn", "arn:aws:lambda:eu-west-1:123456789012:function:*", False),
        ("DrillJudgeArn", "arn:aws:lambda:eu-west-1:123456789012:function:judge:*", False),
        ("DrillJudgeArn", "arn:aws:lambda:eu-west-1:123456789012:function:${aws:userid}", False),
        ("DrillJudgeArn", "judge", False),
        ("DrillJudgeArn", "*", False),
        ("KmsKeyArns", "", True),
        ("KmsKeyArns", "arn:aws:kms:eu-west-1:123456789012:key/0a1b-2c", True),
        ("KmsKeyArns", "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-0a1b", True),
        ("KmsKeyArns", "arn:aws:kms:eu-west-1:123456789012:key/*", False),
        ("KmsKeyArns", "arn:aws:kms:eu-west-1:123456789012:alias/disks", False),
        ("KmsKeyArns", "*", False),
    ],
)
def test_parameters_of_rights_and_texts_take_what_is_meant_and_nothing_that_opens_more(
    parameter: str, given: str, *, is_taken: bool
) -> None:
    pattern = written()["Parameters"][parameter]["AllowedPattern"]

    assert (re.search(pattern, given) is not None) is is_taken


_SAM_PYTHON = ROOT / ".venvs" / "sam" / "bin" / "python"
_CONVERT = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(json.load(sys.stdin), None, None)))
"""


@pytest.mark.skipif(not _SAM_PYTHON.exists(), reason="the SAM CLI is not installed")
@pytest.mark.parametrize(
    "spelled",
    [["TaggingRules='%s'"], [{"TaggingRules": "%s"}], ["EnvironmentName=prod TaggingRules='%s'"]],
    ids=["shell", "samconfig", "in one text"],
)
def test_sam_cli_takes_rules_as_the_documents_spell_them(spelled: list[str]) -> None:
    rules = r"""{"Owner": {"values": ["web team", "\u0022db\u0022"], "pattern": "^\\d{4}$"}}"""
    given = json.dumps(spelled).replace("%s", json.dumps(rules)[1:-1])
    done = subprocess.run(
        [_SAM_PYTHON, "-c", _CONVERT],
        env={"SAM_CLI_TELEMETRY": "0"},
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["TaggingRules"] == rules
    assert json.loads(rules)["Owner"]["values"] == ["web team", '"db"']
