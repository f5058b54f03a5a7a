"""How the role of restore may tag a new root volume, which EC2 made: asked as IAM is asked."""

from __future__ import annotations

from typing import Final

import pytest

from caretaker import tags
from tests.contract.iam import Request, is_allowed, policies_of
from tests.contract.restore_rights import OURS, tag
from tests.contract.tagging_requests import INSTANCE, VOLUME

ROLE: Final = "RestoreRole"
REPORT: Final = policies_of(ROLE, RestoreMode="report")
ACT: Final = policies_of(ROLE, RestoreMode="act")
OF_ROOT: Final = (tags.RESTORED_FROM, tags.BACKUP, "Owner", "Name")
"""Keys that a new root volume gets."""
NOT_OF_ROOT: Final = sorted(
    value
    for value in vars(tags).values()
    if isinstance(value, str) and value.startswith(tags.PREFIX) and value != tags.PREFIX
    if value not in OF_ROOT
)


def new_root(
    *keys: str, on: dict[str, str] | None = None, made_of: str = "snap-0a1", resource: str = VOLUME
) -> Request:
    """Return a request to tag a volume that EC2 has made, and what it is made of."""
    request = tag(resource, *keys, on=on)
    told = {f"aws:RequestTag/{tags.RESTORED_FROM}": made_of} if tags.RESTORED_FROM in keys else {}
    return Request(request.action, request.resource, {**request.context, **told})


@pytest.mark.parametrize(
    ("request_", "is_written"),
    [
        (new_root(*OF_ROOT), True),
        (new_root(tags.RESTORED_FROM), True),
        (new_root(*OF_ROOT, on={"Name": "web"}), True),
        (new_root(*OF_ROOT, on={tags.BACKUP: "daily"}), False),
        (new_root(*OF_ROOT, on={tags.RESTORED_FROM: "snap-0a2"}), False),
        (new_root(*OF_ROOT, on=OURS), False),
        (new_root(*OF_ROOT, made_of="mine"), False),
        (new_root(tags.BACKUP, "Owner"), False),
        (new_root("Owner"), False),
        (new_root(*OF_ROOT, resource=INSTANCE), False),
    ],
    ids=[
        *("new", "what it is made of", "tagged by users", "opted in", "restored", "ours"),
        *("of no snapshot", "not told what of", "a user's alone", "an instance"),
    ],
)
def test_a_new_root_volume_is_tagged_once_with_what_it_is_made_of(
    request_: Request, *, is_written: bool
) -> None:
    assert is_allowed(ACT, request_) is is_written
    assert not is_allowed(REPORT, request_)


@pytest.mark.parametrize("key", NOT_OF_ROOT)
def test_no_other_tag_of_ours_comes_with_it(key: str) -> None:
    for spelled in (key, key.upper(), key.title()):
        assert not is_allowed(ACT, new_root(*OF_ROOT, spelled))
    assert len(NOT_OF_ROOT) >= 16
