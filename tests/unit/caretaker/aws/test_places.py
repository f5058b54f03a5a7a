"""What sessions of other accounts share: where moto answers, they share it anyhow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from caretaker.aws.places import Place, own_session, session_for
from caretaker.aws.session import forget

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS: Final = ("111111111111", "222222222222")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sessions of this test alone."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    forget()
    yield
    forget()


@pytest.mark.parametrize("shared", ["data_loader", "event_emitter", "response_parser_factory"])
def test_models_hooks_and_parsers_are_there_once_for_all_accounts(shared: str) -> None:
    places = [Place(each, "eu-west-1", f"arn:aws:iam::{each}:role/x") for each in MEMBERS]
    sessions = [session_for(each) for each in places]

    assert len({*map(id, sessions)}) == len(MEMBERS)
    for each in sessions:
        assert each.get_component(shared) is own_session().get_component(shared)


def test_credentials_are_each_accounts_own() -> None:
    one, other = (
        session_for(Place(each, "eu-west-1", f"arn:aws:iam::{each}:role/x")).get_credentials()
        for each in MEMBERS
    )

    assert one is not other
    assert one is not own_session().get_credentials()
