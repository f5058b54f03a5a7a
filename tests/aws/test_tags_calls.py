"""The calls of the tagging chore are exactly those that its role was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.tagging import app
from tests.cloud import Account
from tests.support.tags_world import DAY, OWNED, TagsWorld, only
from tests.support.tour import CALLED_BY, Witness

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ELSEWHERE: Final = "210987654321"
RULES: Final[dict[str, Any]] = {
    "Owner": {
        "escalate": True,
        "from": ["instance", "asg", "launch-template", "vpc", "subnet", "account"],
    },
    "Team": only("rds:db", default="ops"),
}


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_tour_through_every_path_calls_every_listed_action_and_no_other(
    stack: Stack, cloud: StrictCloud, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Witness(cloud)
    witness.attend(monkeypatch)
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    cloud.pages.size = None
    account = Account(cloud)
    world = TagsWorld(cloud, clock, stack, account)
    account.organization(tags={"Team": "web"})
    account.instance({}, tags=OWNED)
    template = account.launch_template([])
    account.instance(template=template, group=account.scaling_group(template, "1"))
    account.resource("rds:db", tags={"env": "prod"})
    stack.run(app.CHORE, {"rulez": {}})
    stack.run(app.CHORE, {"rules": {"Team": only("elastic-ip")}})
    topic = stack.open_topic("owners")
    first, second = (account.instance(tags={"Team": "web"}).id for _ in range(2))
    account.backend.tags[first].clear()
    _escalated(world, topic, first, second)
    _rounds(world)
    Account(cloud, account=ELSEWHERE).volume()
    world.run(RULES, target={"account": ELSEWHERE})

    assert witness.seen["tagging"] == CALLED_BY["tagging"]


def _escalated(world: TagsWorld, topic: str, first: str, second: str) -> None:
    """Let two be told of, marked and stopped; then one is put right, before the other's stop."""
    rules = {**RULES, "Owner": {**RULES["Owner"], "from": ["instance"]}}
    for day in range(12):
        world.daily(rules, owner_key="Team", owners={"web": topic})
        if day == 3:
            world.account.tag(second, OWNED)
    assert world.account.backend.get_instance(first).state == "stopped"
    world.account.tag(first, OWNED)
    world.daily(rules)
    world.daily(rules)
    assert world.account.backend.get_instance(first).state == "running"
    world.run(RULES, scheduled_time="2026-12-24T03:00:00Z")


def _rounds(world: TagsWorld) -> None:
    """Let a run have time for some of its changes alone."""
    for n in range(12):
        world.account.instance({}, tags={"Owner": f"owner-{n}"})
    world.cloud.seconds_per_call = 5
    rules = {"Owner": only("volume", **{"from": ["instance"]})}
    answer = world.run(rules, seconds=60 + 75, scheduled_time="2026-12-25T03:00:00Z")
    assert answer["complete"] is False
    world.cloud.seconds_per_call = 0
    world.clock.advance(DAY)
