"""Every call that tells people goes wrong once, or is the last of its process.

Whatever was under way, in the end people have heard of each opening and of each recovery at least
once, and at most twice; nothing waits, and the pager shows what is open.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.alerting import HOUR, MINUTE, Desk, bad, desk_of, good, warning
from tests.support.crashes import RETRY_SECONDS, KilledError, killed_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

FINDING: Final = {
    "BatchWriteItem": 4,
    "PutItem": 6,
    "PutObject": 1,
    "Publish": 3,
    "Query": 3,
    "UpdateItem": 1,
}
"""The calls of a chore's run that tells of an opening and of a recovery."""
TELLING: Final = {
    "BatchWriteItem": 6,
    "DeleteItem": 1,
    "GetTopicAttributes": 2,
    "PutItem": 11,
    "PutObject": 1,
    "Publish": 4,
    "Query": 10,
    "UpdateItem": 1,
}
"""The calls of a run of the alerts chore that has everything to do."""
WAYS: Final = ("answer_lost", "denied", "killed before", "killed after")
READS: Final = {"GetTopicAttributes": ("denied",), "Query": ("denied", "killed before")}
"""Of a read it makes no difference whether it happened before the run was lost."""


def points(calls: dict[str, int]) -> list[tuple[tuple[str, int], str]]:
    return [
        ((name, nth), way)
        for name, count in calls.items()
        for nth in range(1, count + 1)
        for way in READS.get(name, WAYS)
    ]


def named(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch, "urgent", "chat", "watchdog")


@contextlib.contextmanager
def struck(cloud: StrictCloud, point: tuple[str, int], way: str) -> Iterator[None]:
    """Let one call go wrong in this way; whatever the run then raises stays in Lambda."""
    operation, nth = point
    if way.startswith("killed"):
        with killed_at(cloud, operation, nth, effective=way == "killed after"):
            yield
        return
    fault = cloud.faults.add(way, operation=operation, nth=nth)
    yield
    assert fault.fired == 1


def ended(run: Callable[[], object]) -> None:
    """Run, however it ends."""
    with contextlib.suppress(KilledError, Exception):
        run()


@dataclass
class Heard:
    """How often each thing was heard of, by channel."""

    alerts: Counter[str]
    pager: list[str]

    def once_or_twice(self, *things: str) -> None:
        told = {thing: self.alerts[thing] for thing in things}
        assert set(told.values()) <= {1, 2}, told


def all_heard(desk: Desk) -> Heard:
    told: Counter[str] = Counter()
    for words in desk.heard():
        turn, *resources = words.split()
        told.update(f"{turn} {resource}" for resource in resources)
    return Heard(told, desk.heard("pager"))


def found(desk: Desk) -> None:
    desk.look(bad("vol-2"), good("vol-1"))


def before_finding(desk: Desk, cloud: StrictCloud) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(HOUR)
    cloud.calls.clear()


def test_the_table_names_every_call_of_a_run_that_finds(desk: Desk, cloud: StrictCloud) -> None:
    before_finding(desk, cloud)
    found(desk)

    assert dict(cloud.calls.operations()) == FINDING


@pytest.mark.parametrize(("point", "way"), points(FINDING), ids=named)
def test_a_chore_is_heard_whatever_goes_wrong(
    desk: Desk, cloud: StrictCloud, point: tuple[str, int], way: str
) -> None:
    before_finding(desk, cloud)
    with struck(cloud, point, way):
        ended(lambda: found(desk))
    desk.wait(RETRY_SECONDS[0])
    found(desk)
    for _ in range(2):
        desk.next_run()

    told = all_heard(desk)
    told.once_or_twice("ALARM vol-2", "OK vol-1")
    assert (desk.open(), desk.unsent()) == (["vol-2"], [])
    assert told.pager[-1] == "ALARM daily", "vol-2 is open"
    assert 1 <= told.pager.count("ALARM daily") <= 2
    desk.look(good("vol-2"))
    assert desk.heard("pager") == ["OK daily"]


def before_telling(desk: Desk, cloud: StrictCloud) -> None:
    """Leave a message unsent, a reminder and an escalation due, and a silence that ended."""
    desk.look(warning("escalates"), policy="monthly")
    desk.next_run(48 * HOUR)
    desk.wait(19 * HOUR)
    until = (desk.clock.now() + timedelta(hours=4)).isoformat()
    desk.alerts(silence={"match": "*/silenced", "until": until})
    desk.look(bad("reminded"), policy="weekly")
    desk.look(warning("silenced"), policy="yearly")
    desk.wait(5 * HOUR - 10 * MINUTE)
    cloud.faults.add("denied", operation="Publish", times=2)
    desk.look(bad("unsent"))
    desk.wait(10 * MINUTE)
    desk.heard_everywhere()
    cloud.faults.clear()
    cloud.calls.clear()


def test_the_table_names_every_call_of_a_run_that_tells(desk: Desk, cloud: StrictCloud) -> None:
    before_telling(desk, cloud)
    answer = desk.alerts()

    assert {name: sum(by.values()) for name, by in answer["counts"].items()} == {
        "escalate": 1,
        "keep": 2,
        "send": 2,
        "tell": 1,
    }
    assert dict(cloud.calls.operations()) == TELLING


@pytest.mark.parametrize(("point", "way"), points(TELLING), ids=named)
def test_the_alerts_chore_is_heard_whatever_goes_wrong(
    desk: Desk, cloud: StrictCloud, point: tuple[str, int], way: str
) -> None:
    before_telling(desk, cloud)
    with struck(cloud, point, way):
        ended(desk.alerts)
    for _ in range(4):
        desk.next_run()

    told = all_heard(desk)
    told.once_or_twice("ALARM unsent", "ALARM reminded", "ALARM escalates", "ALARM silenced")
    assert desk.unsent() == []
    assert desk.open() == ["escalates", "reminded", "silenced", "unsent"]
    for policy in ("daily", "weekly", "monthly"):
        assert 1 <= told.pager.count(f"ALARM {policy}") <= 2, policy
    desk.look(good("escalates"), policy="monthly")
    assert desk.heard("pager") == ["OK monthly"]
