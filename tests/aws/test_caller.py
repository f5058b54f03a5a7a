"""Runs that a caller asked for: they do and remember what others do, and tell only the caller."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.dynamodb.models import dynamodb_backends

from functions.alerts import app as alerts
from functions.retention import app as retention
from functions.snapshot import app as snapshot
from functions.tagging import app as tagging
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.fleets import CALLER, POLICY
from tests.support.retention_world import crash_world
from tests.support.snapshot_world import snapshot_world
from tests.support.snapshots import DAILY
from tests.support.stack import SLOT, TABLE, Stack
from tests.support.tags_world import TOP, only

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caretaker.run import Chore
    from tests.cloud import StrictCloud

CHORES: Final = ("snapshot", "retention", "tagging")
RULES: Final[dict[str, Any]] = {"Owner": only("volume"), "Env": only("volume", **TOP)}
_ID: Final = re.compile(r"-[0-9a-f]{17}")
FIELDS: Final = {
    *("account", "region", "chore", "policy", "mode", "status", "reason", "complete", "errors"),
    *("progress", "rounds", "counts", "gauges", "opened", "resolved", "untold", "open", "reports"),
}


class Scene:
    """A chore, its event, and a stack in which that opens an incident and changes something."""

    def __init__(
        self, cloud: StrictCloud, stack: Stack, chore: Chore[Any], event: Mapping[str, Any]
    ) -> None:
        self.cloud, self.stack, self.chore = cloud, stack, chore
        self.event = {"scheduled_time": SLOT, **event}

    def run(self, **more: Any) -> dict[str, Any]:
        return self.stack.run(self.chore, {**self.event, **more})

    def incidents(self) -> list[tuple[str, str]]:
        found = [(str(i["pk"]), str(i["sk"])) for i in self.stack.items()]
        ours = (k for k in found if k[0].startswith("incidents#") and k[1][0] != "#")
        return sorted((pk, nameless(sk)) for pk, sk in ours)

    def handed(self) -> list[tuple[str, str]]:
        """Return the turn and the full key of what is handed on."""
        found = [i for i in self.stack.items() if i["pk"] == f"handed#{POLICY}"]
        keys = [(str(i["turn"]), str(i["sk"]).rpartition("#")[0]) for i in found]
        return sorted((turn, nameless(key)) for turn, key in keys)

    def heard(self) -> list[tuple[str, str]]:
        """Return and forget the turn and the full key of what the topic heard."""
        return sorted(
            (each["state"], nameless(incident["key"]))
            for each in self.stack.alerts()
            for incident in each["incidents"]
        )


def nameless(key: str) -> str:
    """Return a key without the ids that are others in every cloud."""
    return _ID.sub("-x", key)


@contextmanager
def scene_of(name: str) -> Iterator[Scene]:
    """Open the scene of a chore in a cloud of its own."""
    if name == "snapshot":
        with snapshot_world() as made:
            yield Scene(made.cloud, made.stack, snapshot.CHORE, DAILY)
    elif name == "retention":
        with crash_world() as swept:
            swept.build()
            dynamodb_backends[ACCOUNT][REGION].tables[TABLE].items.clear()
            stuck, *_ = swept.gone
            swept.cloud.faults.add("denied", operation="DeleteSnapshot", match=stuck, times=None)
            yield Scene(swept.cloud, swept.stack, retention.CHORE, swept.event)
    else:
        clock = ManualClock()
        with strict_moto(clock) as cloud:
            stack, account = Stack(clock), Account(cloud)
            account.volume()
            yield Scene(cloud, stack, tagging.CHORE, {"rules": RULES})


@pytest.fixture(params=CHORES)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene_of(request.param) as opened:
        yield opened


def test_the_answer_is_a_short_one(scene: Scene) -> None:
    answer = scene.run(**CALLER)

    assert set(answer) == FIELDS
    assert (answer["account"], answer["region"]) == (ACCOUNT, REGION)
    assert (answer["complete"], answer["rounds"]) == (True, 1)
    assert len(json.dumps(answer)) < 2_048
    assert scene.stack.report({"report": answer["reports"][0]})


@pytest.mark.parametrize("name", CHORES)
def test_a_cell_does_what_a_run_without_a_caller_does(name: str) -> None:
    with scene_of(name) as alone:
        usual = alone.run()
    with scene_of(name) as called:
        answer = called.run(**CALLER)

    for field in ("status", "counts", "progress", "complete", "policy", "mode"):
        assert answer[field] == usual[field], field
    assert answer["progress"] > 0


@pytest.mark.parametrize("name", CHORES)
def test_incidents_are_those_of_a_run_without_a_caller_and_handed_on_in_place_of_told(
    name: str,
) -> None:
    with scene_of(name) as alone:
        alone.run()
        usual, heard = alone.incidents(), alone.heard()
    with scene_of(name) as called:
        answer = called.run(**CALLER)

        assert called.incidents() == usual
        assert called.handed() == heard != []
        assert called.heard() == []
    assert answer["opened"] == sum(turn == "ALARM" for turn, _ in heard)
    assert answer["resolved"] == sum(turn == "OK" for turn, _ in heard)
    assert (answer["open"], answer["untold"]) == (len(usual), 0)


def test_nothing_is_published_by_the_run_nor_by_the_alerts_chore_after_it(scene: Scene) -> None:
    scene.run(**CALLER)
    scene.stack.run(alerts.CHORE, {})

    assert scene.cloud.calls.of("Publish") == []
    assert scene.stack.alerts() == []


def test_what_is_open_already_is_not_handed_on_again(scene: Scene) -> None:
    scene.run(**CALLER)
    before = scene.handed()
    again = scene.run(**CALLER)

    assert (again["opened"], again["resolved"]) == (0, 0)
    assert scene.handed() == before


def test_no_metrics_are_printed(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    answer = scene.run(**CALLER)

    assert "CloudWatchMetrics" not in capsys.readouterr().out
    assert "Heartbeat" not in answer["gauges"], "that of a chore is its fleet's to give"


def test_the_whole_report_stands_in_the_bucket_as_ever(scene: Scene) -> None:
    answer = scene.run(**CALLER)

    head, *lines = scene.stack.report({"report": answer["reports"][0]})
    assert head["counts"] == answer["counts"]
    assert len(lines) == sum(sum(by.values()) for by in answer["counts"].values())


def test_a_cell_that_reports_changes_nothing(scene: Scene) -> None:
    answer = scene.run(**CALLER, mode="report")

    assert (answer["mode"], answer["progress"]) == ("report", 0)
    assert "next" not in answer
