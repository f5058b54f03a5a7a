"""Permissions equal the calls made: what tests/aws saw, and what AWS asks for beyond it."""

from __future__ import annotations

from tests.contract.template import allowed_actions
from tests.support.tour import CALLED, IMPLIED


def test_the_role_allows_what_is_called_or_implied_and_nothing_else() -> None:
    assert allowed_actions("SnapshotFunction") == CALLED | IMPLIED.keys()


def test_an_action_is_either_called_or_implied() -> None:
    assert not CALLED & IMPLIED.keys()


def test_every_implied_action_names_the_page_of_aws_that_asks_for_it() -> None:
    pages = set(IMPLIED.values())
    assert all(page.startswith("https://docs.aws.amazon.com/") for page in pages)
