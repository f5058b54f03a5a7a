from __future__ import annotations

import pytest

from functions.instance_health.facts import Cause, Machine
from tests.support.health import ID, a_machine, a_status


@pytest.mark.parametrize(
    ("failed", "cause"),
    [
        ("", None),
        ("instance", Cause.INSTANCE),
        ("ebs", Cause.EBS),
        ("system", Cause.SYSTEM),
        ("system instance", Cause.SYSTEM),
        ("ebs instance", Cause.EBS),
        ("system ebs", Cause.SYSTEM),
        ("system ebs instance", Cause.SYSTEM),
    ],
)
def test_a_host_is_blamed_before_a_volume_and_that_before_the_machine(
    failed: str, cause: Cause | None
) -> None:
    assert a_status(ID, failed).cause is cause
    assert a_status(ID, failed).is_well is (cause is None)


@pytest.mark.parametrize("word", ["initializing", "insufficient-data", "not-applicable", "", "new"])
@pytest.mark.parametrize("check", ["system", "instance"])
def test_only_impaired_is_a_failed_check_and_only_ok_is_well(check: str, word: str) -> None:
    status = a_status(ID, check, word=word)

    assert status.cause is None
    assert not status.is_well
    assert status.is_unknown is (word == "insufficient-data")


@pytest.mark.parametrize(
    ("word", "is_well"),
    [
        ("ok", True),
        ("not-applicable", True),
        ("", True),
        ("impaired", False),
        ("initializing", False),
        ("insufficient-data", False),
    ],
)
def test_an_instance_may_have_no_volumes_that_are_checked(word: str, *, is_well: bool) -> None:
    assert a_status(ID, "ebs", word=word).is_well is is_well


def test_volumes_of_which_nothing_is_known_make_an_instance_unknown() -> None:
    assert a_status(ID, "ebs", word="insufficient-data").is_unknown
    assert not a_status().is_unknown


@pytest.mark.parametrize("state", ["pending", "stopping", "stopped", "shutting-down", "terminated"])
def test_one_that_does_not_run_is_neither_well_nor_impaired_nor_unknown(state: str) -> None:
    for word in ("impaired", "insufficient-data", "ok"):
        status = a_status(ID)
        object.__setattr__(status, "state", state)
        object.__setattr__(status, "system", word)
        assert (status.cause, status.is_well, status.is_unknown) == (None, False, False)


def test_a_machine_says_in_its_tags_what_it_is() -> None:
    machine = a_machine(tags={"Name": "db", "caretaker:expect": "running"})

    assert (machine.name, machine.remediate, machine.scaling_group) == ("db", "stop-start", "")
    assert machine.is_expected


@pytest.mark.parametrize("value", ["stopped", "Running", "", "true"])
def test_one_is_expected_to_run_by_that_word_alone(value: str) -> None:
    assert not a_machine(tags={"caretaker:expect": value}).is_expected


def test_a_member_of_a_group_is_not_expected_to_run() -> None:
    tags = {"caretaker:expect": "running", "aws:autoscaling:groupName": "web"}

    assert not a_machine(tags=tags).is_expected


def test_a_machine_without_tags_has_no_name_and_allows_nothing() -> None:
    bare = Machine(ID, "running", "a", "t3.small", a_machine().launched)

    assert (bare.name, bare.remediate, bare.scaling_group, bare.is_expected) == (
        "",
        None,
        "",
        False,
    )
    assert bare.has_ebs_root
