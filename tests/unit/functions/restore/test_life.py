"""Whatever happens on the way: no original is lost, nothing stays stopped, nothing is left over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from functions.restore.journal import Ending
from tests.support.restore_life import Life
from tests.support.restore_state import LOST, Faults
from tests.support.restoring import OLD, a_journal
from tests.unit.functions.restore.living import FINAL, is_over

many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PASSING = ["", LOST, "InternalError", "IncorrectState", "Unavailable"]
NO_ROOM = ["InsufficientInstanceCapacity", "InsufficientVolumeCapacity", "VolumeLimitExceeded"]
CHANGES = ["create_volume", "stop_instances", "detach_volume", "attach_volume", "start_instances"]
CHANGES += ["modify_instance_attribute", "create_tags", "delete_volume"]


def refusals(codes: list[str], actions: list[str] = CHANGES) -> st.SearchStrategy[Any]:
    each = st.lists(st.sampled_from(codes), max_size=6).map(tuple)
    return st.dictionaries(st.sampled_from(actions), each, max_size=4)


def some_faults(**odd: Any) -> st.SearchStrategy[Faults]:
    return st.builds(
        Faults,
        **{
            "fates": st.lists(st.sampled_from(["available", "error", ""]), max_size=8).map(tuple),
            "making": st.sampled_from([5.0, 60.0, 900.0]),
            "late": st.sampled_from([0.0, 1.0, 4.0]),
            "unlisted": st.sampled_from([0.0, 3.0, 60.0]),
            "stuck": st.frozensets(st.integers(1, 6), max_size=2),
            "starts": st.lists(st.sampled_from(["running", "stopped"]), max_size=5).map(tuple),
            "refused": refusals(PASSING + NO_ROOM),
            "health": st.sampled_from(["ok", "ok", "impaired"]),
        }
        | odd,
    )


killings = st.frozensets(st.integers(1, 150), max_size=6)


def test_without_any_fault_all_is_restored() -> None:
    for runs in (True, False):
        life = Life(runs=runs)

        assert is_over(life) is Ending.RESTORED
        assert len(life.ec2.deleted) == 0
        replaced = {life.ec2.state.vols[each].tags.get(tag.REPLACED_BY) for each in OLD}
        assert replaced == {part.new for part in life.journal.parts}


@many
@given(faults=some_faults(), runs=st.booleans(), minutes=st.sampled_from([0, 10]), kills=killings)
def test_whatever_passes_ends_well_or_as_it_was(
    *, faults: Faults, runs: bool, minutes: int, kills: frozenset[int]
) -> None:
    journal = a_journal(turned=None, check_minutes=minutes)
    life = Life(faults, kills, journal, runs=runs)

    assert is_over(life) in {Ending.RESTORED, Ending.ROLLED_BACK}


@st.composite
def what_passes(draw: st.DrawFn) -> Faults:
    """Return faults of which none may keep anything from being restored."""
    refused = draw(refusals(PASSING + NO_ROOM))
    needless = ["create_tags", "delete_volume", "modify_instance_attribute"]
    spare = draw(refusals([*PASSING, *FINAL], needless))
    return draw(
        some_faults(
            fates=st.lists(st.sampled_from(["error", ""]), max_size=2).map(tuple),
            stuck=st.just(frozenset()),
            starts=st.sampled_from([(), ("stopped",), ("stopped", "stopped")]),
            refused=st.just(refused | spare),
            health=st.just("ok"),
        )
    )


@many
@given(faults=what_passes(), runs=st.booleans(), kills=killings)
def test_what_passes_keeps_nothing_from_being_restored(
    *, faults: Faults, runs: bool, kills: frozenset[int]
) -> None:
    journal = a_journal(turned=None, check_minutes=10)

    assert is_over(Life(faults, kills, journal, runs=runs)) is Ending.RESTORED


@many
@given(faults=some_faults(refused=refusals([*PASSING, *FINAL])), runs=st.booleans(), kills=killings)
def test_what_ec2_refuses_for_good_ends_well_or_as_it_was(
    *, faults: Faults, runs: bool, kills: frozenset[int]
) -> None:
    assert is_over(Life(faults, kills, runs=runs)) in {Ending.RESTORED, Ending.ROLLED_BACK}


@many
@given(kills=killings, runs=st.booleans())
@example(kills=frozenset(range(1, 150, 2)), runs=True)
def test_a_killed_worker_and_another_one_come_to_the_same(
    *, kills: frozenset[int], runs: bool
) -> None:
    life = Life(kills=kills, runs=runs)

    assert is_over(life) is Ending.RESTORED
    assert life.ec2.made == 2


@pytest.mark.parametrize("runs", [True, False])
def test_a_worker_may_be_killed_anywhere_on_the_way_there(*, runs: bool) -> None:
    whole = Life(runs=runs)
    whole.live()

    for point in range(1, whole.points + 1):
        life = Life(kills=frozenset({point}), runs=runs)
        assert is_over(life) is Ending.RESTORED
        assert life.ec2.made == 2


@pytest.mark.parametrize(
    "faults",
    [
        Faults(fates=("available", "error", "error", "error")),
        Faults(fates=("available", "", "error", "")),
        Faults(stuck=frozenset({2})),
        Faults(starts=("stopped",) * 3),
        Faults(health="impaired"),
    ],
)
def test_a_worker_may_be_killed_anywhere_on_the_way_back(faults: Faults) -> None:
    journal = a_journal(turned=None, check_minutes=5)
    whole = Life(faults, journal=journal)
    assert is_over(whole) is Ending.ROLLED_BACK

    for point in range(1, whole.points + 1, 5):
        life = Life(faults, frozenset({point}), journal)
        assert is_over(life) in {Ending.ROLLED_BACK, Ending.RESTORED}


outsiders = st.lists(
    st.tuples(st.floats(0, 400), st.sampled_from(["stop", "start", "terminate"])), max_size=3
).map(tuple)


@many
@given(faults=some_faults(outside=outsiders), runs=st.booleans(), kills=killings)
def test_whoever_else_is_at_work_no_original_is_deleted_and_it_ends(
    *, faults: Faults, runs: bool, kills: frozenset[int]
) -> None:
    life = Life(faults, kills, runs=runs)
    journal = life.live()

    assert not {vol.id for vol in life.ec2.deleted} & set(OLD)
    assert all(vol.tags.get(tag.RUN) == journal.run_tag for vol in life.ec2.deleted)
    assert journal.ending
