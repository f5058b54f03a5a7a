"""The calls of the chore `uptime` are exactly those that its role was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from functions.uptime import app
from tests.cloud import Account
from tests.support.tour import CALLED_BY, Witness
from tests.support.uptime_world import SHOP, reason, told

if TYPE_CHECKING:
    import pytest

    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

PROBE: Final = {"caretaker:probe": "http/"}
SERVICE: Final = {"ecs_service": {"cluster": "web", "service": "shop"}}


def test_a_tour_through_every_path_calls_every_listed_action_and_no_other(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Witness(uptime.cloud)
    witness.attend(monkeypatch)
    uptime.cloud.pages.size = None
    uptime.functions()
    account = Account(uptime.cloud)
    listed = account.object("shop-targets", "targets.json", _targets(account))
    machine = account.instance(tags=PROBE).id
    account.load_balancer("web", PROBE)
    everything: dict[str, Any] = {
        "targets_from": listed,
        "discover": True,
        "private_networks": ["10.0.0.0/8"],
    }
    uptime.farm.set("shop", status=503)
    answers = uptime.runs(4, **everything)
    assert reason(answers[0], machine) == "up"
    assert {told(answers[3], each) for each in ("by-secret", "by-parameter")} == {
        ("fix", "down", "done")
    }
    uptime.farm.set("shop", status=200)
    uptime.runs(3, **everything)
    uptime.stack.run(app.CHORE, {})
    uptime.run(mode="report")

    assert witness.seen[app.CHORE.name] == CALLED_BY[app.CHORE.name]


def _targets(account: Account) -> list[dict[str, Any]]:
    """Return targets with credentials of both kinds, and somebody to repair them."""
    instance = {"instance": "i-0123456789abcdef0"}
    secret, parameter = account.secret("shop/a", "x"), account.parameter("/shop/b", "y")
    return [
        {**SHOP, "name": "by-secret", "auth": {"secret": {"arn": secret}}, "fix": SERVICE},
        {**SHOP, "name": "by-parameter", "auth": {"secret": {"arn": parameter}}, "fix": instance},
    ]
