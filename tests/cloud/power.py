"""StopInstances and StartInstances: of all their instances or of none.

Source: EC2 API reference, "StopInstances", "StartInstances", "Error codes"; EC2 user guide, "Enable
stop protection", "Stop a Spot Instance", "Amazon EC2 managed instances".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.models.instances import StateReason

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.extras import Extras, Switching
from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from tests.cloud.views import View

_CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}
_STOPPABLE = frozenset({"running", "stopping", "stopped"})
_STARTABLE = frozenset({"pending", "running", "stopped"})


class StrictPower(StrictListings):
    """The part of a strict EC2 that stops and starts."""

    def stop_instances(self) -> ActionResult:
        """Let instances be stopping, later stopped; a stopped one stays so."""
        instances = self._switchable()
        for instance in instances:
            self._refuse_stop(instance)
        self.error_on_dryrun()
        now = self.cloud.clock.now()
        changes = [self._stop(each, now) for each in instances]
        return ActionResult({"StoppingInstances": changes})

    def start_instances(self) -> ActionResult:
        """Let instances be pending, later running: launched anew, on another host."""
        instances = self._switchable()
        for instance in instances:
            self._refuse_unstoppable(instance)
            if instance.state not in _STARTABLE:
                raise _wrong_state(instance, "started")
        self.error_on_dryrun()
        now = self.cloud.clock.now()
        changes = [self._start(each, now) for each in instances]
        return ActionResult({"StartingInstances": changes})

    def _switchable(self) -> list[Any]:
        ids = self._get_param("InstanceIds", [])
        if not ids:
            raise Refusal("MissingParameter", "The request must contain the parameter InstanceId")
        refuse_malformed("InstanceId", ids)
        known = {each.id: each for each in self.ec2_backend.all_instances()}
        missing = [each for each in ids if each not in known]
        if missing:
            raise not_found("InstanceId", ", ".join(missing))
        return [known[each] for each in dict.fromkeys(ids)]

    def _refuse_stop(self, instance: Any) -> None:
        if instance.state not in _STOPPABLE:
            raise _wrong_state(instance, "stopped")
        self._refuse_unstoppable(instance)
        if self.cloud.extras.spots.get(instance.id) == "one-time":
            raise Refusal(
                "UnsupportedOperation",
                f"You can't stop the Spot Instance '{instance.id}' because it is associated with a "
                "one-time Spot Instance request. You can only stop Spot Instances associated with "
                "persistent Spot Instance requests.",
            )
        if str(instance.disable_api_stop).lower() == "true":
            raise Refusal(
                "OperationNotPermitted",
                f"The instance '{instance.id}' may not be stopped. Modify its 'disableApiStop' "
                "instance attribute and try again.",
            )

    def _refuse_unstoppable(self, instance: Any) -> None:
        if instance.root_device_type != "ebs":
            raise Refusal(
                "UnsupportedOperation",
                f"The instance '{instance.id}' does not have an 'ebs' root device type and cannot "
                "be stopped.",
            )
        principal = self.cloud.extras.operators.get(instance.id)
        if principal:
            raise Refusal(
                "OperationNotPermitted", f"The instance '{instance.id}' is managed by {principal}."
            )

    def _stop(self, instance: Any, now: datetime) -> View:
        previous = {"Name": instance.state, "Code": instance.state_code}
        if instance.state == "running":
            instance.stop()
            # GMT is how EC2 writes it.
            instance._reason = f"User initiated ({now:%Y-%m-%d %H:%M:%S} GMT)"  # noqa: SLF001
            self._switch(instance, "stopping", "stopped", now)
        current = previous if previous["Name"] == "stopped" else {"Name": "stopping", "Code": 64}
        return {"InstanceId": instance.id, "PreviousState": previous, "CurrentState": current}

    def _start(self, instance: Any, now: datetime) -> View:
        previous = {"Name": instance.state, "Code": instance.state_code}
        if instance.state == "stopped":
            instance.start()
            instance.launch_time, instance.state_reason = now, StateReason()
            self._switch(instance, "pending", "running", now)
        current = previous if previous["Name"] == "running" else {"Name": "pending", "Code": 0}
        return {"InstanceId": instance.id, "PreviousState": previous, "CurrentState": current}

    def _switch(self, instance: Any, way: str, end: str, now: datetime) -> None:
        extras = self.cloud.extras
        until = now + timedelta(seconds=extras.switching_seconds)
        extras.switching[instance.id] = Switching(until, end)
        _put(instance, way)


def settle_instances(backend: Any, extras: Extras, now: datetime) -> None:
    """Bring what is pending or stopping to its end, once its time has come."""
    due = {key: each for key, each in extras.switching.items() if each.until <= now}
    if not due:
        return
    for instance in backend.all_instances():
        if instance.id in due:
            _put(instance, due[instance.id].state)
            del extras.switching[instance.id]


def _put(instance: Any, state: str) -> None:
    instance._state.name, instance._state.code = state, _CODES[state]  # noqa: SLF001


def _wrong_state(instance: Any, what: str) -> Refusal:
    return Refusal(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {what}.",
    )
