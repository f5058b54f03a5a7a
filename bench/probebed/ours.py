"""The uptime chore from its targets to its verdicts, without AWS: see `measuring`.

What it does beside: targets are parsed and judged as in a run. Two things are changed, for the
farm is on loopback and its authority is nobody's: an address of loopback is judged as a public one,
and the bundle of authorities is the task's. A probe is tried once, as the others do.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

from bench.probebed.measuring import LOOK_UP_SECONDS, Answer, Task, play
from functions.uptime import probing
from functions.uptime.addresses import is_blocked
from functions.uptime.facts import Facts
from functions.uptime.plan import plan_uptime
from functions.uptime.prober import Engine, request
from functions.uptime.probing import Credentials, probe
from functions.uptime.request import UptimeRequest
from functions.uptime.traces import Phase, Resolve, Resolved
from functions.uptime.wanted import read_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.uptime.addresses import Network
    from functions.uptime.verdict import Verdict

_NOBODY: Final = Credentials()
_UNTIL_SECONDS: Final = 240


@contextmanager
def within_farm(bundle: str) -> Iterator[None]:
    """Judge 127.x.y.z as 93.x.y.z, which is public, and trust this bundle."""

    def checked(text: str, allowed: Sequence[Network] = ()) -> bool:
        return is_blocked(text.replace("127.", "93.", 1), allowed)

    with changed(probing, "is_blocked", checked), changed(request, "where", lambda: bundle):
        yield


@contextmanager
def changed(holder: object, name: str, value: object) -> Iterator[None]:
    """Let an attribute be another; `unittest.mock` would load asyncio, and memory is measured."""
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)


def _probe_all(task: Task) -> list[Answer]:
    addresses = {host.name: host.address for host in task.hosts}

    def look_up(step: Resolve) -> Resolved:
        time.sleep(LOOK_UP_SECONDS)
        return Resolved((addresses[step.host],), LOOK_UP_SECONDS * 1000)

    wanted = read_targets([host.as_target() for host in task.hosts])
    targets = list(wanted.targets.values())
    scripts = (probe(target, (), _NOBODY) for target in targets)
    with within_farm(task.bundle), changed(probing, "PAUSES", ()):
        ended = Engine(task.at_once, look_up).run(scripts, monotonic() + _UNTIL_SECONDS)
    probed = {t.name: each for t, each in zip(targets, ended, strict=True) if each is not None}
    facts = Facts(wanted.targets, probed=probed)
    now = datetime.now(UTC)
    plan = plan_uptime(facts, UptimeRequest(), now=now, slot=f"{now:%Y-%m-%dT%H:%MZ}")
    verdicts = {verdict.name: verdict for verdict in plan.verdicts}
    return [_answer(verdicts[target.name]) for target in targets]


def _answer(verdict: Verdict) -> Answer:
    failure = verdict.failure
    shown = verdict.shown
    first_byte = shown.phases.get(Phase.FIRST_BYTE) if shown else None
    said = f"{failure.fault} {failure.phase or failure.why}" if failure else ""
    return Answer(said, first_byte)


if __name__ == "__main__":
    play(_probe_all)
