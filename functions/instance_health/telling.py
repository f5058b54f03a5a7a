"""The words about one instance. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import Check, Severity
from caretaker.settings import Mode

from .facts import ENDING, RUNNING, Cause, Reason
from .ladder import Ending, Stand
from .request import Rung
from .words import NEXT, said_of, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ended import Told
    from .facts import Status
    from .ladder import Ladder

_UNTOLD: Final = frozenset({Reason.FIRST_SEEN, Reason.JUST_IMPAIRED, Reason.GONE})


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said of one instance at the end of a run."""

    told: Told

    def impaired(self) -> Iterator[Check]:
        """Yield how it stands with its failed check, or with what a repair was asked for.

        Unknown is not healthy: then the incident stays as it is.
        """
        status, ladder, reason = self._status, self.told.ladder, self.told.reason
        if reason == Reason.IGNORED:
            return
        kind = "repair_asked" if self._is_asked else "instance_impaired"
        climbs = ladder is not None and ladder.is_open and ladder.cause is not Cause.EVENT
        is_lost = ladder is not None and ladder.ending is Ending.UNKNOWN and not status.is_over
        if (status.cause and reason not in _UNTOLD) or climbs or is_lost or self._is_asked:
            yield self._unhealthy(kind)
        elif status.is_over:
            yield self._check(kind, healthy=True, ending=self._ending())
        else:
            yield self._check(kind, healthy=None)

    def left_stopped(self) -> Check:
        """Return that we stopped it and it does not run: nothing is more urgent.

        As long as nothing speaks against its start, that is not said, nor that all is well.
        """
        if not self.told.is_left_stopped:
            return self._check("instance_left_stopped", healthy=None)
        ladder, error = self.told.ladder, self.told.outcome.error
        return self._check(
            "instance_left_stopped",
            healthy=False,
            severity=Severity.CRITICAL,
            what="stopped for a repair and not running again",
            evidence={
                "state": self._status.state,
                "starts tried": str(
                    ladder.tries if ladder and ladder.stand is Stand.STARTING else 0
                ),
                "error": f"{error['code']}: {error['message']}" if error else "",
                **self._evidence(),
            },
            done=self._done(),
            next="the start is tried again, up to every 15 minutes; start it by hand if you can"
            if self.told.mode is Mode.ACT
            else "start it by hand: this chore has been set to report only",
        )

    def stuck(self) -> Check:
        """Return that it is between two states for too long."""
        sighting, state = self.told.verdict.item.sighting, self._status.state
        since = span(sighting.since, self.told.case.now) if sighting else ""
        return self._check(
            "instance_stuck",
            healthy=False,
            what=f"{state} for {since}",
            evidence=self._evidence(),
            done="nothing",
            next="EC2 offers a forced stop; see the runbook",
            cause=state,
        )

    def not_running(self) -> Check:
        """Return that it should run and does not."""
        return self._check(
            "instance_not_running",
            healthy=False,
            severity=Severity.CRITICAL,
            what=f"{self._status.state}, although tagged to be running",
            evidence=self._evidence(),
            done="nothing: it was not stopped by this chore",
            next="start it, or take the tag caretaker:expect away",
            is_final=self._status.state in ENDING,
            cause=self._status.state,
        )

    def unknown(self) -> Check:
        """Return that EC2 has no status of it for a while."""
        return self._check(
            "instance_unknown",
            healthy=False,
            severity=Severity.NOTICE,
            what="no status checks for 15 minutes: insufficient data",
            evidence=self._evidence(),
            done="nothing: what is not known is not repaired",
            next="resolved when EC2 tells a status again",
        )

    @property
    def _is_asked(self) -> bool:
        """Tell whether what a repair was asked for is still the matter."""
        ladder, is_open = self.told.ladder, self.told.case.facts.open_incidents
        return ladder is not None and not ladder.is_settled and ladder.incident in is_open

    @property
    def _status(self) -> Status:
        return self.told.verdict.item.status

    def _unhealthy(self, kind: str) -> Check:
        status, ladder, told = self._status, self.told.ladder, self.told
        zone, closed = status.zone, told.case.closed
        parents = {
            f"instance_left_stopped/{status.id}": told.is_left_stopped,
            f"zone_impaired/{zone}": zone in closed,
            f"fleet_impaired/{told.region}": "" in closed,
            ladder.incident if ladder else "": kind == "repair_asked",
        }
        return self._check(
            kind,
            healthy=False,
            severity=Severity.CRITICAL if told.needs_people else Severity.WARNING,
            stage=_stage(ladder),
            what=said_of(told),
            evidence=self._evidence(),
            done=self._done(),
            next=NEXT.get(Reason(told.reason), "the next poll looks again"),
            cause=str(status.cause or ""),
            within=next((parent for parent, is_open in parents.items() if is_open), ""),
        )

    def _check(self, kind: str, **said: Any) -> Check:  # noqa: ANN401 - a check's own fields
        machine = self.told.case.facts.machines.get(self._status.id)
        name = machine.name if machine else ""
        return Check(kind=kind, resource=self._status.id, name=name, **said)

    def _evidence(self) -> dict[str, str]:
        status, facts = self._status, self.told.case.facts
        machine = facts.machines.get(status.id)
        said = {
            "checks": f"system {status.system}, EBS {status.ebs}, instance {status.instance}"
            if status.state == RUNNING and status.system
            else "",
            "since": f"{status.since:%Y-%m-%d %H:%M} UTC" if status.since else "",
            "zone": status.zone,
            "why": self.told.reason.replace("_", " "),
            "state": machine.ended_why if machine and status.state != RUNNING else "",
            "key": facts.bad_keys.get(status.id, ""),
            "address": machine.public_address
            if machine and self.told.reason == Reason.ADDRESS_WOULD_CHANGE
            else "",
        }
        return {key: value for key, value in said.items() if value}

    def _done(self) -> str:
        """Return what was tried, and how that ended."""
        told, ladder = self.told, self.told.ladder
        lines = list(ladder.history) if ladder and self._is_current(ladder) else []
        if ladder and ladder.stand in {Stand.TAKEN, Stand.STOPPING, Stand.STARTING}:
            lines.append(f"{ladder.step} at {ladder.at:%H:%M}")
        if told.is_planned:
            lines.append(f"nothing more: this run only reports; to act is {told.decision.action}")
        error = told.outcome.error
        if error:
            lines.append(f"{told.decision.action} failed: {error['code']}")
        return "; ".join(lines) or "nothing"

    def _is_current(self, ladder: Ladder) -> bool:
        """Tell whether a ladder is about the trouble that there is now."""
        sighting = self.told.verdict.item.sighting
        ended_in_it = ladder.ended and sighting and ladder.ended >= sighting.since
        return ladder.is_open or bool(ended_in_it)

    def _ending(self) -> str:
        """Return how it became healthy, as far as this run knows."""
        status, ladder = self._status, self.told.ladder
        if not status.is_well:
            return f"no longer running: {status.state}"
        if ladder and ladder.ending is Ending.FIXED and ladder.ended == self.told.case.now:
            return f"fixed by {'a reboot' if ladder.step == Rung.REBOOT else ladder.step}"
        return ""


def _stage(ladder: Ladder | None) -> str:
    """Return how far the repair has come: each rung is told once, and the end of all."""
    if ladder is None:
        return ""
    over = f" {ladder.ending}" if ladder.ending else ""
    return f"{ladder.began:%Y-%m-%dT%H:%M} rung {ladder.rung}{over}"
