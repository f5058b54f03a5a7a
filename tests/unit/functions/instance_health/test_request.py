from __future__ import annotations

from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.instance_health.request import InstanceHealthRequest, Rung
from tests.support.health import ID, ask

NO_FIELD = "no such field; see the chore's page"
A_FIELD = "this field; see the chore's page"
A_RUNG = "'reboot', 'stop-start' or 'page'"
A_ZONE = "a name from the IANA time zone database, as Europe/Dublin"
A_DATE = "a date of the calendar, as 2026-11-21"
A_KEY = "caretaker/123456789012/eu-west-1/alarms/default/disk_full/i-00000001"
A_DAY = "'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'"
WINDOW: dict[str, Any] = {"start": "22:00", "duration_minutes": 60}
STATE = {"instance-id": ID, "state": "stopped"}


def wrong(event: object) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_request(InstanceHealthRequest, event)
    assert refused.value.reason == "event_invalid"
    return [(error["path"], error["expected"]) for error in refused.value.errors]


def test_an_empty_event_has_the_documented_defaults() -> None:
    request = ask()
    repairs = request.repairs

    assert (request.policy, request.group_by, request.maintenance_windows) == ("default", None, ())
    assert (request.repair, request.event, request.lease_scope) == (None, None, "")
    assert (repairs.impaired_minutes, repairs.polls) == (3, 2)
    assert (repairs.settle_minutes, repairs.recovery_minutes, repairs.step_minutes) == (10, 10, 10)
    assert (repairs.cooldown_minutes, repairs.ladders_per_day) == (15, 2)
    assert (repairs.group_percent, repairs.breaker_percent, repairs.breaker_count) == (10, 20, 3)
    assert repairs.address_may_change is False


def test_the_ladders_are_by_default_those_of_the_documentation() -> None:
    ladders = ask().repairs.ladders

    assert ladders.instance == (Rung.REBOOT, Rung.REBOOT, Rung.STOP_START, Rung.PAGE)
    assert ladders.system == (Rung.STOP_START, Rung.PAGE)
    assert ladders.ebs == (Rung.PAGE, Rung.STOP_START)


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("impaired_minutes", 3, 60),
        ("polls", 2, 10),
        ("settle_minutes", 10, 120),
        ("recovery_minutes", 10, 60),
        ("step_minutes", 10, 15),
        ("cooldown_minutes", 15, 1440),
        ("ladders_per_day", 0, 2),
        ("group_percent", 0, 10),
        ("breaker_percent", 1, 20),
        ("breaker_count", 2, 3),
    ],
)
def test_nothing_goes_beyond_the_hard_limits(field: str, least: int, most: int) -> None:
    path = f"repairs.{field}"

    for value in (least, most):
        assert getattr(ask(repairs={field: value}).repairs, field) == value
    assert wrong({"repairs": {field: least - 1}}) == [(path, f"at least {least}")]
    assert wrong({"repairs": {field: most + 1}}) == [(path, f"at most {most}")]
    for other in (str(least), least + 0.5, True, None, [least]):
        assert wrong({"repairs": {field: other}}) == [(path, "a valid integer")]


@pytest.mark.parametrize(
    ("repairs", "path", "expected"),
    [
        ({"ladders": {"instance": ["page", "restart"]}}, ".ladders.instance.1", A_RUNG),
        ({"ladders": {"system": ["page", "Reboot"]}}, ".ladders.system.1", A_RUNG),
        ({"ladders": {"ebs": ["page", "stop_start"]}}, ".ladders.ebs.1", A_RUNG),
        ({"ladders": {"ebs": ["page", 5]}}, ".ladders.ebs.1", A_RUNG),
        ({"ladders": {"ebs": "page"}}, ".ladders.ebs", "a valid array"),
        ({"ladders": {"instance": []}}, ".ladders.instance", "at least this long: 1"),
        ({"ladders": {"instance": ["page"] * 7}}, ".ladders.instance", "at most this many: 6"),
        ({"ladders": {"network": ["page"]}}, ".ladders.network", NO_FIELD),
        ({"ladders": []}, ".ladders", "an object"),
        ({"ladders": None}, ".ladders", "an object"),
        ({"address_may_change": "yes"}, ".address_may_change", "a valid boolean"),
        ({"address_may_change": 1}, ".address_may_change", "a valid boolean"),
        ({"max_ladders": 9}, ".max_ladders", NO_FIELD),
        ([], "", "an object"),
        (None, "", "an object"),
        (5, "", "an object"),
    ],
    ids=str,
)
def test_refuses_wrong_repairs_and_says_what_they_must_be(
    repairs: object, path: str, expected: str
) -> None:
    assert wrong({"repairs": repairs}) == [(f"repairs{path}", expected)]


