from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caretaker import tags as tag
from caretaker.request import parse_request
from caretaker.selectors import Select
from functions.snapshot.plan import (
    MAX_ATTEMPTS,
    Action,
    Facts,
    Reason,
    VolumeDecision,
    plan_snapshots,
)
from functions.snapshot.request import SnapshotRequest
from tests.support.builders import (
    BACKED_UP,
    SLOT,
    a_failed_snapshot,
    a_snapshot,
    a_volume,
    an_instance,
    facts,
)

if TYPE_CHECKING:
    from caretaker.ec2 import Snapshot

VOLUME = "vol-00000001"
THREE_FAILED_SLOTS = {"2026-11-18T03:00Z": 1, "2026-11-19T03:00Z": 1, "2026-11-20T03:00Z": 1}
RETAKE = parse_request(SnapshotRequest, {"scheduled_time": SLOT, "retake": [VOLUME]})


def decide(known: Facts, request: SnapshotRequest | None = None) -> VolumeDecision:
    """Return the decision for the only volume there is."""
    (decision,) = plan_snapshots(known, request or SnapshotRequest(), slot=SLOT)
    return decision


def verdict(decision: VolumeDecision) -> tuple[str, str]:
    return decision.action, decision.reason


def test_takes_a_selected_volume() -> None:
    decision = decide(facts(a_volume()))

    assert verdict(decision) == (Action.CREATE, Reason.DUE)
    assert decision.attempt == 1
    assert decision.detail == {"attempt": 1}


def test_decides_for_every_volume_in_the_order_of_their_ids() -> None:
    known = facts(a_volume("vol-00000002"), a_volume("vol-00000001", tags={}))

    decisions = plan_snapshots(known, SnapshotRequest(), slot=SLOT)

    assert [(d.target, d.action) for d in decisions] == [
        ("vol-00000001", Action.SKIP),
        ("vol-00000002", Action.CREATE),
    ]


def test_takes_a_multi_attach_volume_once() -> None:
    volume = a_volume(at=["i-00000001", "i-00000002"])

    decision = decide(facts(volume, an_instance("i-00000001"), an_instance("i-00000002")))

    assert verdict(decision) == (Action.CREATE, Reason.DUE)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("completed", Reason.SLOT_COMPLETED),
        ("pending", Reason.SLOT_PENDING),
        ("recovering", Reason.SLOT_STATE_UNKNOWN),
    ],
)
def test_keeps_what_the_slot_already_has(state: str, reason: Reason) -> None:
    decision = decide(facts(a_volume(), a_snapshot(state=state, slot=SLOT)))

    assert verdict(decision) == (Action.KEEP, reason)
    assert decision.detail["snapshot_id"] == "snap-00000001"


@pytest.mark.parametrize("order", [1, -1], ids=["listed", "reversed"])
def test_tells_of_the_same_unknown_state_in_any_order_of_listing(order: int) -> None:
    odd = [a_snapshot(f"snap-0000000{n}", state="recovering", slot=SLOT) for n in (1, 2)][::order]

    assert decide(facts(a_volume(), *odd)).detail["snapshot_id"] == "snap-00000001"


def test_prefers_the_completed_snapshot_when_a_slot_has_several() -> None:
    pending = a_snapshot("snap-00000001", state="pending", slot=SLOT)
    completed = a_snapshot("snap-00000002", slot=SLOT)

    decision = decide(facts(a_volume(), pending, a_failed_snapshot(), completed))

    assert verdict(decision) == (Action.KEEP, Reason.SLOT_COMPLETED)
    assert decision.detail == {"snapshot_id": "snap-00000002"}


def test_a_snapshot_of_another_slot_or_volume_does_not_count() -> None:
    decision = decide(facts(a_volume(), a_snapshot(), a_snapshot(of="vol-00000009", slot=SLOT)))

    assert verdict(decision) == (Action.CREATE, Reason.DUE)


def test_retakes_after_an_error_and_clears_it() -> None:
    decision = decide(facts(a_volume(), a_failed_snapshot("snap-0000000e")))

    assert verdict(decision) == (Action.CREATE, Reason.RETAKE)
    assert decision.attempt == 2
    assert decision.clear == ("snap-0000000e",)
    assert decision.detail == {"attempt": 2, "clear": ["snap-0000000e"]}


def test_clears_the_errors_of_older_slots_with_the_first_attempt() -> None:
    decision = decide(
        facts(a_volume(), a_failed_snapshot("snap-0000000e", slot="2026-11-20T03:00Z"))
    )

    assert verdict(decision) == (Action.CREATE, Reason.DUE)
    assert decision.clear == ("snap-0000000e",)


@pytest.mark.parametrize(
    ("counted", "tagged", "attempt"),
    [(0, 1, 2), (1, 1, 2), (2, 1, 3), (1, 2, 3)],
    ids=["tag alone", "same", "the table remembers more", "the tag knows more"],
)
def test_counts_attempts_from_the_table_and_from_what_is_still_there(
    counted: int, tagged: int, attempt: int
) -> None:
    known = facts(
        a_volume(), a_failed_snapshot(attempt=tagged), failed_attempts={VOLUME: {SLOT: counted}}
    )

    assert decide(known).attempt == attempt


def test_retakes_when_the_failed_snapshot_is_gone_but_counted() -> None:
    decision = decide(facts(a_volume(), failed_attempts={VOLUME: {SLOT: 1}}))

    assert verdict(decision) == (Action.CREATE, Reason.RETAKE)
    assert decision.clear == ()


def test_gives_up_after_three_attempts() -> None:
    decision = decide(facts(a_volume(), a_failed_snapshot(attempt=MAX_ATTEMPTS)))

    assert verdict(decision) == (Action.GIVE_UP, Reason.ATTEMPTS_EXHAUSTED)
    assert decision.clear == ("snap-0000000e",)
    assert decision.detail["attempt"] == MAX_ATTEMPTS


