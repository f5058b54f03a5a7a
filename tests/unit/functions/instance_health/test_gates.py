from __future__ import annotations

from typing import Any

import pytest

from functions.instance_health.facts import Cause, Machine, Reason
from functions.instance_health.gates import Next, next_step, rungs_for, rungs_of, why_untouched
from functions.instance_health.request import Rung
from tests.support.health import ID, a_case, a_ladder, a_machine, ask

REBOOT, STOP_START, PAGE = Rung
WHOLE = (REBOOT, REBOOT, STOP_START, PAGE)
GROUP = {"aws:autoscaling:groupName": "web"}
KEY = {"bad_keys": {ID: "a key is Disabled"}}


def next_of(
    machine: Machine, rungs: tuple[Rung, ...] = WHOLE, behind: int = 0, **known: Any
) -> Next:
    event = {"repairs": known.pop("repairs", {})}
    return next_step(machine, rungs, behind, a_case(event=event, **known))


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (a_machine(), None),
        (a_machine(remediate="reboot"), None),
        (a_machine(remediate=None), Reason.NOT_OPTED_IN),
        (a_machine(remediate="none"), Reason.OPTED_OUT),
        (a_machine(remediate=""), Reason.REMEDIATE_UNREADABLE),
        (a_machine(remediate="page"), Reason.REMEDIATE_UNREADABLE),
        (a_machine(remediate="Reboot"), Reason.REMEDIATE_UNREADABLE),
        (a_machine(remediate="stop-start "), Reason.REMEDIATE_UNREADABLE),
        (a_machine(is_managed=True), Reason.SERVICE_MANAGED),
        (a_machine(is_in_restore=True), Reason.RESTORE_OPEN),
        (a_machine(is_managed=True, remediate=None), Reason.SERVICE_MANAGED),
    ],
    ids=str,
)
def test_what_may_not_be_touched_has_no_next_step(machine: Machine, reason: Reason | None) -> None:
    assert why_untouched(machine) is reason
    if reason:
        assert next_of(machine) == Next(reason=reason)
        assert next_of(machine, behind=2) == Next(reason=reason)


def test_each_cause_has_its_ladder() -> None:
    ladders = {"instance": ["page"], "system": ["reboot"], "ebs": ["stop-start"]}
    request = ask(repairs={"ladders": ladders})

    found = {cause: rungs_for(cause, request, is_reboot=False) for cause in Cause}
    assert found == {
        Cause.INSTANCE: (PAGE,),
        Cause.SYSTEM: (REBOOT,),
        Cause.EBS: (STOP_START,),
        Cause.EVENT: (STOP_START, PAGE),
        Cause.ASKED: (PAGE,),
    }
    assert rungs_for(Cause.EVENT, request, is_reboot=True) == (REBOOT, PAGE)


def test_a_ladder_that_has_begun_keeps_to_its_cause() -> None:
    assert rungs_of(a_ladder(cause="event"), a_case()) == (REBOOT, PAGE)
    assert rungs_of(a_ladder("stop-start", cause="event"), a_case()) == (STOP_START, PAGE)
    assert rungs_of(a_ladder(), a_case()) == WHOLE


def test_the_rungs_follow_each_other() -> None:
    machine = a_machine()

    assert next_of(machine) == Next("reboot", 1, is_paged=False)
    assert next_of(machine, behind=1) == Next("reboot", 2, is_paged=False)
    assert next_of(machine, behind=2) == Next("stop-start", 3, is_paged=False)
    assert next_of(machine, behind=3) == Next(reason=Reason.LADDER_ENDED, is_paged=True)


def test_a_page_on_the_way_wakes_people_and_the_ladder_goes_on() -> None:
    rungs = (PAGE, REBOOT, PAGE, STOP_START)

    assert next_of(a_machine(), rungs) == Next("reboot", 2, is_paged=True)
    assert next_of(a_machine(), (REBOOT, PAGE)) == Next("reboot", 1, is_paged=False)


def test_what_allows_reboots_alone_is_never_stopped() -> None:
    machine = a_machine(remediate="reboot")

    assert next_of(machine, (STOP_START, PAGE)) == Next(reason=Reason.STEP_NOT_ALLOWED)
    assert next_of(machine, (STOP_START, REBOOT)).step == "reboot"
    assert next_of(machine, behind=2).reason is Reason.LADDER_ENDED


@pytest.mark.parametrize(
    ("fields", "known", "reason"),
    [
        ({"is_spot": True}, {}, Reason.SPOT),
        ({"has_ebs_root": False}, {}, Reason.INSTANCE_STORE),
        ({}, {"stores": frozenset({"t3.small"})}, Reason.INSTANCE_STORE),
        ({"public_address": "192.0.2.1"}, {}, Reason.ADDRESS_WOULD_CHANGE),
        ({}, KEY, Reason.KEY_UNUSABLE),
    ],
    ids=str,
)
def test_what_a_stop_would_lose_is_rebooted_and_not_stopped(
    fields: dict[str, Any], known: dict[str, Any], reason: Reason
) -> None:
    machine = a_machine(**fields)

    assert next_of(machine, **known).step == "reboot"
    assert next_of(machine, behind=2, **known) == Next(reason=reason)
    assert next_of(machine, (STOP_START, REBOOT), **known) == Next("reboot", 2, is_paged=False)


def test_the_first_reason_against_a_stop_is_told() -> None:
    machine = a_machine(is_spot=True, has_ebs_root=False, public_address="192.0.2.1")

    assert next_of(machine, (STOP_START,)).reason is Reason.SPOT


def test_an_address_may_be_lost_when_the_event_says_so() -> None:
    machine = a_machine(public_address="192.0.2.1")

    assert next_of(machine, (STOP_START,), repairs={"address_may_change": True}).step
    assert not next_of(machine, (STOP_START,), repairs={"address_may_change": False}).step


def test_a_key_of_another_or_a_type_of_another_is_no_reason() -> None:
    known: dict[str, Any] = {"bad_keys": {"i-2": "x"}, "stores": frozenset({"i3.large"})}

    assert next_of(a_machine(), (STOP_START,), **known).step == "stop-start"


@pytest.mark.parametrize("remediate", ["reboot", "stop-start"])
def test_a_member_of_a_group_is_replaced_once_and_nothing_else(remediate: str) -> None:
    member = a_machine(remediate=remediate, tags=GROUP, is_spot=True)

    assert next_of(member, (PAGE,)) == Next("replace", 1, is_paged=False)
    assert next_of(member, behind=1) == Next(reason=Reason.LADDER_ENDED)
