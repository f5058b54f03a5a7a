"""Breaks instances by hand: failing checks, scheduled events, stops and starts that go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cloud.account_crowd import CrowdedPlace
from tests.cloud.health import INSUFFICIENT, Impairment, PowerPlan, ScheduledEvent
from tests.cloud.keeping import KeepingPlace
from tests.cloud.power import put_down, terminate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cloud.health import Health

    Tags = Mapping[str, str]

_CAPACITY = "InsufficientInstanceCapacity"
_LAUNCH_ERROR = "Client.InternalError"
_DESCRIPTIONS = {
    "instance-reboot": "The instance is scheduled for a reboot",
    "system-reboot": "The instance's host is scheduled for a reboot",
    "system-maintenance": "The instance's host is scheduled for maintenance",
    "instance-retirement": "The instance is running on degraded hardware",
    "instance-stop": "The instance is running on degraded hardware",
}


class HealthPlace(CrowdedPlace, KeepingPlace):
    """Seeds what is wrong with instances, and tells what was done about it."""

    @property
    def health(self) -> Health:
        """What the cloud knows of instances' health, of all accounts and regions."""
        return self.cloud.extras.health

    def impair(
        self,
        instance_ids: str | Sequence[str],
        which: str = "instance",
        *,
        since: datetime | str | None = None,
        minutes_ago: float = 0.0,
        until_repaired_by: str = "reboot",
        after: int = 1,
        seconds: float = 0.0,
        status: str = "impaired",
    ) -> None:
        """Let a check of some instances fail: instance, system or ebs.

        It began at `since`, or so many minutes ago. `until_repaired_by` is reboot (a stop and start
        counts as well), stop-start, nothing, or itself: then it ends `seconds` after now. Else the
        check passes `seconds` after the `after`th repair that counts. `which="insufficient-data"`
        is the instance and the system check with that status.
        """
        now = self.cloud.clock.now()
        moment = _moment(since) or now - timedelta(minutes=minutes_ago)
        unsure = which == INSUFFICIENT
        for each in [instance_ids] if isinstance(instance_ids, str) else instance_ids:
            for check in ("instance", "system") if unsure else (which,):
                made = Impairment(
                    check,
                    moment,
                    INSUFFICIENT if unsure else status,
                    until_repaired_by,
                    after,
                    seconds,
                )
                if until_repaired_by == "itself":
                    made.ends_at = now + timedelta(seconds=seconds)
                self.health.impairments.setdefault(each, []).append(made)

    def heal(self, instance_id: str) -> None:
        """Let every check of an instance pass."""
        self.health.impairments.pop(instance_id, None)

    def impaired_crowd(
        self,
        number: int,
        which: str = "instance",
        *,
        zone: str = "",
        tags: Tags | None = None,
        tags_of: Callable[[int], Tags] | None = None,
        **impairment: Any,
    ) -> list[str]:
        """Add very many impaired instances at once, see `crowd` and `impair`; return their ids."""
        ids = self.crowd("instance", number, tags=tags, tags_of=tags_of, zone=zone)
        self.impair(ids, which, **impairment)
        return ids

    def scheduled_event(
        self,
        instance_id: str,
        code: str = "instance-retirement",
        not_before: datetime | str | None = None,
        *,
        in_hours: float = 24 * 14,
        not_after: datetime | str | None = None,
        deadline: datetime | str | None = None,
        description: str = "",
        settles: bool = True,
    ) -> str:
        """Let AWS plan something, at `not_before` or in so many hours; return the event's id.

        A stop and start completes any, a reboot only `instance-reboot` and (unless reboot migration
        is disabled) `system-reboot`; with `settles=False` no repair does.
        """
        start = _moment(not_before) or self.cloud.clock.now() + timedelta(hours=in_hours)
        text = description or _DESCRIPTIONS[code]
        return self.health.add_event(
            ScheduledEvent(
                "",
                instance_id,
                code,
                text,
                start,
                _moment(not_after),
                _moment(deadline),
                settles,
            )
        )

    def complete_event(self, event_id: str) -> None:
        """Let an event be over: listed for a week more as `[Completed] `."""
        self.health.events[event_id].settle("[Completed] ", self.cloud.clock.now())

    def cancel_event(self, event_id: str) -> None:
        """Let AWS call an event off: listed for a week more as `[Canceled] `."""
        self.health.events[event_id].settle("[Canceled] ", self.cloud.clock.now())

    def drop_event(self, event_id: str) -> None:
        """Let an event be listed no more."""
        del self.health.events[event_id]

    def power_log(self, instance_id: str = "") -> list[str]:
        """Return what was done to an instance, or to all, in order.

        That is reboot, stop, start, fell-back (a start that ended stopped) and terminate; what was
        refused or done to one that already was so is none.
        """
        return [act.what for act in self.health.power if instance_id in {"", act.instance_id}]

    def refuse_start(
        self,
        instance_id: str,
        times: int | None = 1,
        code: str = _CAPACITY,
        message: str = "",
    ) -> None:
        """Let the next starts of an instance be refused, for capacity unless told otherwise."""
        self.health.plans[instance_id, "refuse-start"] = PowerPlan(times, 0, code, message)

    def start_falls_back(
        self,
        instance_id: str,
        times: int | None = 1,
        code: str = _LAUNCH_ERROR,
        message: str = "",
    ) -> None:
        """Let the next starts be accepted and end stopped, with this StateReason."""
        text = message or f"{code}: Client error on launch"
        self.health.plans[instance_id, "fall-back"] = PowerPlan(times, 0, code, text)

    def hang(
        self,
        instance_id: str,
        seconds: float,
        state: str = "stopping",
        times: int | None = 1,
    ) -> None:
        """Let the next stops (or, `pending`, starts) take that long."""
        if state not in {"stopping", "pending"}:
            raise ValueError(f"an instance hangs stopping or pending, not {state}")
        self.health.plans[instance_id, state] = PowerPlan(times, seconds)

    def put_down(
        self, instance_id: str, code: str = "Client.InstanceInitiatedShutdown", message: str = ""
    ) -> None:
        """Stop an instance behind everybody's back: from within, or `Server.ScheduledStop`."""
        put_down(self.backend.get_instance(instance_id), code, message, self.cloud.clock.now())

    def terminate(self, instance_id: str, *, tags_vanish: bool = False) -> None:
        """Terminate an instance behind everybody's back: listed for an hour, maybe untagged."""
        instance = self.backend.get_instance(instance_id)
        terminate(instance, self.cloud.extras, self.cloud.clock.now())
        if tags_vanish:
            self.backend.tags.pop(instance_id, None)


def _moment(given: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(given) if isinstance(given, str) else given
