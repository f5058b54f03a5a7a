"""The role in member accounts, as CloudFormation would make it of member-role.yaml."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tests.contract.iam import ACCOUNT, STACK
from tests.contract.template import (
    NO_VALUE,
    ROOT,
    chore_of,
    functions,
    role_of,
    statements,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caretaker.rights import Rights
    from tests.contract.template import Properties

MEMBER_ROLE: Final = ROOT / "member-role.yaml"
HUB: Final = "111111111111"
ORGANIZATION: Final = "o-a1b2c3d4e5"
EXTERNAL_ID: Final = "a-secret-name"
KEY: Final = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
REQUIRED: Final = {
    "HubAccountId": HUB,
    "HubStackName": STACK,
    "OrganizationId": ORGANIZATION,
    "ExternalId": EXTERNAL_ID,
}
MODES: Final = ("SnapshotMode", "RetentionMode", "TaggingMode", "InstanceHealthMode", "DrillMode")
EVERYTHING: Final = dict.fromkeys(MODES, "act") | {"TaggingStops": "on", "KmsKeyArns": KEY}

OF_THE_HUB: Final = {
    "KeepState": "the state table is the stack's",
    "SendAlerts": "its topics are",
    "EncryptAlerts": "and their key",
    "ReportFailures": "its queue is",
    "SendTraces": "its functions' traces are",
    "WriteLogs": "and their logs",
    "WriteReports": "its bucket is",
    "WorkElsewhere": "what is taken on takes on no other",
    "ContinueOwnRun": "a function invokes itself",
    "TellOwners": "owners hear through topics that the stack is given",
    "ReadTagsOfThisAccount": "Organizations answers no member",
    "AskTheJudge": "the judge is a function beside the stack",
    "RefuseStateOfOthers": "a wall around the stack's table",
}
"""Statements of the stack's own roles that no other account has any part in, each with why."""

FLEET: Final = "fleet"
CHORES: Final = {
    chore_of(function): role_of(function)
    for function in functions()
    if any(each["Sid"] == "WorkElsewhere" for each in statements(role_of(function)))
    and chore_of(function) != FLEET
}
"""The roles of the chores that work in other accounts; the fleet sends them there, and itself reads
which regions there are."""
RIGHTS: Final[dict[str, Rights]] = {
    chore: import_module(f"functions.{chore}.rights").RIGHTS for chore in (*CHORES, FLEET)
}
BY_NAME: Final = "aws:userid"
"""What a session is known by: the role's id, a colon, and the session's name."""


def made(**parameters: str) -> dict[str, Properties]:
    """Return the properties of all that the template makes, by logical id, values in place."""
    template = written(MEMBER_ROLE)
    given = {
        name: each["Default"] for name, each in template["Parameters"].items() if "Default" in each
    }
    values = given | REQUIRED | parameters
    known = {
        name: values[name].split(",") if each["Type"] == "CommaDelimitedList" else values[name]
        for name, each in template["Parameters"].items()
    } | {"AWS::AccountId": ACCOUNT, "AWS::NoValue": NO_VALUE, "AWS::Partition": "aws"}
    truths = {name: _is_true(each, template, known) for name, each in _conditions(template)}
    return {
        id_: _settled(each["Properties"], known, truths)
        for id_, each in template["Resources"].items()
        if truths[each.get("Condition", _ALWAYS)]
    }


def policies(**parameters: str) -> dict[str, list[Properties]]:
    """Return the statements of every policy that the role has, by the policy's name."""
    resources = made(**parameters)
    inline = {
        each["PolicyName"]: each["PolicyDocument"]["Statement"]
        for each in resources["MemberRole"]["Policies"]
    }
    managed = {
        id_: each["PolicyDocument"]["Statement"]
        for id_, each in resources.items()
        if id_ != "MemberRole"
    }
    return inline | managed


def allowing(**parameters: str) -> list[Properties]:
    """Return all statements of the role."""
    return [each for listed in policies(**parameters).values() for each in listed]


def trust(**parameters: str) -> Properties:
    """Return who may take the role."""
    document: Properties = made(**parameters)["MemberRole"]["AssumeRolePolicyDocument"]
    return document


def chore_in(statement: Properties) -> str:
    """Return the chore whose sessions a statement is for; every one is for one chore's."""
    name: str = statement["Condition"]["StringLike"][BY_NAME]
    before, _, chore = name.rpartition("caretaker-")
    assert before == "*:"
    return chore


_ALWAYS: Final = ""


def _conditions(template: Properties) -> Iterator[tuple[str, Any]]:
    yield _ALWAYS, {"Fn::Equals": ["", ""]}
    yield from template["Conditions"].items()


def _is_true(condition: Properties, template: Properties, known: Mapping[str, Any]) -> bool:
    ((kind, inner),) = condition.items()
    match kind:
        case "Condition":
            return _is_true(template["Conditions"][inner], template, known)
        case "Fn::Not":
            return not _is_true(inner[0], template, known)
        case "Fn::And":
            return all(_is_true(each, template, known) for each in inner)
        case _:
            one, other = (_settled(each, known, {}) for each in inner)
            return bool(one == other)


def _settled(value: Any, known: Mapping[str, Any], truths: Mapping[str, bool]) -> Any:
    match value:
        case {"Ref": str(name)}:
            return known.get(name, name)
        case {"Fn::If": [str(name), then, otherwise]}:
            return _settled(then if truths[name] else otherwise, known, truths)
        case {"Fn::Join": [str(separator), listed]}:
            return separator.join(_settled(listed, known, truths))
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)}", lambda match: str(known[match[1]]), text)
    return _parts_settled(value, known, truths)


def _parts_settled(value: Any, known: Mapping[str, Any], truths: Mapping[str, bool]) -> Any:
    if isinstance(value, dict):
        each = {key: _settled(inner, known, truths) for key, inner in value.items()}
        return {key: inner for key, inner in each.items() if inner != NO_VALUE}
    if isinstance(value, list):
        settled = (_settled(inner, known, truths) for inner in value)
        return [inner for inner in settled if inner != NO_VALUE]
    return value
