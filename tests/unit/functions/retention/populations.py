"""Hypothesis strategies: accounts with all that can be odd about their snapshots."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from caretaker import tags as tag
from caretaker.ec2 import Snapshot
from functions.retention.facts import Facts, Population, Reason
from functions.retention.request import RetentionRequest
from tests.support.retention import INSTALLATION, a_backup, a_disk, ask, evidence

VOLUMES: Final = [f"vol-{n:08x}" for n in range(4)]
REFERENCES: Final = [Reason.USED_BY_IMAGE, Reason.LOCKED, Reason.FAST_RESTORE]

marks = st.sampled_from(
    [
        *[None] * 4,
        "",
        "soon",
        "2025-01-01T00:00:00Z",
        *(timedelta(hours=hours) for hours in (-100, -1, 0, 1, 48)),
    ]
)
extra_tags = st.sampled_from(
    [
        *[{}] * 8,
        {tag.KEEP: "true"},
        {tag.KEEP: "2026-11-20"},
        {tag.KEEP: "2026-11-22"},
        {"aws:backup:source-resource": "x"},
        {tag.MANAGED_BY: "another"},
        {tag.POLICY: "weekly"},
    ]
)
# Few slots and few ages: snapshots have to meet in a slot, and at a limit.
days = st.one_of(st.sampled_from([0.5, 1, 2, 3, 30, 31, 365, 366]), st.integers(0, 40))


@st.composite
def snapshots(draw: st.DrawFn, number: int) -> Snapshot:
    age = draw(days)
    return a_backup(
        f"snap-{number:08x}",
        of=draw(st.sampled_from(VOLUMES)),
        days=age,
        slot=draw(
            st.sampled_from([None, None, None, "2026-11-01T03:00Z", "2026-12-01T03:00Z", "x"])
        ),
        policy=draw(st.sampled_from(["daily", "daily", "daily", "weekly"])),
        state=draw(st.sampled_from([*["completed"] * 6, "error", "pending", "recovering"])),
        tier=draw(st.sampled_from([*["standard"] * 6, "archive"])),
        owner=draw(st.sampled_from([*["123456789012"] * 9, "210987654321"])),
        description=draw(st.sampled_from([*[None] * 9, "", "by hand"])),
        marked=draw(marks),
        tags=draw(extra_tags),
    )


@st.composite
def accounts(draw: st.DrawFn, fewest: int = 0) -> Facts:
    number = draw(st.integers(fewest, 12))
    made = [draw(snapshots(n)) for n in range(number)]
    ids = [each.id for each in made] or ["snap-00000000"]
    some = st.lists(st.sampled_from(ids), max_size=5)
    disks = [
        a_disk(each, restored_from=draw(st.sampled_from(["", "", "gone", *ids])))
        for each in draw(st.lists(st.sampled_from(VOLUMES), unique=True))
    ]
    seen = st.builds(Population, st.integers(0, 40), st.integers(0, 2))
    return evidence(
        *made,
        disks=disks,
        references=draw(
            st.dictionaries(st.sampled_from(ids), st.sampled_from(REFERENCES), max_size=3)
        ),
        last_seen=draw(st.one_of(st.none(), seen)),
        approved=draw(some),
        plan=draw(st.one_of(st.none(), st.none(), some)),
    )


def requests() -> st.SearchStrategy[RetentionRequest]:
    """Return requests of the policy `daily`."""
    rule = st.sampled_from(
        ["last", "hourly", "daily", "weekly", "monthly", "yearly", "within_days"]
    )
    return st.builds(
        lambda keep, orphans, blast: ask(keep, orphans_keep_days=orphans, blast_radius=blast),
        st.dictionaries(rule, st.integers(1, 4), min_size=1, max_size=2),
        st.sampled_from([0, 0, 1, 20, 400]),
        st.sampled_from([{}, {"count": 0}, {"count": 1, "percent": 10}, {"count": 90_000}]),
    )


def is_ours(snapshot: Snapshot) -> bool:
    """Tell, as the guarantee words it, whether we made it: owner, tags, description, no `aws:`."""
    wanted = f"caretaker {snapshot.tags.get(tag.POLICY)} {snapshot.tags.get(tag.SLOT)}"
    return (
        snapshot.owner_id == "123456789012"
        and snapshot.tags.get(tag.MANAGED_BY) == INSTALLATION
        and snapshot.description == wanted
        and not any(key.startswith("aws:") for key in snapshot.tags)
        and snapshot.tags.get(tag.SLOT) != "x"
    )
