"""Gather: the targets, what is remembered of them, and how they answer now."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from time import monotonic
from typing import TYPE_CHECKING

from caretaker.errors import FieldError, RefusedError, StateError
from caretaker.telemetry import logger
from functions.uptime.addresses import is_within
from functions.uptime.aws.secrets import Secrets
from functions.uptime.aws.sources import discover, read_object
from functions.uptime.facts import Facts
from functions.uptime.memory import Memory
from functions.uptime.plan import is_suspect
from functions.uptime.prober import Engine
from functions.uptime.probing import Credentials, probe
from functions.uptime.targets import Target
from functions.uptime.wanted import read_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caretaker.run import Run
    from functions.uptime.addresses import Network
    from functions.uptime.probing import Probed
    from functions.uptime.request import UptimeRequest
    from functions.uptime.wanted import Wanted


def gather(run: Run[UptimeRequest], *, is_cold: bool) -> Facts:
    """Read what is to be probed, and probe it."""
    networks = _networks(run)
    wanted = _wanted(run, networks)
    known = _remembered(run, wanted.targets)
    due = [t for t in wanted.targets.values() if not _is_in_maintenance(t, run)]
    secrets = Secrets(run.scene, due)
    probed = _probe(run, (t for t in due if secrets.are_known(t)), networks, secrets)
    return replace(
        known,
        targets=wanted.targets,
        wrong=wanted.wrong,
        probed=probed,
        unreadable=secrets.unreadable,
        is_blind=is_suspect(probed.values()) and not _is_canary_seen(run, networks),
        is_cold=is_cold,
    )


def _networks(run: Run[UptimeRequest]) -> Sequence[Network]:
    """Return the private networks to probe; `RefusedError` where the stack does not open one."""
    opened = [ip_network(each) for each in run.scene.settings.private_networks]
    for network in run.request.networks:
        if not any(is_within(network, each) for each in opened):
            problem = FieldError(
                "private_networks",
                f"the stack does not open {network}",
                "networks within those of the parameter UptimePrivateNetworks",
            )
            raise RefusedError("network_not_allowed", [problem])
    return run.request.networks


def _remembered(run: Run[UptimeRequest], targets: Mapping[str, Target]) -> Facts:
    """Return what is known of earlier runs; to look does no harm without it."""
    memory = Memory(run)
    instances = {t.name: t.fix.instance for t in targets.values() if t.fix and t.fix.instance}
    try:
        return Facts(
            targets,
            records=memory.records(),
            past=memory.past(),
            behind=memory.open_behind(instances) if instances else {},
        )
    except StateError as error:
        logger.warning("records unread", error=error.failure.as_error())
        return Facts(targets, is_remembered=False)


def _wanted(run: Run[UptimeRequest], networks: Sequence[Network]) -> Wanted:
    request, scene = run.request, run.scene
    written = [*request.targets]
    if request.targets_from:
        written += read_object(scene, request.targets_from)
    return read_targets(written, discover(scene, networks) if request.discover else ())


def _is_in_maintenance(target: Target, run: Run[UptimeRequest]) -> bool:
    return any(window.is_open(run.scene.now) for window in target.maintenance)


def _probe(
    run: Run[UptimeRequest],
    targets: Iterable[Target],
    networks: Sequence[Network],
    secrets: Secrets,
) -> dict[str, Probed]:
    """Probe them side by side; those that there was no time for are left out."""
    targets = list(targets)
    scripts = (probe(target, networks, secrets.of(target)) for target in targets)
    ended = Engine(run.request.at_once).run(scripts, _until(run))
    return {
        target.name: result
        for target, result in zip(targets, ended, strict=True)
        if result is not None
    }


def _is_canary_seen(run: Run[UptimeRequest], networks: Sequence[Network]) -> bool:
    """Tell whether a place that is always there answers anything at all."""
    canary = Target(name="canary", url=run.request.canary_url)
    (probed,) = Engine(1).run([probe(canary, networks, Credentials())], _until(run))
    return probed is not None and any(each.status for each in probed.last)


def _until(run: Run[UptimeRequest]) -> float:
    return monotonic() + max(0.0, run.scene.deadline.remaining())
