"""What an incident is called, what silences it, and how it is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caretaker.incidents import Check, Incident, Origin, Severity, Silence
from caretaker.transitions import plan_transitions
from tests.support.builders import ACCOUNT, NOW

LATER = NOW + timedelta(hours=1)
SCOPE = f"caretaker/{ACCOUNT}/eu-west-1/snapshot/daily"
BAD = Check("stale", "vol-1", healthy=False, what="old", cause="stale")
STALE = Incident("stale", "vol-1", opened=NOW, scope=SCOPE, parent="stale/vol-1", told=NOW)


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("*", True),
        (f"{SCOPE}/stale/vol-1", True),
        (f"{SCOPE}/stale/vol-?", True),
        ("*/stale/*", True),
        (f"{SCOPE}/*", True),
        ("stale/vol-1", False),
        (f"{SCOPE}/stale/vol-", False),
        (f"{SCOPE}/stale/VOL-1", False),
        (f"{SCOPE}/stale/vol-[0-9]", False),
        ("", False),
    ],
)
def test_a_silence_covers_what_its_pattern_matches(pattern: str, *, covered: bool) -> None:
    assert Silence(pattern, LATER).covers(STALE, NOW) is covered


def test_a_silence_ends_at_its_time() -> None:
    silence = Silence("*", LATER)

    assert silence.covers(STALE, LATER - timedelta(seconds=1))
    assert not silence.covers(STALE, LATER)


texts = st.text(st.characters(), max_size=300) | st.sampled_from(["a b", "a*b", "\ud800", "é" * 70])
READABLE = {chr(code) for code in range(33, 127)} - {"*", "?"}


@settings(max_examples=200, deadline=None)
@given(texts)
def test_any_resource_makes_a_key_that_a_silence_can_name(resource: str) -> None:
    longest = Origin("c" * 64, "", ACCOUNT, "ap-southeast-10", "instance-health", "p" * 32, "", "")
    check = replace(BAD, kind="k" * 25, resource=resource)
    changed = plan_transitions([], [check], judged=frozenset(), now=NOW, origin=longest)
    (incident,) = changed.opened

    assert len(incident.full_key) <= 255
    assert set(incident.full_key) <= READABLE
    silence = Silence(incident.full_key, LATER)
    assert silence.covers(incident, NOW)


@settings(max_examples=100, deadline=None)
@example("?", "\ud800")
@given(texts, texts)
def test_two_resources_have_two_keys(one: str, two: str) -> None:
    same = one == two
    assert (replace(BAD, resource=one).key == replace(BAD, resource=two).key) is same


def test_an_ordinary_resource_is_read_in_its_key() -> None:
    assert replace(BAD, resource="my-bucket.example").key == "stale/my-bucket.example"
    assert replace(BAD, resource="x" * 64).key == f"stale/{'x' * 64}"


names = st.text(st.characters(codec="utf-8"), max_size=30)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=timezone(timedelta(hours=5)))
)
incidents = st.builds(
    Incident,
    kind=names,
    resource=names,
    severity=st.sampled_from(Severity),
    what=names,
    name=names,
    evidence=st.dictionaries(names, names, max_size=3),
    done=names,
    next=names,
    cause=names,
    opened=moments,
    scope=names,
    parent=names,
    report=names,
    told=moments | st.none(),
    reminders=st.integers(0, 99),
    escalated=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(incidents)
def test_an_incident_survives_the_table(incident: Incident) -> None:
    assert Incident.from_document(json.loads(json.dumps(incident.as_document()))) == incident


def test_documents_of_other_versions_can_be_read() -> None:
    """Those of 0.1.0 know neither scope nor told; a newer version's know more."""
    old: dict[str, Any] = STALE.as_document()
    for name in ("told", "scope", "report", "reminders", "escalated"):
        del old[name]

    read = Incident.from_document({**old, "of a newer version": 1})

    assert (read.key, read.opened) == (STALE.key, NOW)
    assert read.told == NOW, "0.1.0 told all that it wrote"
