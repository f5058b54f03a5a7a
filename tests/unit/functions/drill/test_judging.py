"""Checksums of blocks, and what the user's function answers."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.drill.checksums import crc32, crc32c, flaw_of_block, inverted
from functions.drill.facts import Flaw
from functions.drill.judgement import read_judgement

BLOCK = b"b" * 4096
RIGHT = b64encode(sha256(BLOCK).digest()).decode()


def test_crc32c_is_that_of_rfc_3720() -> None:
    assert inverted(crc32c(b"123456789")) == 0xE3069283
    assert inverted(crc32c(bytes(32))) == 0x8A9136AA
    assert inverted(crc32c(b"\xff" * 32)) == 0x62A8AB43


def test_crc32_is_that_of_ieee() -> None:
    assert inverted(crc32(b"123456789", 0xFFFFFFFF)) == 0xCBF43926


@pytest.mark.parametrize(
    ("data", "checksum", "algorithm", "flaw"),
    [
        (BLOCK, RIGHT, "SHA256", None),
        (BLOCK[:-1], RIGHT, "SHA256", Flaw.BLOCK_SHORT),
        (BLOCK + b"b", RIGHT, "SHA256", Flaw.BLOCK_SHORT),
        (b"c" + BLOCK[1:], RIGHT, "SHA256", Flaw.CHECKSUM_WRONG),
        (BLOCK, RIGHT.lower(), "SHA256", Flaw.CHECKSUM_WRONG),
        (BLOCK, "", "SHA256", Flaw.CHECKSUM_UNKNOWN),
        (BLOCK, RIGHT, "", Flaw.CHECKSUM_UNKNOWN),
        (BLOCK, RIGHT, "CRC", Flaw.CHECKSUM_UNKNOWN),
    ],
)
def test_a_block_is_held_against_its_checksum(
    data: bytes, checksum: str, algorithm: str, flaw: Flaw | None
) -> None:
    assert flaw_of_block(data, 4096, checksum, algorithm) == flaw


def test_a_clear_yes_proves() -> None:
    verdict = read_judgement(b'{"proven": true, "message": "12 tables"}', "")
    assert (verdict.is_proven, verdict.message) == (True, "12 tables")


@pytest.mark.parametrize(
    ("answer", "error", "flaw"),
    [
        (b'{"proven": false, "message": "no rows"}', "", Flaw.NOT_PROVEN),
        (b'{"errorMessage": "boom"}', "Unhandled", Flaw.JUDGE_FAILED),
        (b'{"proven": true}', "Handled", Flaw.JUDGE_FAILED),
        (b'{"proven": "true"}', "", Flaw.JUDGE_UNCLEAR),
        (b'{"proven": 1}', "", Flaw.JUDGE_UNCLEAR),
        (b"{}", "", Flaw.JUDGE_UNCLEAR),
        (b"true", "", Flaw.JUDGE_UNCLEAR),
        (b"null", "", Flaw.JUDGE_UNCLEAR),
        (b"", "", Flaw.JUDGE_UNCLEAR),
        (b"\xff\xfe", "", Flaw.JUDGE_UNCLEAR),
        (b"[" * 60_000, "", Flaw.JUDGE_UNCLEAR),
        (b'{"proven": true, "message": "' + b"x" * 70_000 + b'"}', "", Flaw.JUDGE_UNCLEAR),
    ],
)
def test_anything_else_does_not(answer: bytes, error: str, flaw: Flaw) -> None:
    verdict = read_judgement(answer, error)
    assert (verdict.is_proven, verdict.problem) == (False, flaw)


def test_a_message_is_one_line_of_bounded_length() -> None:
    said = json.dumps({"proven": True, "message": "a\n\tb\x07" + "c" * 1000}).encode()
    message = read_judgement(said, "").message
    assert message.startswith("a b c")
    assert len(message) == 300
    assert message.isprintable()


@given(st.binary(max_size=200), st.text(max_size=20))
def test_no_answer_makes_it_fail(answer: bytes, error: str) -> None:
    assert read_judgement(answer, error).message.isprintable()