def test_stops_retaking_after_three_failed_slots_in_a_row() -> None:
    known = facts(a_volume(), a_failed_snapshot(), failed_attempts={VOLUME: THREE_FAILED_SLOTS})

    assert verdict(decide(known)) == (Action.GIVE_UP, Reason.SLOTS_FAILING)


def test_still_tries_each_new_slot_once_after_three_failed_ones() -> None:
    known = facts(a_volume(), failed_attempts={VOLUME: THREE_FAILED_SLOTS})

    assert verdict(decide(known)) == (Action.CREATE, Reason.DUE)


def test_this_slot_is_not_one_of_the_three_failed_before_it() -> None:
    two = dict(list(THREE_FAILED_SLOTS.items())[1:])
    known = facts(a_volume(), a_failed_snapshot(), failed_attempts={VOLUME: {**two, SLOT: 1}})

    assert verdict(decide(known)) == (Action.CREATE, Reason.RETAKE)


def test_a_good_snapshot_ends_a_row_of_failed_slots() -> None:
    good = a_snapshot(age_hours=24)  # of the third of the slots
    known = facts(
        a_volume(), good, a_failed_snapshot(), failed_attempts={VOLUME: THREE_FAILED_SLOTS}
    )

    assert verdict(decide(known)) == (Action.CREATE, Reason.RETAKE)


@pytest.mark.parametrize("state", ["pending", "error", "recovering"])
def test_only_a_completed_snapshot_ends_a_row(state: str) -> None:
    bad = a_snapshot("snap-00000002", state=state, age_hours=24)
    known = facts(
        a_volume(), bad, a_failed_snapshot(), failed_attempts={VOLUME: THREE_FAILED_SLOTS}
    )

    assert decide(known).action == Action.GIVE_UP


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_good_snapshot_counts_in_any_order_of_listing(*, newest_first: bool) -> None:
    goods = [a_snapshot("snap-00000001", age_hours=24), a_snapshot("snap-00000002", age_hours=72)]
    ordered: list[Snapshot] = goods if newest_first else goods[::-1]
    known = facts(
        a_volume(), *ordered, a_failed_snapshot(), failed_attempts={VOLUME: THREE_FAILED_SLOTS}
    )

    assert decide(known).action == Action.CREATE


def test_goes_on_with_first_snapshots_when_the_table_is_unreachable() -> None:
    old = a_failed_snapshot(slot="2026-11-20T03:00Z")

    decision = decide(facts(a_volume(), old, table_reachable=False))

    assert verdict(decision) == (Action.CREATE, Reason.DUE)
    assert decision.clear == (), "deleting waits for the table"


def test_retakes_nothing_while_the_table_is_unreachable() -> None:
    decision = decide(facts(a_volume(), a_failed_snapshot(), table_reachable=False))

    assert verdict(decision) == (Action.SKIP, Reason.STATE_UNAVAILABLE)


def test_keeps_what_the_slot_has_when_the_table_is_unreachable() -> None:
    decision = decide(facts(a_volume(), a_snapshot(slot=SLOT), table_reachable=False))

    assert verdict(decision) == (Action.KEEP, Reason.SLOT_COMPLETED)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, Reason.NOT_SELECTED),
        ({tag.BACKUP: "weekly"}, Reason.NOT_SELECTED),
        ({**BACKED_UP, tag.IGNORE: "true"}, Reason.IGNORED),
    ],
    ids=["no tag", "another policy", "opted out"],
)
def test_skips_a_volume_and_says_why(tags: dict[str, str], reason: Reason) -> None:
    assert verdict(decide(facts(a_volume(tags=tags)))) == (Action.SKIP, reason)


def test_skips_a_volume_whose_instance_opted_out() -> None:
    owner = an_instance(tags={tag.IGNORE: ""})

    assert verdict(decide(facts(a_volume(at=owner.id), owner))) == (Action.SKIP, Reason.IGNORED)


def test_a_retake_takes_what_it_names_whatever_selected_it() -> None:
    decision = decide(facts(a_volume(tags={}), a_failed_snapshot()), RETAKE)

    assert verdict(decision) == (Action.CREATE, Reason.RETAKE)


def test_a_retake_leaves_all_other_volumes() -> None:
    decision = decide(facts(a_volume("vol-00000002"), a_failed_snapshot(of="vol-00000002")), RETAKE)

    assert verdict(decision) == (Action.SKIP, Reason.NOT_RETAKEN)


def test_a_retake_keeps_what_has_been_retaken() -> None:
    retaken = a_snapshot("snap-00000002", state="pending", slot=SLOT, attempt=2)

    decision = decide(facts(a_volume(), a_failed_snapshot(), retaken), RETAKE)

    assert verdict(decision) == (Action.KEEP, Reason.SLOT_PENDING)


def test_a_retake_leaves_an_ignored_volume_alone() -> None:
    ignored = a_volume(tags={**BACKED_UP, tag.IGNORE: "true"})

    decision = decide(facts(ignored, a_failed_snapshot()), RETAKE)

    assert verdict(decision) == (Action.SKIP, Reason.IGNORED)


def test_a_retake_leaves_a_volume_alone_that_is_being_deleted() -> None:
    decision = decide(facts(a_volume(state="deleting"), a_failed_snapshot()), RETAKE)

    assert verdict(decision) == (Action.SKIP, Reason.VOLUME_STATE)


def test_every_reason_to_skip_is_a_documented_one() -> None:
    request = SnapshotRequest(select=Select(everything=True, exclude_volumes=("vol-00000001",)))

    assert decide(facts(a_volume()), request).reason in set(Reason)
