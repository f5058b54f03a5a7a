from __future__ import annotations

from typing import Any, Final

from functions.uptime.facts import Wrong
from functions.uptime.spans import HOUR, NOTHING, Sum
from tests.unit.functions.uptime.building import (
    OPEN,
    REFUSED,
    SECONDS,
    a_past,
    a_record,
    a_target,
    a_try,
    down,
    ended,
    failing,
    planned,
    probed,
)

TARGETS: Final = [
    a_target("up"),
    a_target("unstable"),
    a_target("degraded"),
    a_target("failing"),
    a_target("down"),
    a_target("working", maintenance=[OPEN]),
    a_target("unseen"),
]
SEEN: Final[dict[str, Any]] = {
    "up": probed(),
    "unstable": probed(before=1),
    "degraded": probed(a_try(), REFUSED),
    "failing": down(),
    "down": down(),
}
RECORDS: Final = {"down": failing(4), "unseen": failing(4)}


def test_a_run_counts_its_targets_by_state() -> None:
    plan = planned(*TARGETS, probed=SEEN, records=RECORDS, wrong=[Wrong("bad", [])])

    assert ended(plan).summary == {
        "targets": 7,
        "up": 1,
        "unstable": 1,
        "degraded": 1,
        "down": 2,
        "maintenance": 1,
        "unknown": 1,
        "wrong": 1,
        "blind": False,
    }


def test_probed_are_those_that_were_seen_and_down_those_that_people_are_told_of() -> None:
    plan = planned(*TARGETS, probed=SEEN, records=RECORDS)

    assert ended(plan).gauges == {"TargetsProbed": 5, "TargetsDown": 2}


def test_a_blind_run_has_probed_nothing() -> None:
    run = ended(planned(probed={"shop": down()}, is_blind=True))

    assert run.gauges == {"TargetsProbed": 0, "TargetsDown": 0}
    assert run.summary["blind"] is True


def test_every_outcome_tells_how_available_its_target_was() -> None:
    record = a_record(minutes=0, running=(NOTHING, NOTHING, Sum(up=3, down=1)))
    plan = planned(records={"shop": record}, wrong=[Wrong("bad", [])])
    shop, bad = ended(plan).with_figures

    assert isinstance(shop.detail["uptime"], dict)
    assert shop.detail["uptime"]["30d"] == 75
    assert shop.decision.detail["url"] == "https://shop.example.com/health"
    assert "uptime" not in bad.detail


def test_figures_are_of_the_past_and_of_what_goes_on() -> None:
    plan = planned(a_target(slo=99.9), records={"shop": a_record(minutes=2)})
    (verdict,) = plan.verdicts
    run = ended(plan, past={"shop": a_past({SECONDS - HOUR: Sum(down=40)}, {})})

    assert run.figures(verdict).sums["24h"].down == 40
    assert run.figures(verdict).budget is not None
    assert ended(plan, past={}).figures(verdict).sums["24h"].down == 0
