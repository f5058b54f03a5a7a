"""Permissions equal the calls made: what tests/aws saw, and what AWS asks for beyond it."""

from __future__ import annotations

import pytest

from tests.contract.template import allowed_actions, function_of, functions
from tests.support.tour import CALLED_BY, IMPLIED_FOR

CHORES = sorted(CALLED_BY)


def test_every_function_is_in_the_table() -> None:
    assert {function_of(chore) for chore in CHORES} == functions().keys()
    assert CALLED_BY.keys() == IMPLIED_FOR.keys()


@pytest.mark.parametrize("chore", CHORES)
def test_a_role_allows_what_is_called_or_implied_and_nothing_else(chore: str) -> None:
    allowed = allowed_actions(function_of(chore))

    assert allowed == CALLED_BY[chore] | IMPLIED_FOR[chore].keys()


@pytest.mark.parametrize("chore", CHORES)
def test_an_action_is_either_called_or_implied(chore: str) -> None:
    assert not CALLED_BY[chore] & IMPLIED_FOR[chore].keys()


@pytest.mark.parametrize("chore", CHORES)
def test_every_implied_action_names_the_page_of_aws_that_asks_for_it(chore: str) -> None:
    pages = set(IMPLIED_FOR[chore].values())

    assert all(page.startswith("https://docs.aws.amazon.com/") for page in pages)
