from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag

keys = st.text(max_size=6) | st.builds(
    "{}{}".format, st.sampled_from(["aws:", tag.PREFIX]), st.text(max_size=4)
)
tag_sets = st.dictionaries(keys, st.text(max_size=3), max_size=60)


@pytest.mark.parametrize(
    ("tags", "ignored"),
    [
        ({}, False),
        ({tag.IGNORE: "true"}, True),
        ({tag.IGNORE: ""}, True),
        ({tag.IGNORE: "until friday"}, True),
        ({tag.IGNORE: "false"}, False),
        ({tag.IGNORE: " No "}, False),
        ({"Caretaker:Ignore": "true"}, False),
    ],
    ids=str,
)
def test_a_resource_is_ignored_unless_the_tag_says_no(
    tags: dict[str, str], *, ignored: bool
) -> None:
    assert tag.is_ignored(tags) is ignored


@pytest.mark.parametrize(
    ("value", "policies"),
    [("", set()), ("daily", {"daily"}), ("  daily   weekly ", {"daily", "weekly"})],
)
def test_policies_are_separated_by_spaces(value: str, policies: set[str]) -> None:
    assert tag.policies_of({tag.BACKUP: value}) == policies


def test_no_backup_tag_means_no_policy() -> None:
    assert tag.policies_of({}) == set()


def test_copies_the_keys_that_match_a_pattern_with_regard_to_case() -> None:
    tags = {"Name": "a", "team": "b", "tier": "c", "name": "d"}

    assert tag.copyable(tags, ["Name", "t??m"]) == {"Name": "a", "team": "b"}


def test_a_bracket_in_a_pattern_stands_for_itself() -> None:
    assert tag.copyable({"team[a]": "1", "teama": "2"}, ["team[a]"]) == {"team[a]": "1"}


@settings(max_examples=100, deadline=None)
@given(tag_sets, st.integers(0, 10))
def test_never_copies_reserved_keys_nor_more_than_fit(tags: dict[str, str], beside: int) -> None:
    copied = tag.fitting(tag.copyable(tags, ["*"]), beside=beside)

    assert not any(key.startswith(("aws:", tag.PREFIX)) for key in copied)
    assert len(copied) + beside <= tag.MAX_TAGS
    assert copied.items() <= tags.items()


@pytest.mark.parametrize(
    ("tags", "copyable"),
    [
        ({}, True),
        ({"Name": "a", tag.BACKUP: "daily"}, True),
        ({"Name": "a", tag.POLICY: "daily"}, False),
        ({"aws:autoscaling:groupName": "web"}, False),
        ({f"key-{n}": "" for n in range(44)}, True),
        ({f"key-{n}": "" for n in range(45)}, False),
        ({tag.BACKUP: "", **{f"key-{n}": "" for n in range(44)}}, False),
    ],
    ids=["none", "backup", "ours", "aws", "50 with ours", "51 with ours", "backup counts too"],
)
def test_ec2_may_copy_a_whole_set_only_when_all_of_it_may_come_along(
    tags: dict[str, str], *, copyable: bool
) -> None:
    assert tag.all_copyable(tags, ["*"], beside=6) is copyable


@pytest.mark.parametrize(
    ("sets", "shared"),
    [
        ([], {}),
        ([{"a": "1"}], {"a": "1"}),
        ([{"b": "2", "a": "1"}, {"a": "1", "b": "3"}], {"a": "1"}),
        ([{"a": "1"}, {}], {}),
    ],
)
def test_common_tags_have_the_same_key_and_value(
    sets: list[dict[str, str]], shared: dict[str, str]
) -> None:
    assert tag.common(sets) == shared