def test_a_ladder_may_have_six_rungs_and_any_order() -> None:
    rungs = ["page", "reboot", "page", "stop-start", "reboot", "stop-start"]

    assert ask(repairs={"ladders": {"ebs": rungs}}).repairs.ladders.ebs == tuple(map(Rung, rungs))


@pytest.mark.parametrize(
    ("window", "path", "expected"),
    [
        ({"zone": "Mars/Olympus"}, ".zone", A_ZONE),
        ({"zone": "Europe"}, ".zone", A_ZONE),
        ({"zone": "europe/dublin "}, ".zone", A_ZONE),
        ({"zone": "Europe/Dublin\n"}, ".zone", A_ZONE),
        ({"zone": "../../etc/passwd"}, ".zone", A_ZONE),
        ({"zone": "/etc/passwd"}, ".zone", A_ZONE),
        ({"zone": "\x00"}, ".zone", A_ZONE),
        ({"zone": "+01:00"}, ".zone", A_ZONE),
        ({"zone": ""}, ".zone", "at least this long: 1"),
        ({"zone": "x" * 65}, ".zone", "at most this many: 64"),
        ({"zone": None}, ".zone", "a valid string"),
        ({"zone": 1}, ".zone", "a valid string"),
        ({"duration_minutes": 0}, ".duration_minutes", "at least 1"),
        ({"duration_minutes": 1441}, ".duration_minutes", "at most 1440"),
        ({"duration_minutes": "60"}, ".duration_minutes", "a valid integer"),
        ({"duration_minutes": 1.5}, ".duration_minutes", "a valid integer"),
        ({"weekdays": []}, ".weekdays", "at least this long: 1"),
        ({"weekdays": ["mon"] * 8}, ".weekdays", "at most this many: 7"),
        ({"weekdays": ["mon", "monday"]}, ".weekdays.1", A_DAY),
        ({"weekdays": ["mon", "TUE"]}, ".weekdays.1", A_DAY),
        ({"weekdays": "mon"}, ".weekdays", "a valid array"),
        ({"weekdays": ["mon", 0]}, ".weekdays.1", A_DAY),
        ({"date": "2026-02-30"}, "", A_DATE),
        ({"date": "2027-02-29"}, "", A_DATE),
        ({"date": "2026-13-01"}, "", A_DATE),
        ({"date": "2026-11-21", "weekdays": ["sat"]}, "", "weekdays or a date, not both"),
        (
            {"date": "2027-03-28", "zone": "Europe/Dublin", "start": "01:30"},
            "",
            "a time that exists: on 2027-03-28 clocks skip 01:30",
        ),
        (
            {"date": "2027-03-28", "zone": "Europe/Dublin", "start": "01:00"},
            "",
            "a time that exists: on 2027-03-28 clocks skip 01:00",
        ),
        (
            {"date": "2027-03-14", "zone": "America/New_York", "start": "02:59"},
            "",
            "a time that exists: on 2027-03-14 clocks skip 02:59",
        ),
        (
            {"date": "2026-10-04", "zone": "Australia/Lord_Howe", "start": "02:15"},
            "",
            "a time that exists: on 2026-10-04 clocks skip 02:15",
        ),
        ({"until": "23:00"}, ".until", NO_FIELD),
        ({"timezone": "UTC"}, ".timezone", NO_FIELD),
    ],
    ids=str,
)
def test_refuses_a_wrong_window_and_says_what_it_must_be(
    window: dict[str, Any], path: str, expected: str
) -> None:
    assert wrong({"maintenance_windows": [WINDOW, WINDOW | window]}) == [
        (f"maintenance_windows.1{path}", expected)
    ]


@pytest.mark.parametrize(
    "start",
    [
        "24:00",
        "7:00",
        "07:60",
        "07:00:00",
        "07",
        "0700",
        "",
        " 07:00",
        "07:00\n",
        "\N{ARABIC-INDIC DIGIT ZERO}7:00",
    ],
)
def test_a_start_is_a_time_of_the_day(start: str) -> None:
    ((path, expected),) = wrong({"maintenance_windows": [WINDOW | {"start": start}]})

    assert path == "maintenance_windows.0.start"
    assert expected.startswith("text that matches ^([01]")


@pytest.mark.parametrize(
    "start", ["10:0\N{ARABIC-INDIC DIGIT THREE}", "1\N{DEVANAGARI DIGIT ONE}:00"]
)
def test_digits_of_a_start_are_those_that_can_be_read(start: str) -> None:
    ((path, _),) = wrong({"maintenance_windows": [WINDOW | {"start": start}]})

    assert path == "maintenance_windows.0.start"


