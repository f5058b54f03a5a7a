"""The manifest: what a run is, read back as it was written, and what each cell is asked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.request import BaseRequest, parse_request
from caretaker.settings import Mode
from functions.fleet.facts import Cell
from functions.fleet.manifest import Manifest, Unreached, cell_of, digest_of, run_name
from functions.fleet.request import FleetRequest
from tests.support.fleets import FUNCTION, ONE, POLICY, RUN, SLOT_TEXT, TWO, grid, manifest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SHUT: Final = {"code": "AccessDenied", "message": "not you", "request_id": "r-1"}
EVENT: Final = {"chore": "snapshot", "policy": "snapshot-daily", "event": {"policy": "daily"}}

texts = st.text(max_size=8)
cells = st.builds(
    Cell,
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.sampled_from(["eu-west-1", "us-gov-east-1"]),
)
manifests = st.builds(
    manifest_of,
    st.lists(cells, max_size=5).map(tuple),
    mode=st.sampled_from(Mode),
    event=st.dictionaries(texts, st.none() | st.booleans() | st.lists(texts, max_size=2)),
    canary=st.none() | cells,
    express=st.booleans(),
    unreached=st.lists(
        st.builds(Unreached, texts, texts, texts, st.fixed_dictionaries({"code": texts}))
    ).map(tuple),
    left=st.lists(texts),
    names=st.dictionaries(texts, texts),
)


def asked(**event: Any) -> FleetRequest:
    return parse_request(FleetRequest, {**EVENT, **event})


@settings(max_examples=200, deadline=None)
@given(manifests)
def test_what_stands_in_the_bucket_is_read_back_as_it_was(manifest: Manifest) -> None:
    written = json.dumps(manifest.as_document())

    assert Manifest.from_document(json.loads(written)) == manifest


def test_a_document_says_which_schema_it_is_of() -> None:
    assert manifest_of(grid(1)).as_document()["schema"] == 1


def test_a_manifest_of_another_version_is_read_as_far_as_it_is_known() -> None:
    """A deployment in the middle of a run must not end it."""
    manifest = manifest_of(grid(2), names={ONE: "shop"})
    newer = {**manifest.as_document(), "schema": 2, "colour": "red"}
    optional = {"home", "canary", "express", "unreached", "left", "is_regular", "is_usual"}
    older = {key: value for key, value in newer.items() if key not in optional}

    assert Manifest.from_document(newer) == Manifest.from_document(older) == manifest


def test_a_cell_is_asked_what_the_event_says_at_the_slot_in_its_own_place() -> None:
    cell = Cell(ONE, "us-east-1")

    assert manifest_of([cell], event={"policy": "daily", "pace": 0.2}).item_of(cell) == {
        "function": FUNCTION,
        "event": {
            "policy": "daily",
            "pace": 0.2,
            "scheduled_time": "2026-11-21T03:00:00+00:00",
            "target": {"account": ONE, "region": "us-east-1"},
            "caller": {"run": RUN, "fleet": POLICY},
        },
    }


def test_only_a_run_that_reports_says_the_mode_to_its_cells() -> None:
    """What may act in a cell is the chore's own stack's word, which an event never raises."""
    (cell,) = grid(1)

    assert "mode" not in manifest_of([cell]).item_of(cell)["event"]
    assert manifest_of([cell], mode=Mode.REPORT).item_of(cell)["event"]["mode"] == "report"


@pytest.mark.parametrize("mode", list(Mode))
def test_an_item_is_an_event_that_any_chore_takes(mode: Mode) -> None:
    (cell,) = grid(1)
    request = parse_request(BaseRequest, manifest_of([cell], mode=mode).item_of(cell)["event"])

    assert (request.target.account, request.target.region) == cell
    assert request.caller is not None
    assert (request.caller.run, request.caller.fleet) == (RUN, POLICY)


def test_the_item_of_a_cell_leads_back_to_it() -> None:
    manifest = manifest_of(grid(3, 3))

    assert [cell_of(manifest.item_of(cell)) for cell in manifest.cells] == list(manifest.cells)


def test_a_cell_s_name_is_its_account_and_region() -> None:
    assert Cell(TWO, "eu-west-1").name == f"{TWO}/eu-west-1"


def test_a_run_is_named_by_its_policy_and_slot() -> None:
    assert run_name("snapshot-daily", SLOT_TEXT, None) == "snapshot-daily-20261121T0300Z"
    assert run_name("snapshot-daily", SLOT_TEXT, 2) == "snapshot-daily-20261121T0300Z-r2"


def test_the_longest_name_is_one_that_step_functions_takes() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html ."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", run_name("p" * 32, SLOT_TEXT, 99))


@pytest.mark.parametrize(
    "same",
    [
        {"approve": "p-0123456789abcdef"},
        {"scheduled_time": "2026-11-21T03:00:00Z"},
        {"pace": 0.5},
    ],
)
def test_when_and_by_whose_word_make_no_other_event(same: Mapping[str, Any]) -> None:
    assert digest_of(asked(**same)) == digest_of(asked())


@pytest.mark.parametrize(
    "other",
    [
        {"chore": "retention"},
        {"policy": "snapshot-hourly"},
        {"event": {"policy": "hourly"}},
        {"mode": "report"},
        {"accounts": {"ids": [ONE]}},
        {"regions": {"names": ["us-east-1"]}},
        {"concurrency": 7},
        {"canary": {"account": ONE, "region": "eu-west-1"}},
        {"again": 2},
    ],
)
def test_anything_else_makes_another_event(other: Mapping[str, Any]) -> None:
    assert digest_of(asked(**other)) != digest_of(asked())
