"""Instances are stopped, started, rebooted and terminated: all of a call's or none.

Source: EC2 API reference, "StopInstances", "StartInstances", "RebootInstances", "StateReason",
"Error codes"; EC2 user guide, "Enable stop protection", "Stop a Spot Instance", "Instance state
changes", "Amazon EC2 managed instances", "Insufficient instance capacity".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.instances import StateReason

from tests.cloud.aws_keys import is_usable
from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.extras import Extras, Switching
from tests.cloud.health import LISTED_FOR, REBOOT, STOP_START
from tests.cloud.refusals import Refusal, invalid_value, refuse_managed
from tests.cloud.volume_lives import DETACHING

if TYPE_CHECKING:
    from datetime import datetime

    from tests.cloud.views import View

_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
_GONE = frozenset({"shutting-down", "terminated"})
_STOPPABLE = frozenset({"running", "stopping", "stopped"})
USER = "Client.UserInitiatedShutdown"
_NO_KEY = "Client.InternalError"
_STARTABLE = frozenset({"pending", "running", "stopped"})


class StrictPower(StrictListings):
    """The part of a strict EC2 that switches instances."""

    def run_instances(self) -> ActionResult:
        """Launch by moto, at the cloud's time."""
        launched = super().run_instances()
        for instance in getattr(launched.result, "instances", ()):
            instance.launch_time = self.cloud.clock.now()
        return launched

    def reboot_instances(self) -> ActionResult:
        """Boot running instances anew, on the same host; terminated ones are ignored."""
        instances = [each for each in self._switchable() if each.state not in _GONE]
        for instance in instances:
            if instance.state != "running":
                raise _wrong_state(instance, "rebooted")
            refuse_managed(self.cloud.extras, instance.id)
        self.error_on_dryrun()
        now, health = self.cloud.clock.now(), self.cloud.extras.health
        for instance in instances:
            health.note(instance.id, "reboot", now)
            health.repaired(instance.id, REBOOT, now)
        return EmptyResult()

    def terminate_instances(self) -> ActionResult:
        """Let instances be shutting down, later terminated, and listed for an hour more."""
        ids = self._get_param("InstanceIds", [])
        there = {each.id for each in self.ec2_backend.all_instances() if each.state in _GONE}
        answer = super().terminate_instances()
        now, extras = self.cloud.clock.now(), self.cloud.extras
        for instance in self.ec2_backend.all_instances():
            if instance.id in ids and instance.id not in there:
                _gone(instance, extras, now)
                _switch(instance, extras, "shutting-down", "terminated", now)
        return answer

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
            self._refuse_rootless(instance)
        for instance in instances:
            self._refuse_start(instance)
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

    def _refuse_start(self, instance: Any) -> None:
        plan = self.cloud.extras.health.take(instance.id, "refuse-start")
        if plan is None or instance.state != "stopped":
            return
        zone = instance.placement.zone
        raise Refusal(
            plan.code,
            plan.message
            or f"We currently do not have sufficient {instance.instance_type} capacity in the "
            f"Availability Zone you requested ({zone}). Our system will be working on "
            "provisioning additional capacity.",
            500,
        )

    def _refuse_rootless(self, instance: Any) -> None:
        """Refuse to start what has lost its root; some in tests never had a volume at all."""
        root, volumes = instance.root_device_name, self.cloud.extras.volumes
        seated = instance.block_device_mapping.get(root)
        way = seated and volumes.seats.get((seated.volume_id, instance.id))
        leaves = way is not None and way.state == DETACHING
        if instance.id in volumes.roots and (seated is None or leaves):
            raise invalid_value(
                f"Invalid value '{instance.id}' for instanceId. "
                f"Instance does not have a volume attached at root ({root})"
            )

    def _refuse_unstoppable(self, instance: Any) -> None:
        if instance.root_device_type != "ebs":
            raise Refusal(
                "UnsupportedOperation",
                f"The instance '{instance.id}' does not have an 'ebs' root device type and cannot "
                "be stopped.",
            )
        refuse_managed(self.cloud.extras, instance.id)

    def _stop(self, instance: Any, now: datetime) -> View:
        previous = {"Name": instance.state, "Code": instance.state_code}
        if instance.state == "running":
            instance.stop()
            # GMT is how EC2 writes it.
            instance._reason = f"User initiated ({now:%Y-%m-%d %H:%M:%S} GMT)"  # noqa: SLF001
            self.cloud.extras.health.note(instance.id, "stop", now)
            _switch(instance, self.cloud.extras, "stopping", "stopped", now)
        current = previous if previous["Name"] == "stopped" else {"Name": "stopping", "Code": 64}
        return {"InstanceId": instance.id, "PreviousState": previous, "CurrentState": current}

    def _start(self, instance: Any, now: datetime) -> View:
        previous = {"Name": instance.state, "Code": instance.state_code}
        if instance.state == "stopped":
            instance.start()
            instance.launch_time, instance.state_reason = now, StateReason()
            self._set_out(instance, now)
        current = previous if previous["Name"] == "running" else {"Name": "pending", "Code": 0}
        return {"InstanceId": instance.id, "PreviousState": previous, "CurrentState": current}

    def _set_out(self, instance: Any, now: datetime) -> None:
        """Let a start take its way: to running, or back to stopped."""
        extras, health = self.cloud.extras, self.cloud.extras.health
        health.note(instance.id, "start", now)
        plan = health.take(instance.id, "fall-back")
        way = _switch(instance, extras, "pending", "running", now)
        if plan is not None:
            way.state, way.reason = "stopped", (plan.code, plan.message)
        elif not all(is_usable(each, self.where, extras) for each in self._keys_of(instance)):
            way.state, way.reason = "stopped", (_NO_KEY, f"{_NO_KEY}: Client error on launch")
        else:
            health.running_since[instance.id] = way.until
            health.repaired(instance.id, STOP_START, way.until)

    def _keys_of(self, instance: Any) -> set[str]:
        volumes = self.ec2_backend.volumes
        attached = [mapping.volume_id for _, mapping in instance.get_block_device_mapping]
        found = {volumes[each].kms_key_id for each in attached if each in volumes}
        return {str(each) for each in found if each}


