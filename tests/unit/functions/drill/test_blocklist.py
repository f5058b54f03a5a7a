"""The list of a snapshot's blocks: is it whole, and is the sample fair."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.drill.blocklist import Block, BlockList, Page
from functions.drill.facts import Flaw
from functions.drill.reservoir import Reservoir

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = 512 * 1024
PER_GIB = 2048


def page(numbers: Iterable[int], *, gib: int = 1, size: int = SIZE) -> Page:
    return Page([Block(number, f"token-{number}") for number in numbers], gib, size)


def listed(*pages: Page, gib: int = 1, sample: int = 10) -> BlockList:
    made = BlockList("snap-1", gib, sample)
    for each in pages:
        made.add(each)
    return made


def test_a_whole_list_has_no_flaw() -> None:
    made = listed(page(range(1000)), page([]), page(range(1000, PER_GIB)))
    assert (made.flaw, made.count, made.volume_bytes) == (None, PER_GIB, 2**30)
    assert len(made.sample) == 10


def test_a_snapshot_of_an_empty_volume_is_whole() -> None:
    made = listed(page([]))
    assert (made.flaw, made.count, made.sample) == (None, 0, [])


@pytest.mark.parametrize(
    ("pages", "flaw"),
    [
        ([page([1, 1])], Flaw.LIST_NOT_ASCENDING),
        ([page([2, 1])], Flaw.LIST_NOT_ASCENDING),
        ([page([1, 2]), page([2, 3])], Flaw.LIST_NOT_ASCENDING),
        ([page([-1])], Flaw.LIST_NOT_ASCENDING),
        ([page([PER_GIB])], Flaw.LIST_BEYOND_VOLUME),
        ([page([1]), page([2, PER_GIB])], Flaw.LIST_BEYOND_VOLUME),
        ([page([1], gib=2)], Flaw.LIST_WRONG_SIZE),
        ([page([1]), page([2], gib=2)], Flaw.LIST_WRONG_SIZE),
        ([page([1], size=0)], Flaw.LIST_WRONG_SIZE),
        ([page([1], size=1000)], Flaw.LIST_WRONG_SIZE),
        ([page([1], size=2**40)], Flaw.LIST_WRONG_SIZE),
        ([page([1]), page([2], size=4096)], Flaw.LIST_CHANGED),
        ([page([])] * 200, Flaw.LIST_ENDLESS),
    ],
)
def test_a_list_that_cannot_be_whole_is_flawed(pages: list[Page], flaw: Flaw) -> None:
    assert listed(*pages).flaw == flaw


def test_the_first_flaw_stays() -> None:
    assert listed(page([2, 1]), page([3], gib=7)).flaw == Flaw.LIST_NOT_ASCENDING


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 300))
def test_a_sample_is_of_the_list_and_as_large_as_it_can_be(
    blocks: int, sample: int, cut: int
) -> None:
    cut = min(cut, blocks)
    made = listed(page(range(cut)), page(range(cut, blocks)), sample=sample)
    numbers = [block.number for block in made.sample]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(sample, blocks)
    assert made.sample == listed(page(range(blocks)), sample=sample).sample


def test_other_snapshots_are_sampled_elsewhere() -> None:
    samples = set()
    for name in range(20):
        made = Reservoir[int](f"snap-{name}", 8)
        for number in range(1000):
            made.offer(number)
        samples.add(tuple(sorted(made.kept)))
    assert len(samples) == 20


def test_each_block_has_the_same_chance() -> None:
    taken: Counter[int] = Counter()
    for name in range(1500):
        made = Reservoir[int](str(name), 10)
        for number in range(100):
            made.offer(number)
        taken.update(made.kept)
    assert len(taken) == 100
    assert 100 < min(taken.values()) <= max(taken.values()) < 210  # 150 +- 5 deviations


@given(st.sets(st.integers(0, PER_GIB - 1)))
def test_what_it_holds_is_what_was_listed(numbers: set[int]) -> None:
    made = listed(page(sorted(numbers)))
    for number in range(0, PER_GIB, 7):
        if made.holds(number):
            assert (made.find(number) is not None) == (number in numbers)
    assert made.holds(max(numbers, default=0)) or len(numbers) > 1024


def test_of_a_long_list_the_first_blocks_alone_are_held() -> None:
    made = listed(page(range(0, 4 * PER_GIB, 2), gib=4), gib=4)
    assert (made.holds(2046), made.holds(2048)) == (True, False)
    assert (made.find(2), made.find(3)) == (Block(2, "token-2"), None)
