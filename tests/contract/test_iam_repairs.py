"""What the roles of uptime and service repair have in common: report mode, and room."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.contract.tagging_requests import is_tagging
from tests.contract.template import (
    allowed_actions,
    deployed,
    environment,
    properties,
    statements,
    written,
)
from tests.contract.uptime_rights import (
    API,
    DOCUMENT,
    EVERYTHING,
    FIXER,
    KEY,
    PROBER,
    SECRET,
    rights_of,
)

if TYPE_CHECKING:
    from tests.contract.template import Properties

MAX_INLINE_POLICIES: Final = 10_240
"""Characters, without blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""


@pytest.mark.parametrize("role", [PROBER, FIXER])
def test_without_a_parameter_it_only_reports(role: str) -> None:
    reporting = {s["Sid"] for s in statements(role, deployed(UptimeMode="report"))}

    assert {s["Sid"] for s in statements(role, deployed())} == reporting


@pytest.mark.parametrize("function", ["UptimeFunction", "ServiceRepairFunction"])
def test_neither_writes_a_tag_nor_takes_on_another_role(function: str) -> None:
    allowed = allowed_actions(function)

    assert not [action for action in allowed if is_tagging(action)]
    assert "sts:AssumeRole" not in allowed


@pytest.mark.parametrize(
    ("parameter", "most", "longest"),
    [
        ("UptimeSecretArns", 30, SECRET.replace("web/probe", "p" * 40)),
        ("KmsKeyArns", 20, f"{KEY}b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"),
        ("UptimeEcsServices", 20, f"{API}{'a' * 60}"),
        ("UptimeDocuments", 10, f"{DOCUMENT}{'a' * 60}"),
    ],
)
def test_as_many_as_a_parameter_speaks_of_fit_into_the_roles(
    parameter: str, most: int, longest: str
) -> None:
    room = {"UptimeSecretArns": {"KmsKeyArns": ",".join([longest] * 20)}}
    given = {**EVERYTHING, **room.get(parameter, {}), parameter: ",".join([longest] * most)}

    assert f"at most {most} " in written()["Parameters"][parameter]["Description"]
    for role in (PROBER, FIXER):
        own = {s["Sid"] for p in properties("AWS::IAM::Role")[role]["Policies"] for s in _each(p)}
        text = [s for s in rights_of(role, **given) if s["Sid"] in own]
        assert len(json.dumps(text, separators=(",", ":"))) < 0.9 * MAX_INLINE_POLICIES


def _each(policy: Properties) -> list[Properties]:
    """Return the statements of a policy, also of one that a condition makes."""
    inner = policy["Fn::If"][1] if "Fn::If" in policy else policy
    listed = inner["PolicyDocument"]["Statement"]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in listed]


def test_environments_hold_as_much_as_the_parameters_speak_of() -> None:
    networks = ["2001:0db8:0a1b:2c3d:4e5f:6071:8293:a4b5/128"] * 50
    documents = [f"{DOCUMENT}{'a' * 116}"] * 10

    assert "At most 50 " in written()["Parameters"]["UptimePrivateNetworks"]["Description"]
    assert len(",".join(networks)) < 4096 * 0.6, "Lambda's environment holds 4 KB in all"
    assert len(",".join(documents)) < 4096 * 0.6
    assert environment("UptimeFunction").keys() >= {"CARETAKER_PRIVATE_NETWORKS"}