@pytest.mark.parametrize("date", ["21.11.2026", "1999-01-01", "2026-1-1", "20261121", "", "soon"])
def test_a_date_is_one_of_this_century(date: str) -> None:
    ((path, expected),) = wrong({"maintenance_windows": [WINDOW | {"date": date}]})

    assert path == "maintenance_windows.0.date"
    assert expected.startswith("text that matches ^20")


@pytest.mark.parametrize("field", ["start", "duration_minutes"])
def test_a_window_has_a_start_and_a_length(field: str) -> None:
    window = {key: value for key, value in WINDOW.items() if key != field}

    assert wrong({"maintenance_windows": [window]}) == [(f"maintenance_windows.0.{field}", A_FIELD)]


def test_there_are_at_most_twenty_windows() -> None:
    assert len(ask(maintenance_windows=[WINDOW] * 20).maintenance_windows) == 20
    assert wrong({"maintenance_windows": [WINDOW] * 21}) == [
        ("maintenance_windows", "at most this many: 20")
    ]


@pytest.mark.parametrize(
    ("event", "path", "expected"),
    [
        ({"repair": {"incident": A_KEY}}, "repair.instance", A_FIELD),
        ({"repair": {"instance": ID}}, "repair.incident", A_FIELD),
        ({"repair": {"instance": ID, "incident": ""}}, "repair.incident", "^[!-~]{1,255}$"),
        ({"repair": {"instance": ID, "incident": "a b"}}, "repair.incident", "^[!-~]{1,255}$"),
        ({"repair": {"instance": ID, "incident": "a" * 256}}, "repair.incident", "^[!-~]{1,255}$"),
        ({"repair": {"instance": ID, "incident": 5}}, "repair.incident", "a valid string"),
        ({"repair": {"instance": "vol-1", "incident": A_KEY}}, "repair.instance", "i-"),
        ({"repair": {"instance": ID, "incident": A_KEY, "step": "x"}}, "repair.step", NO_FIELD),
        ({"repair": ID}, "repair", "an object"),
        ({"repair": []}, "repair", "an object"),
        ({"group_by": ""}, "group_by", "at least this long: 1"),
        ({"group_by": "x" * 129}, "group_by", "at most this many: 128"),
        ({"group_by": 5}, "group_by", "a valid string"),
        ({"groupby": "Env"}, "groupby", NO_FIELD),
        ({"maintenance_windows": {}}, "maintenance_windows", "a valid array"),
        ({"maintenance_windows": ["x"]}, "maintenance_windows.0", "an object"),
        ({"policy": "A"}, "policy", "text that matches ^[a-z0-9-]{1,32}$"),
        ({"mode": "on"}, "mode", "'act' or 'report'"),
        ({"pace": 0}, "pace", "more than 0"),
        ({"scheduled_time": "now"}, "scheduled_time", "a time of this century with its zone"),
        ([], "event", "an object"),
        ("x", "event", "an object"),
    ],
    ids=str,
)
def test_refuses_a_wrong_field_and_says_what_it_must_be(
    event: object, path: str, expected: str
) -> None:
    ((found, said),) = wrong(event)

    assert found == path
    assert expected in said


def test_names_every_wrong_field_at_once() -> None:
    event = {
        "repairs": {"polls": 1, "ladders": {"ebs": ["page", "fix"]}},
        "maintenance_windows": [{"start": "25:00"}],
        "until": 1,
    }

    assert [path for path, _ in wrong(event)] == [
        "maintenance_windows.0.start",
        "maintenance_windows.0.duration_minutes",
        "repairs.polls",
        "repairs.ladders.ebs.1",
        "until",
    ]


def test_a_run_is_about_a_repair_or_about_an_event() -> None:
    event = {"source": "aws.ec2", "detail": STATE}
    asked = {"instance": ID, "incident": A_KEY}

    assert wrong({"repair": asked, "event": event}) == [("event", "repair or event, not both")]


def test_a_poll_is_spared_by_any_other_and_what_is_asked_for_by_none() -> None:
    for other in ("2026-11-21T03:00Z", "2026-11-21T03:01Z"):
        assert ask().is_spared_by(other, "2026-11-21T03:01Z")
        assert ask(event={"source": "aws.ec2", "detail": STATE}).is_spared_by(other, other)
        assert not ask(repair={"instance": ID, "incident": A_KEY}).is_spared_by(other, other)


def test_a_run_about_an_event_waits_for_no_poll() -> None:
    assert ask(event={"source": "aws.ec2", "detail": STATE}).lease_scope == f"event/{ID}"
    assert ask(repair={"instance": ID, "incident": A_KEY}).lease_scope == ""
