"""What we made is told from what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID, Snapshot, description_of
from caretaker.provenance import why_not_ours
from tests.support.builders import ACCOUNT, NOW, a_snapshot

SLOT = "2026-11-21T03:00Z"
OURS = {tag.MANAGED_BY: "caretaker", tag.POLICY: "daily", tag.SLOT: SLOT}


def made(**odd: Any) -> Snapshot:
    known = {"tags": OURS, "description": description_of("daily", SLOT), "started": NOW}
    return replace(a_snapshot("snap-1"), **{"owner_id": ACCOUNT, **known, **odd})


def test_what_we_made_is_ours() -> None:
    assert why_not_ours(made(), ACCOUNT, "caretaker") is None


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"owner_id": "210987654321"}, "foreign_owner"),
        ({"tags": {**OURS, "aws:dlm:managed": "true"}}, "aws_managed"),
        ({"tags": {**OURS, tag.MANAGED_BY: "another"}}, "not_managed"),
        ({"tags": {}}, "not_managed"),
        ({"description": "Created by a backup tool that copies tags"}, "not_made_here"),
        ({"volume_id": COPIED_VOLUME_ID}, "not_made_here"),
        (
            {
                "tags": {**OURS, tag.SLOT: "1999-01-01T00:00Z"},
                "description": description_of("daily", "1999-01-01T00:00Z"),
            },
            "slot_unreadable",
        ),
        ({"started": NOW - timedelta(days=2)}, "slot_in_future"),
    ],
)
def test_what_only_looks_like_it_is_not(odd: dict[str, Any], why: str) -> None:
    assert why_not_ours(made(**odd), ACCOUNT, "caretaker") == why
