"""What the end-to-end tests of uptime and service repair share: played once, looked at by many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.cloud.deployment import Json
from tests.e2e.prober import (
    Prober,
    Secrets,
    farm_on_the_internet,
    service,
    site,
    together,
    told,
)

if TYPE_CHECKING:
    from tests.cloud.deployment import Stack
    from tests.cloud.stack import LocalCloud
    from tests.e2e.conftest import Inboxes
    from tests.e2e.healer import Healer
    from tests.e2e.tagger import Tagger
    from tests.farm import Farm

SECONDS = 30.0
NO_INCIDENT = "tags/123456789012/eu-west-1/uptime/none/target_down/well"


@pytest.fixture(scope="session")
def secrets(cloud: LocalCloud) -> Secrets:
    """What probes may read of Secrets Manager and Systems Manager, and what not."""
    return Secrets.keep(cloud)


@pytest.fixture(scope="session")
def farm(cloud: LocalCloud) -> Iterator[Farm]:
    """Real servers: all that there is on the internet."""
    with farm_on_the_internet(cloud) as farm:
        yield farm


@pytest.fixture(scope="session")
def prober(tagger: Tagger, farm: Farm) -> Prober:
    """The uptime function of the third stack, which may ask for repairs."""
    return Prober(tagger.stack, farm)


@pytest.fixture(scope="session")
def onlooker(stack: Stack, farm: Farm) -> Prober:
    """The uptime function of the first stack, which only tells."""
    return Prober(stack, farm)


@dataclass
class Plays:
    """Three targets that went down and came back, each under a policy of its own name.

    `shop` is a service of ECS, `front` an instance, and of `kiosk` a stack only tells that it would
    ask. All runs of each are there. `unasked` is the answer where a repair is asked for without an
    incident, of a service whose tasks were `well`.
    """

    instance: str
    tasks: list[str]
    well: list[str]
    answers: dict[str, list[Json]] = field(default_factory=dict)
    unasked: Json = field(default_factory=dict)

    def reasons(self, name: str) -> list[tuple[str, str]]:
        """Return what was decided of a target, run by run."""
        return [told(each, name)[:2] for each in self.answers[name]]

    def results(self, name: str) -> list[str]:
        """Return how that ended, run by run."""
        return [told(each, name)[2] for each in self.answers[name]]


@pytest.fixture(scope="session")
def plays(prober: Prober, onlooker: Prober, healer: Healer, inboxes: Inboxes) -> Plays:
    """Play all three side by side; `inboxes` and `healer` have been listening."""
    tags = {"caretaker:remediate": "reboot"}
    front = prober.ec2.instance({}, tags=tags, zone="b", name="front").id
    plays = Plays(front, prober.add_service("shop"), prober.add_service("well"))

    def play(where: Prober, name: str, fix: Json, done: Callable[[], object]) -> None:
        target = site(name, fix=fix, slo=99.9)
        plays.answers[name] = where.play(name, [target], done)

    def ask_for_nothing() -> None:
        plays.unasked = prober.repair(service("well"), NO_INCIDENT, policy="none")

    started = datetime.now(UTC)
    stopped = partial(prober.stack.wait_for_answer, prober.repairs, started, policy="default")
    rebooted = partial(_wait_for, lambda: healer.power_log(plays.instance))
    together(
        partial(play, prober, "shop", service("shop"), stopped),
        partial(play, prober, "front", {"instance": plays.instance}, rebooted),
        partial(play, onlooker, "kiosk", service("shop"), lambda: None),
        ask_for_nothing,
    )
    return plays


def _wait_for(happened: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not happened() and time.monotonic() < end:
        time.sleep(0.1)
