"""A deployment in the middle of a run, or between two tries of a start, ends neither."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest

from caretaker.request import parse_request
from functions.fleet.manifest import Manifest, Unreached, digest_of
from functions.fleet.request import FleetRequest
from tests.support.fleets import NINE, ONE, manifest_of

OPTIONAL = [
    each.name
    for each in fields(Manifest)
    if each.default is not MISSING or each.default_factory is not MISSING
]
EVENT: dict[str, Any] = {"chore": "snapshot", "policy": "snapshot-daily"}


class Later(FleetRequest):
    """What a later version may be asked beside all else."""

    colour: str = "red"
    shapes: tuple[str, ...] = ()


def written() -> dict[str, Any]:
    """Return a manifest in which each field says something, as it is read from the bucket."""
    manifest = manifest_of(
        NINE,
        home="eu-west-1",
        canary=NINE[4],
        express=True,
        is_regular=False,
        is_usual=True,
        unreached=(Unreached(ONE, "", "unreachable", {"code": "AccessDenied"}),),
        left=[ONE],
        names={ONE: "one"},
    )
    read: dict[str, Any] = json.loads(json.dumps(manifest.as_document()))
    return read


def test_a_field_that_a_later_version_wrote_is_passed_over() -> None:
    later = {**written(), "schema": 2, "colour": "red", "shapes": [{"corners": 3}]}
    assert Manifest.from_document(later) == Manifest.from_document(written())


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_field_that_an_earlier_version_did_not_write_has_its_default(name: str) -> None:
    earlier = written()
    del earlier[name]
    read = Manifest.from_document(earlier)
    assert getattr(read, name) == getattr(manifest_of(NINE), name)
    assert read.cells == NINE


def test_a_start_is_the_same_one_for_a_version_that_may_be_asked_more() -> None:
    assert digest_of(parse_request(Later, EVENT)) == digest_of(parse_request(FleetRequest, EVENT))
    more = parse_request(Later, {**EVENT, "colour": "blue"})
    assert digest_of(more) != digest_of(parse_request(FleetRequest, EVENT))


@pytest.mark.parametrize(
    "default",
    [{"express": False}, {"accounts": {}}, {"regions": {"enabled": False, "names": []}}],
)
def test_what_is_said_as_it_would_be_anyhow_makes_no_other_event(default: dict[str, Any]) -> None:
    said, unsaid = (
        parse_request(FleetRequest, {**EVENT, **default}),
        parse_request(FleetRequest, EVENT),
    )
    assert digest_of(said) == digest_of(unsaid)