def _switch(instance: Any, extras: Extras, way: str, end: str, now: datetime) -> Switching:
    plan = extras.health.take(instance.id, way)
    seconds = extras.switching_seconds if plan is None else plan.seconds
    made = extras.switching[instance.id] = Switching(now + timedelta(seconds=seconds), end)
    _put(instance, way)
    return made


def put_down(instance: Any, code: str, message: str, now: datetime) -> None:
    """Let an instance be stopped for a reason of its own; only a user's has its time told."""
    instance.stop()
    by_user = code == USER
    instance._reason = f"User initiated ({now:%Y-%m-%d %H:%M:%S} GMT)" if by_user else ""  # noqa: SLF001
    instance.state_reason = StateReason(message or code, code)


def terminate(instance: Any, extras: Extras, now: datetime) -> None:
    """Let an instance be terminated at once."""
    instance.terminate()
    extras.switching.pop(instance.id, None)
    _gone(instance, extras, now)


def _gone(instance: Any, extras: Extras, now: datetime) -> None:
    instance._reason = f"User initiated ({now:%Y-%m-%d %H:%M:%S} GMT)"  # noqa: SLF001
    extras.health.note(instance.id, "terminate", now)
    extras.health.terminated[instance.id] = now
    if extras.vanishing_tags:
        instance.ec2_backend.tags.pop(instance.id, None)


def settle_instances(backend: Any, extras: Extras, now: datetime) -> None:
    """Bring what is on its way to its end, once its time has come; forget the long terminated."""
    due = {key: each for key, each in extras.switching.items() if each.until <= now}
    gone = {key for key, at in extras.health.terminated.items() if at + LISTED_FOR <= now}
    if not due and not gone:
        return
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            if instance.id in due:
                _arrive(instance, extras, due[instance.id])
        reservation.instances[:] = [each for each in reservation.instances if each.id not in gone]
    for instance_id in gone:
        backend.tags.pop(instance_id, None)


def _arrive(instance: Any, extras: Extras, way: Switching) -> None:
    del extras.switching[instance.id]
    if way.reason is None:
        _put(instance, way.state)
        return
    code, message = way.reason
    put_down(instance, code, message, way.until)
    extras.health.note(instance.id, "fell-back", way.until)


def _put(instance: Any, state: str) -> None:
    instance._state.name, instance._state.code = state, _CODES[state]  # noqa: SLF001


def _wrong_state(instance: Any, what: str) -> Refusal:
    return Refusal(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {what}.",
    )
