"""The journals, as they are written down and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from caretaker.aws.state import ConditionFailedError
from functions.restore.journal import Ending, Journal
from functions.restore.memory import Memory
from tests.support.builders import ACCOUNT, NOW
from tests.support.restore_life import Life, Table
from tests.support.restoring import ID, OLD, PLAN, a_journal, on_its_way_back, under_way

PLACE = f"{ACCOUNT}/eu-west-1"
FULL = on_its_way_back(
    check_minutes=5,
    starts=2,
    task="replacevol-1",
    tagged=OLD,
    left_over=("vol-9",),
    waiting_for="instance to stop",
    since=NOW,
    refused="start: InsufficientInstanceCapacity",
    refused_since=NOW,
    history=("03:00:00 goes back",),
)


def a_memory(*journals: Journal) -> tuple[Memory, Table]:
    life = Life()
    memory = Memory(life.run())
    if journals:
        memory.begin(PLAN, "daily", journals)
    return memory, life.table


@pytest.mark.parametrize(
    "journal", [a_journal(), under_way(), FULL, FULL.ends(Ending.LEFT, NOW)], ids=range(4)
)
def test_a_journal_is_read_back_as_it_was_written(journal: Journal) -> None:
    memory, _ = a_memory(journal)
    assert memory.journal(PLAN, ID) == journal

    written = memory.write(journal)
    assert memory.journal(PLAN, ID) == written == memory.journals(PLAN)[0]
    assert written == replace(journal, version=1, moved=NOW)


def test_one_that_was_never_written_is_none() -> None:
    memory, _ = a_memory(a_journal())

    assert memory.journal(PLAN, "i-00000009") is None
    assert memory.journals("p-fedcba9876543210") == []


def test_a_journal_of_an_older_version_is_read() -> None:
    memory, table = a_memory(FULL)
    item = table.items[f"journals#{PLACE}/{PLAN}", ID]
    document = json.loads(item["document"])
    for name in ("tagged", "left_over", "history", "refused_since", "ended", "ending", "task"):
        del document[name]
    item["document"] = json.dumps({**document, "colour": "red"})

    read = memory.journal(PLAN, ID)
    assert read
    assert (read.tagged, read.left_over, read.history, read.task) == ((), (), (), "")
    assert (read.parts, read.goal, read.is_open) == (FULL.parts, FULL.goal, True)


def test_one_whom_another_has_overtaken_writes_nothing() -> None:
    memory, table = a_memory(a_journal())
    other = Memory(replace_run(memory, "worker-2"))
    other.write(a_journal(starts=1))

    with pytest.raises(ConditionFailedError):
        memory.write(a_journal(starts=2))
    kept = memory.journal(PLAN, ID)
    assert kept
    assert (kept.starts, kept.version) == (1, 1)
    assert table.items[f"journals#{PLACE}/{PLAN}", ID]["writer"] == "worker-2"


def replace_run(memory: Memory, worker: str) -> Any:
    """Return the run of another worker with the same table."""
    run: Any = memory.run
    return type(run)(scene=replace(run.scene, run_id=worker), mode=run.mode, request=run.request)


def test_its_own_write_whose_answer_was_lost_is_known_as_its_own() -> None:
    memory, _ = a_memory(a_journal())

    memory.write(a_journal(starts=1))
    assert memory.write(a_journal(starts=1)).version == 1


def test_what_has_begun_is_open_and_keeps_its_snapshots_until_it_ends() -> None:
    memory, table = a_memory(a_journal())
    (restore,) = memory.restores()

    assert (restore.plan, restore.targets, restore.volumes) == (PLAN, (ID,), OLD)
    assert restore.snapshots == ("snap-00000001", "snap-00000002")
    assert (restore.started, restore.is_open, restore.pace) == (NOW, True, 1.0)
    item = table.items[f"restores#{PLACE}", PLAN]
    assert item["snapshots"] == "snap-00000001 snap-00000002"

    memory.end(restore, [])
    (over,) = memory.restores()
    assert (over.ended, over.is_open) == (NOW, False)
    assert table.items[f"restores#{PLACE}", PLAN]["snapshots"] == ""


def test_of_what_is_gone_no_volume_is_named() -> None:
    lost = replace(a_journal().parts[0], original="")
    memory, _ = a_memory(a_journal(lost))

    assert memory.restores()[0].volumes == ()


def test_what_is_open_is_kept_for_longer_than_what_is_over() -> None:
    memory, table = a_memory(a_journal())

    def days() -> set[float]:
        return {(item["expires_at"] - NOW.timestamp()) / 86_400 for item in table.items.values()}

    assert days() == {400}
    memory.write(a_journal().ends(Ending.RESTORED, NOW))
    memory.end(memory.restores()[0], [])
    assert days() == {90}


def test_what_is_left_to_a_person_is_kept_until_one_has_closed_it() -> None:
    memory, table = a_memory(a_journal())
    left = a_journal().ends(Ending.LEFT, NOW)

    memory.end(memory.restores()[0], [left])
    (owed,) = memory.restores()
    assert (owed.is_open, owed.is_owed) == (False, True)
    kept = table.items[f"restores#{PLACE}", PLAN]["expires_at"] - NOW.timestamp()
    assert kept == 400 * 86_400
    memory.end(replace(owed, is_closed=True), [left])
    assert not memory.restores()[0].is_owed
