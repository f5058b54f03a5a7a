"""What may be asked, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import Target, parse_request
from functions.service_repair.request import ServiceRepairRequest
from tests.unit.functions.service_repair.building import DOCUMENT, ECS, ID, INCIDENT, SSM, ask

ASKED: dict[str, Any] = {**ECS, "incident": INCIDENT, "target": "shop"}


def wrong(event: dict[str, Any]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        parse_request(ServiceRepairRequest, event)
    assert refused.value.reason == "event_invalid"
    return {error["path"] for error in refused.value.errors}


def test_a_service_and_an_instance_are_what_budgets_are_of() -> None:
    assert ask(ECS).lease_scope == "prod/web"
    assert ask(SSM).lease_scope == ID
    assert parse_request(ServiceRepairRequest, {}).lease_scope == ""


def test_a_document_has_parameters_if_any() -> None:
    asked = ask({"ssm_document": {**SSM["ssm_document"], "parameters": {"unit": "web"}}}).repair
    assert asked
    assert asked.ssm_document
    assert (asked.ssm_document.name, asked.ssm_document.parameters) == (DOCUMENT, {"unit": "web"})


@pytest.mark.parametrize(
    ("repair", "path"),
    [
        ({**ASKED, **SSM}, "repair"),
        ({"incident": INCIDENT, "target": "shop"}, "repair"),
        ({**ECS, "target": "shop"}, "repair.incident"),
        ({**ECS, "incident": INCIDENT}, "repair.target"),
        ({**ASKED, "incident": "with blank"}, "repair.incident"),
        ({**ASKED, "target": "with blank"}, "repair.target"),
        ({**ASKED, "ecs_service": {"cluster": "prod"}}, "repair.ecs_service.service"),
        (
            {**ASKED, "ecs_service": {"cluster": "prod", "service": "a/b"}},
            "repair.ecs_service.service",
        ),
        ({**ASKED, "force": True}, "repair.force"),
    ],
)
def test_a_wrong_repair_is_refused_by_its_path(repair: dict[str, Any], path: str) -> None:
    assert wrong({"repair": repair}) == {path}


@pytest.mark.parametrize(
    "bounds",
    [
        {"repairs_per_day": 3},
        {"repairs_per_day": -1},
        {"at_once": 0},
        {"at_once": 4},
        {"settle_minutes": 2},
        {"cooldown_minutes": 14},
    ],
)
def test_the_bounds_hold_whatever_is_asked_for(bounds: dict[str, int]) -> None:
    (name,) = bounds
    assert wrong({"repairs": bounds}) == {f"repairs.{name}"}


@pytest.mark.parametrize("target", [{"account": "123456789012"}, {"region": "eu-west-1"}])
def test_nothing_is_repaired_in_other_accounts_or_regions(target: dict[str, str]) -> None:
    assert wrong({"target": target}) == {"target"}


def test_a_target_that_names_no_place_is_where_the_stack_is() -> None:
    assert parse_request(ServiceRepairRequest, {"target": {}}).target == Target()


def test_a_run_on_the_same_resource_spares_another() -> None:
    assert ask().is_spared_by("2026-11-21T02:59Z", "2026-11-21T03:00Z")
    only_looks = parse_request(ServiceRepairRequest, {})
    assert not only_looks.is_spared_by("2026-11-21T02:59Z", "2026-11-21T03:00Z")
    assert only_looks.is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:00Z")
