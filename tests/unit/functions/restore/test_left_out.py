"""What a plan leaves out of an instance: it is shown, and the approval binds it."""

from __future__ import annotations

from typing import Any

from caretaker import tags as tag
from functions.restore.plan import Plan
from tests.support.restoring import (
    DATA,
    ID,
    OLD,
    ROOT,
    ZONE,
    a_backup,
    a_disk,
    a_machine,
    planned,
)


def left_out(plan: Plan) -> Any:
    (decision,) = plan.decisions
    return decision.detail.get("left_out")


def with_data(**data: Any) -> Plan:
    """Return the plan of an instance's root volume, beside another one."""
    fleet = (a_machine(), a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA, **data))
    select = {"instances": [ID], "exclude_tags": ["scratch"]}
    return planned(*fleet, a_backup(OLD[0]), event={"how": "swap", "select": select})


def test_a_plan_shows_the_disks_that_it_leaves_out_and_why() -> None:
    assert left_out(with_data(tags={tag.IGNORE: "true"})) == {OLD[1]: "ignored"}
    assert left_out(with_data(tags={"scratch": ""})) == {OLD[1]: "excluded"}
    backups = (a_backup(OLD[0]), a_backup(OLD[0], days=2), a_backup(OLD[1], days=9))
    lost = planned(*backups, event={"zone": ZONE})
    assert left_out(lost) == {OLD[1]: "not_in_newest_slots"}
    alone = planned(a_machine(), a_disk(OLD[0], ROOT), a_backup(OLD[0]))
    assert "left_out" not in alone.decisions[0].detail


def test_an_approval_holds_for_what_was_left_out_when_it_was_read() -> None:
    ignored, excluded = with_data(tags={tag.IGNORE: ""}), with_data(tags={"scratch": ""})
    alone = planned(a_machine(), a_disk(OLD[0], ROOT), a_backup(OLD[0]), event={"how": "swap"})

    assert len({plan.id for plan in (ignored, excluded, alone)}) == 3
    assert ignored.id == with_data(tags={tag.IGNORE: "true"}).id
