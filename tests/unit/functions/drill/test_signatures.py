"""What real tools write at the start of a disk is told for what it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.drill.signatures import WINDOW, Signature, identify
from tests.support.disk_images import CHECKED, FILE_SYSTEMS, window

CHANGED_AT = {
    "ext4": 1024 + 0x78,
    "xfs": 40,
    "btrfs_crc32c": 0x10000 + 0x70,
    "btrfs_sha256": 0x10000 + 0x70,
    "btrfs_blake2": 0x10000 + 0x70,
    "lvm2": 512 + 40,
}
"""A byte of each superblock that its checksum covers."""


def flipped(data: bytes, *offsets: int) -> bytes:
    changed = bytearray(data)
    for offset in offsets:
        changed[offset] ^= 0x01
    return bytes(changed)


@pytest.mark.parametrize("name", FILE_SYSTEMS)
def test_what_a_real_tool_made_is_told(name: str) -> None:
    found = identify(window(name))
    assert found == Signature(FILE_SYSTEMS[name], True if name in CHECKED else None)


@pytest.mark.parametrize("name", CHANGED_AT)
def test_a_superblock_with_a_changed_byte_is_not_sound(name: str) -> None:
    found = identify(flipped(window(name), CHANGED_AT[name]))
    assert found == Signature(FILE_SYSTEMS[name], is_sound=False)


@pytest.mark.parametrize(
    ("features", "kind"),
    [
        ((0, 0x2, 0x1), "ext2"),
        ((0x4, 0x2 | 0x4 | 0x10, 0x1 | 0x2 | 0x4), "ext3"),
        ((0x4, 0x2 | 0x40, 0x1), "ext4"),
        ((0x4, 0x2 | 0x200, 0x1), "ext4"),
        ((0x4, 0x2, 0x1 | 0x10), "ext4"),
        ((0, 0x2 | 0x8, 0x1), "jbd"),
    ],
)
def test_its_features_tell_one_ext_from_another(features: tuple[int, int, int], kind: str) -> None:
    whole = bytearray(window("ext2"))
    for at, value in zip((0x5C, 0x60, 0x64), features, strict=True):
        whole[1024 + at : 1024 + at + 4] = value.to_bytes(4, "little")
    assert identify(bytes(whole)) == Signature(kind, None)


def test_one_sound_header_of_luks2_is_enough() -> None:
    first, second = 20, 0x4000 + 20
    whole = window("luks2")
    assert identify(flipped(whole, first)) == Signature("luks2", is_sound=True)
    assert identify(flipped(whole, second)) == Signature("luks2", is_sound=True)
    assert identify(flipped(whole, first, second)) == Signature("luks2", is_sound=False)


def test_luks2_is_known_by_its_second_header_alone() -> None:
    whole = window("luks2")
    assert identify(bytes(0x4000) + whole[0x4000:]) == Signature("luks2", is_sound=True)


def test_a_swap_that_an_instance_hibernates_in_is_still_a_swap() -> None:
    whole = window("swap").replace(b"SWAPSPACE2", b"S1SUSPEND\0")
    assert identify(whole) == Signature("swap", None)


def test_nothing_is_found_in_zeros() -> None:
    assert identify(bytes(WINDOW)) is None
    assert identify(b"") is None


def test_what_is_sound_is_told_before_what_is_not() -> None:
    both = bytearray(window("swap"))
    both[1024:1536] = flipped(window("ext4"), CHANGED_AT["ext4"])[1024:1536]
    found = identify(bytes(both))
    assert found == Signature("swap", None)


@given(st.sampled_from(sorted(FILE_SYSTEMS)), st.data())
def test_no_damage_makes_a_reader_fail(name: str, data: st.DataObject) -> None:
    whole = bytearray(window(name))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, 0x10FFF))
        junk = data.draw(st.binary(min_size=1, max_size=16))
        whole[at : at + len(junk)] = junk
    cut = data.draw(st.integers(0, WINDOW))
    found = identify(bytes(whole[:cut]))
    assert found is None or found.kind


@given(st.binary(max_size=4096), st.sampled_from([b"", *(b"LUKS\xba\xbe", b"XFSB", b"LABELONE")]))
def test_any_bytes_are_read(junk: bytes, start: bytes) -> None:
    identify(start + junk)


def test_a_window_full_of_ones_is_read_in_no_time() -> None:
    began = time.perf_counter()
    for _ in range(10):
        identify(b"\xff" * WINDOW)
    assert time.perf_counter() - began < 5
