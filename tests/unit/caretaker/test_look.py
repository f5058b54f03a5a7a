from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from weakref import WeakSet

import pytest

from caretaker.look import AT_ONCE, MAX_AGE_SECONDS, NEVER, LastLook
from tests.support.builders import FakeClock
from tests.support.retention import a_backup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.ec2 import Snapshot


class Thing:
    """Can be seen to be let go of."""


class Account:
    """Has snapshots, some of which are gone, and remembers what was asked of it."""

    def __init__(self, number: int, *, gone: Sequence[str] = ()) -> None:
        self.clock = FakeClock()
        self.ids = [f"snap-{n:08x}" for n in range(number)]
        self.gone = set(gone)
        self.asked: list[list[str]] = []
        self.takes_seconds = 0.0
        self.look = LastLook(self.ids, self.read, self.clock)

    def read(self, wanted: Sequence[str]) -> dict[str, Snapshot]:
        self.asked.append(list(wanted))
        self.clock.sleep(self.takes_seconds)
        return {each: a_backup(each) for each in wanted if each not in self.gone}


def test_sees_a_snapshot_as_it_is_now() -> None:
    account = Account(1)

    seen = account.look.at(account.ids[0])

    assert seen.item == a_backup(account.ids[0])
    assert seen.at == 0


def test_sees_that_a_snapshot_is_gone() -> None:
    account = Account(2, gone=["snap-00000001"])

    assert account.look.at("snap-00000001").item is None
    assert account.look.at("snap-00000000").item is not None


def test_reads_two_hundred_at_once_in_the_order_of_the_changes() -> None:
    account = Account(401)

    for each in account.ids:
        account.look.at(each)

    assert AT_ONCE == 200
    assert account.asked == [account.ids[:200], account.ids[200:400], account.ids[400:]]


def test_reads_from_the_snapshot_on_that_is_asked_for() -> None:
    account = Account(300)

    account.look.at(account.ids[150])

    assert account.asked == [account.ids[150:300]]


@pytest.mark.parametrize(("seconds", "readings"), [(59.9, 1), (60, 2)])
def test_reads_again_after_a_minute(seconds: float, readings: int) -> None:
    account = Account(1)
    account.look.at(account.ids[0])

    account.clock.sleep(seconds)
    account.look.at(account.ids[0])

    assert MAX_AGE_SECONDS == 60
    assert len(account.asked) == readings


def test_a_look_is_as_old_as_the_question_not_as_the_answer() -> None:
    account = Account(1)
    account.takes_seconds = 20

    seen = account.look.at(account.ids[0])
    account.clock.sleep(39.9)

    assert account.look.is_fresh(seen)
    account.clock.sleep(0.1)
    assert not account.look.is_fresh(seen)


def test_a_look_late_in_a_run_holds_for_a_minute_too() -> None:
    account = Account(1)
    account.clock.sleep(500)

    seen = account.look.at(account.ids[0])
    account.clock.sleep(59)

    assert account.look.is_fresh(seen)
    assert not account.look.is_fresh(NEVER)


def test_a_look_that_takes_too_long_is_of_no_use_to_a_change() -> None:
    account = Account(1)
    account.takes_seconds = 61

    assert not account.look.is_fresh(account.look.at(account.ids[0]))


def test_sees_what_has_changed_since() -> None:
    account = Account(2)
    account.look.at(account.ids[0])

    account.gone.add(account.ids[0])
    account.clock.sleep(61)

    assert account.look.at(account.ids[0]).item is None


def test_reads_one_again_that_is_to_be_forgotten() -> None:
    account = Account(3)
    account.look.at(account.ids[0])

    account.gone.add(account.ids[1])
    account.look.forget(account.ids[1])

    assert account.look.at(account.ids[0]).item is not None
    assert len(account.asked) == 1
    assert account.look.at(account.ids[1]).item is None
    assert account.asked[1] == account.ids[1:]


def test_forgets_what_it_never_saw() -> None:
    Account(1).look.forget("snap-00000000")


def test_what_was_seen_later_counts_for_the_rest_of_the_batch_too() -> None:
    account = Account(2)
    account.look.at(account.ids[0])
    account.clock.sleep(30)
    account.look.forget(account.ids[0])

    account.look.at(account.ids[0])

    assert account.look.at(account.ids[1]).at == 30


def test_keeps_what_is_still_fresh_beside_a_new_batch() -> None:
    account = Account(250)
    account.look.at(account.ids[0])
    account.clock.sleep(30)
    account.look.at(account.ids[249])

    account.look.at(account.ids[0])

    assert len(account.asked) == 2


def test_many_threads_read_each_batch_once() -> None:
    account = Account(1_000)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(account.look.at, account.ids))

    assert [s.item and s.item.id for s in seen] == account.ids
    assert sum(len(batch) for batch in account.asked) <= 1_000 + 8 * AT_ONCE
    assert account.asked[0][0] in account.ids


def test_a_reading_that_fails_is_tried_again_by_the_next() -> None:
    account = Account(1)
    read = account.read
    answers = [KeyError("down"), None]

    def fails_once(wanted: Sequence[str]) -> dict[str, Snapshot]:
        problem = answers.pop(0)
        if problem is not None:
            raise problem
        return read(wanted)

    look = LastLook(account.ids, fails_once, account.clock)

    with pytest.raises(KeyError, match="down"):
        look.at(account.ids[0])
    assert look.at(account.ids[0]).item is not None


def test_holds_on_to_what_is_fresh_alone() -> None:
    clock, held = FakeClock(), WeakSet[Thing]()
    ids = [f"i-{n}" for n in range(3 * AT_ONCE)]

    def read(wanted: Sequence[str]) -> dict[str, Thing]:
        things = {each: Thing() for each in wanted}
        held.update(things.values())
        return things

    look = LastLook(ids, read, clock)
    for first in (0, AT_ONCE):
        look.at(ids[first])
    assert len(held) == 2 * AT_ONCE

    clock.sleep(MAX_AGE_SECONDS)
    look.at(ids[-1])

    assert len(held) == 1


def test_one_that_was_forgotten_may_grow_stale_with_its_batch() -> None:
    account = Account(AT_ONCE + 1)
    account.look.at(account.ids[0])
    account.look.forget(account.ids[0])
    account.clock.sleep(61)

    assert account.look.at(account.ids[-1]).item is not None
    assert account.look.at(account.ids[0]).item is not None


def test_one_that_was_read_again_outlives_its_first_batch() -> None:
    account = Account(AT_ONCE + 1)
    account.look.at(account.ids[0])
    account.clock.sleep(59)
    account.look.forget(account.ids[0])
    account.look.at(account.ids[0])
    account.clock.sleep(2)
    account.look.at(account.ids[-1])
    calls = len(account.asked)

    account.look.at(account.ids[0])

    assert len(account.asked) == calls
