"""What a run of a fleet leaves for the next one: how many cells were meant, and what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cloud.regions import ALWAYS_ENABLED
from tests.support.gathering import ENVIRONMENT, ONE, THREE, TWO, Look, grow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ORGANIZATION = {"organization": True}
BY_HAND: Mapping[str, Any] = {"scheduled_time": None}
NEXT: Mapping[str, Any] = {"scheduled_time": "2026-11-22T03:00:00Z"}


@pytest.fixture
def grown(cloud: StrictCloud) -> StrictCloud:
    """An organization of three members."""
    grow(cloud)
    return cloud


@pytest.fixture
def look(stack: Stack, grown: StrictCloud, monkeypatch: pytest.MonkeyPatch) -> Look:
    """A stack that names a role for other accounts, and writes down what it planned."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Look(stack, remembers=True)


def test_the_next_run_of_a_choice_knows_how_many_cells_the_last_one_had(look: Look) -> None:
    asked: dict[str, Any] = {"accounts": ORGANIZATION, "regions": {"enabled": True}}

    assert look.facts(**asked).before is None
    assert look.facts(**asked).before == 4 * len(ALWAYS_ENABLED)
    assert look.facts(accounts=ORGANIZATION).before is None
    assert look.facts(**asked, policy="another").before is None
    reordered = {"regions": {"enabled": True, "names": []}, "accounts": {"organization": True}}
    assert look.facts(**reordered).before == 4 * len(ALWAYS_ENABLED)


def test_what_is_written_down_is_how_many_cells_were_meant(look: Look, grown: StrictCloud) -> None:
    """Were it those alone that let us in, the choice could shrink a fifth each night, unseen."""
    grown.access.close(ONE)
    look.run(accounts=ORGANIZATION)

    assert look.plan is not None
    assert len(look.plan.cells) == 3
    assert look.facts(accounts=ORGANIZATION).before == 4


def test_an_account_that_lets_nobody_in_refuses_the_run_of_no_other(
    look: Look, grown: StrictCloud
) -> None:
    named = {"accounts": {"ids": [ONE, TWO, THREE]}}
    look.run(**named)
    grown.access.close(ONE)

    for _ in range(3):
        answer = look.run(**named)
        assert (answer["status"], answer["reason"]) == ("ok", None)
        assert look.plan is not None
        assert [cell.account for cell in look.plan.cells] == [TWO, THREE]


def test_a_fifth_fewer_accounts_than_the_last_time_refuse_the_run(
    look: Look, grown: StrictCloud
) -> None:
    look.run(accounts=ORGANIZATION)
    grown.organization.leave(ONE)

    answer = look.run(accounts=ORGANIZATION)

    assert (answer["status"], answer["reason"]) == ("refused", "fewer_cells")
    assert answer["errors"][0]["problem"] == "3 cells, 4 in the last run of the same choice"
    assert look.plan is not None
    approved = look.run(accounts=ORGANIZATION, approve=look.plan.id)
    assert (approved["status"], approved["reason"]) == ("ok", None)
    assert look.facts(accounts=ORGANIZATION).before == 3


def test_the_usual_choice_is_that_of_the_schedule_s_last_run(look: Look) -> None:
    assert not look.sees_as_usual(accounts=ORGANIZATION), "nothing was planned before"
    assert look.sees_as_usual(accounts=ORGANIZATION, **NEXT)

    changed = {"accounts": ORGANIZATION, "regions": {"names": ["us-east-1"]}}
    assert not look.sees_as_usual(**changed, **NEXT)
    assert look.sees_as_usual(**changed)
    assert not look.sees_as_usual(accounts=ORGANIZATION), "there is one for each policy"


@pytest.mark.parametrize(
    "how", [BY_HAND, {"mode": "report"}, {"again": 2}], ids=["by hand", "report", "again"]
)
def test_a_few_accounts_that_a_person_asks_for_twice_are_not_the_usual_choice(
    look: Look, how: Mapping[str, Any]
) -> None:
    """Whoever looks at three accounts knows nothing of what is open in 497 others."""
    look.run(accounts=ORGANIZATION)

    for _ in range(3):
        assert not look.sees_as_usual(accounts={"ids": [ONE]}, **how)
    assert look.sees_as_usual(accounts=ORGANIZATION, **NEXT)


def test_what_a_person_asks_of_the_usual_choice_is_usual(look: Look) -> None:
    look.run(accounts=ORGANIZATION)
    assert look.sees_as_usual(accounts=ORGANIZATION, **BY_HAND)


def test_another_policy_has_a_usual_choice_of_its_own(look: Look) -> None:
    look.run(accounts=ORGANIZATION)
    assert not look.sees_as_usual(accounts=ORGANIZATION, policy="another")
    assert look.sees_as_usual(accounts=ORGANIZATION, **NEXT)


def test_a_run_that_was_refused_leaves_nothing_for_the_next(look: Look, grown: StrictCloud) -> None:
    look.run(accounts=ORGANIZATION)
    for account in (ONE, TWO):
        grown.access.close(account)
    assert look.run(accounts={"ids": [ONE, TWO]})["status"] == "refused"

    assert look.sees_as_usual(accounts=ORGANIZATION, **NEXT)
    grown.access.reopen(ONE)
    assert look.facts(accounts={"ids": [ONE, TWO]}).before is None


def test_a_state_table_out_of_reach_leaves_only_what_it_holds_out(
    look: Look, grown: StrictCloud
) -> None:
    look.run(accounts=ORGANIZATION)
    grown.faults.add("internal_error", service="dynamodb", operation="Query", times=None)

    facts = look.facts(accounts=ORGANIZATION)
    assert (facts.before, look.usual) == (None, False)
    assert len(facts.reaches) == 4
