"""The evaluator of policies answers as IAM does, or every test that stands on it means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.iam import Request, is_allowed, is_like

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = "aws:TagKeys"


def _allows(condition: Mapping[str, object], **context: str | tuple[str, ...]) -> bool:
    statement = {
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": "*",
        "Condition": condition,
    }
    told = {name.replace("_", ":"): value for name, value in context.items()}
    return is_allowed([statement], Request("ec2:CreateTags", "arn", told))


@pytest.mark.parametrize(
    ("operator", "keys", "expected"),
    [
        ("ForAllValues:StringEquals", ("a",), True),
        ("ForAllValues:StringEquals", ("a", "z"), False),
        ("ForAllValues:StringEquals", (), True),
        ("ForAllValues:StringNotLike", ("z",), True),
        ("ForAllValues:StringNotLike", ("z", "a"), False),
        ("ForAllValues:StringNotLike", (), True),
        ("ForAnyValue:StringLike", ("z", "a"), True),
        ("ForAnyValue:StringLike", ("z",), False),
        ("ForAnyValue:StringLike", (), False),
        ("ForAnyValue:StringNotEquals", ("z", "a"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("ForAnyValue:StringNotEquals", (), False),
        ("ForAnyValue:StringEquals", ("A",), False),
        ("ForAnyValue:StringEqualsIgnoreCase", ("A",), True),
    ],
)
def test_a_set_operator_looks_at_every_key_of_the_request(
    operator: str, keys: tuple[str, ...], *, expected: bool
) -> None:
    assert _allows({operator: {KEYS: ["a", "b"]}}, aws_TagKeys=keys) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, True),
        ({"Null": {KEYS: "false"}}, False),
        ({"Null": {KEYS: "true"}}, True),
    ],
)
def test_what_the_request_does_not_say_holds_for_null_and_for_not_alone(
    condition: Mapping[str, object], *, expected: bool
) -> None:
    assert _allows(condition) is expected


@pytest.mark.parametrize(
    ("source", "expected"), [("arn:f:one", True), ("arn:f:two", False), ("", False)]
)
def test_a_condition_on_an_arn_is_for_this_arn_and_not_for_none(
    source: str, *, expected: bool
) -> None:
    told = {"lambda_SourceFunctionArn": source} if source else {}

    assert _allows({"ArnEquals": {"lambda:SourceFunctionArn": "arn:f:one"}}, **told) is expected


@pytest.mark.parametrize(
    ("condition", "given", "expected"),
    [
        ({"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, "true", True),
        ({"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, "false", False),
        ({"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, "", True),
        ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, "", False),
    ],
)
def test_if_exists_asks_only_of_what_the_request_says(
    condition: Mapping[str, object], given: str, *, expected: bool
) -> None:
    told = {"kms_GrantIsForAWSResource": given} if given else {}

    assert _allows(condition, **told) is expected


def test_the_name_of_a_key_is_taken_in_any_case() -> None:
    assert _allows({"Null": {"AWS:tagkeys": "false"}}, aws_TagKeys=("a",))


def test_all_conditions_of_a_statement_hold_or_it_does_not_apply() -> None:
    both = {"ForAnyValue:StringLike": {KEYS: "a*"}, "ForAnyValue:StringNotEquals": {KEYS: "ab"}}

    assert not _allows(both, aws_TagKeys=("ab",))
    assert _allows(both, aws_TagKeys=("ab", "c"))


def test_a_denial_is_stronger_than_what_allows_and_silence_allows_nothing() -> None:
    allow = {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:bucket/*"}
    request = Request("s3:PutObject", "arn:bucket/key")

    assert is_allowed([allow], request)
    assert not is_allowed([allow, {**allow, "Effect": "Deny"}], request)
    assert not is_allowed([], request)
    assert not is_allowed([allow], Request("s3:PutObject", "arn:other/key"))
    assert not is_allowed([allow], Request("s3:GetObject", "arn:bucket/key"))


def test_an_unknown_operator_is_no_guess() -> None:
    with pytest.raises(KeyError):
        _allows({"NumericEquals": {KEYS: "1"}}, aws_TagKeys=("1",))


def test_brackets_and_dots_in_a_pattern_stand_for_themselves() -> None:
    assert is_like("a.b[c]", "a.b[?]")
    assert not is_like("axb[c]", "a.b[?]")
