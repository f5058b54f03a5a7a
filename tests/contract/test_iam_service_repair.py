"""What the role of service repair may do, asked as IAM would be asked."""

from __future__ import annotations

import pytest

from caretaker import tags
from functions.service_repair.gates import _ON_INSTANCES, _ON_SERVICES
from tests.contract.iam import ACCOUNT, REGION, Request, is_allowed, statement_of
from tests.contract.template import as_list
from tests.contract.uptime_rights import (
    ACT,
    API,
    BACK,
    CHANGES,
    DOCUMENT,
    FIXER,
    OTHER_ACCOUNT,
    REPORT,
    RUNNING,
    SEND,
    SHELL,
    SHOP,
    STOP,
    UPDATE,
    VALUES,
    actions_of,
    may,
    rights_of,
)
from tests.support.tour import CALLED_BY


def _on(action: str, resource: str, value: str | None) -> Request:
    key = "ssm:resourceTag/" if action == SEND else "aws:ResourceTag/"
    return Request(action, resource, {} if value is None else {f"{key}{tags.REMEDIATE}": value})


@pytest.mark.parametrize(
    ("action", "opted_in"),
    [(UPDATE, {"restart"}), (STOP, {"restart"}), (SEND, {"restart", "reboot", "stop-start"})],
)
def test_what_is_restarted_is_what_its_tag_allows(action: str, opted_in: set[str]) -> None:
    resource = CHANGES[action]
    allowed = {
        value for value in (None, *VALUES) if is_allowed(ACT[FIXER], _on(action, resource, value))
    }

    assert allowed == opted_in


def test_iam_and_the_code_go_by_the_same_values_of_the_tag() -> None:
    sids = ("RestartOptedInServices", "StopTasksOfOptedInServices", "RunOnOptedInInstances")
    allowed = {
        sid: {
            value
            for keys in statement_of("ServiceRepairFunction", sid)["Condition"].values()
            for values in keys.values()
            for value in as_list(values)
        }
        for sid in sids
    }

    assert allowed == dict(zip(sids, (_ON_SERVICES, _ON_SERVICES, _ON_INSTANCES), strict=True))


@pytest.mark.parametrize(("action", "resource"), CHANGES.items())
def test_nothing_is_restarted_in_another_account_or_region(action: str, resource: str) -> None:
    for elsewhere in (
        resource.replace(ACCOUNT, OTHER_ACCOUNT),
        resource.replace(REGION, "us-east-1"),
    ):
        assert not is_allowed(ACT[FIXER], _on(action, elsewhere, "restart"))


@pytest.mark.parametrize(
    ("service", "is_restarted"),
    [(API, True), (BACK, True), (SHOP, False), (f"{API}2", False)],
)
def test_services_are_restarted_only_where_a_parameter_names_them(
    service: str, *, is_restarted: bool
) -> None:
    assert is_allowed(ACT[FIXER], _on(UPDATE, service, "restart")) is is_restarted
    assert UPDATE not in actions_of(rights_of(FIXER, UptimeDocuments=DOCUMENT))
    assert STOP not in actions_of(rights_of(FIXER, UptimeDocuments=DOCUMENT))


def test_documents_are_run_only_where_a_parameter_names_them() -> None:
    assert may(ACT[FIXER], SEND, DOCUMENT)
    for other in (SHELL, f"{DOCUMENT}2", DOCUMENT.replace(ACCOUNT, OTHER_ACCOUNT)):
        assert not may(ACT[FIXER], SEND, other)
    assert SEND not in actions_of(rights_of(FIXER, UptimeEcsServices=API))


@pytest.mark.parametrize(("action", "resource"), [*CHANGES.items(), (SEND, DOCUMENT)])
def test_in_report_mode_nothing_is_restarted(action: str, resource: str) -> None:
    assert not is_allowed(REPORT[FIXER], _on(action, resource, "restart"))


def test_in_report_mode_service_repair_reads_and_does_what_every_function_does() -> None:
    reading = actions_of(REPORT[FIXER]) - RUNNING

    assert reading == CALLED_BY["service_repair"] - CALLED_BY["alerts"] - CHANGES.keys()
    assert all(each.partition(":")[2].startswith(("Describe", "List")) for each in reading)
    assert actions_of(ACT[FIXER]) - actions_of(REPORT[FIXER]) == CHANGES.keys()
