from __future__ import annotations

import pytest

from caretaker.ec2 import Snapshot
from tests.support.builders import ACCOUNT, NOW, a_snapshot, a_volume


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("1", 1), ("3", 3), ("", 1), ("x", 1), ("-2", 1), ("1.5", 1), ("²", 1)],
)
def test_an_attempt_that_is_no_number_is_the_first(text: str, attempt: int) -> None:
    assert a_snapshot(attempt=text).attempt == attempt


def test_a_snapshot_without_tags_is_of_no_slot_and_no_policy() -> None:
    bare = Snapshot("snap-00000001", "vol-00000001", "completed", NOW, ACCOUNT)

    assert (bare.slot, bare.policy, bare.attempt) == ("", "", 1)


def test_the_first_instance_is_the_same_in_any_order_of_attachments() -> None:
    assert a_volume(at=["i-2", "i-1"]).instance_ids == ("i-1", "i-2")
