"""The calls of the chore are exactly those that its role was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.journey import tour
from tests.support.tour import CALLED

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack


@pytest.mark.usefixtures("lambda_knows_the_function")
def test_a_tour_through_every_path_calls_every_listed_action_and_no_other(
    stack: Stack, cloud: StrictCloud
) -> None:
    assert tour(stack, cloud) == CALLED
