"""EC2 as the restore of one instance meets it: in simulated time, with all that goes wrong."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError, ReadTimeoutError

from caretaker import tags as tag
from tests.support.builders import NOW
from tests.support.restore_state import (
    LOST,
    SEAT_SECONDS,
    TURN_SECONDS,
    Faults,
    State,
    Vol,
    from_outside,
)
from tests.support.restoring import ROOT, ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.builders import FakeClock

_CALL_SECONDS: Final = 0.2


class Ec2:
    """The calls of a restore, as boto3 has them; `point` is told of each before and after it."""

    def __init__(
        self, start: State, clock: FakeClock, faults: Faults, point: Callable[[], None], target: str
    ) -> None:
        self.clock, self.faults, self.target = clock, faults, target
        self._point = point
        self._states: list[tuple[float, State]] = [(0.0, start)]
        self._outside = sorted(faults.outside)
        self._tokens: dict[str, str] = {}
        self.calls: dict[str, int] = {}
        self.deleted: list[Vol] = []
        self.made = 0
        self.ready_at_first_touch: int | None = None
        self.hot: list[str] = []

    @property
    def state(self) -> State:
        """Return all as it is now."""
        now = self.clock.monotonic()
        while self._outside and self._outside[0][0] <= now:
            at, what = self._outside.pop(0)
            self._states.append((at, from_outside(self._states[-1][1].at(at), what, at)))
        return self._states[-1][1].at(now)

    def create_volume(self, **asked: Any) -> dict[str, Any]:
        return self._call("create_volume", lambda: self._create(asked))

    def delete_volume(self, *, VolumeId: str) -> dict[str, Any]:  # noqa: N803
        def delete() -> dict[str, Any]:
            vol = self._vol(VolumeId)
            if vol.state == "in-use":
                raise refusal("VolumeInUse")
            if vol.state in {"creating", "deleting"}:
                raise refusal("IncorrectState")
            self.deleted.append(vol)
            return self._set(replace(vol, state="deleting", until=self._now + 8, then=""))

        return self._call("delete_volume", delete)

    def stop_instances(self, **_: Any) -> dict[str, Any]:
        return self._call("stop_instances", lambda: self._turn("running", "stopping", "stopped"))

    def start_instances(self, **_: Any) -> dict[str, Any]:
        def start() -> dict[str, Any]:
            sits = {vol.device for vol in self.state.vols.values() if vol.seat == "attached"}
            if ROOT not in sits:
                raise refusal("IncorrectState")
            number = self.calls["start_instances"] - 1 - self._passed_over("start_instances")
            fate = dict(enumerate(self.faults.starts)).get(number, "running")
            return self._turn("stopped", "pending", fate)

        return self._call("start_instances", start)

    def detach_volume(self, *, VolumeId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        def detach() -> dict[str, Any]:
            vol = self._vol(VolumeId)
            if vol.seat not in {"attached", "attaching"}:
                raise refusal("IncorrectState")
            return self._set(replace(vol, seat="detaching", seated=self._now + SEAT_SECONDS))

        return self._touch("detach_volume", detach)

    def attach_volume(self, *, VolumeId: str, Device: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        def attach() -> dict[str, Any]:
            vol = self._vol(VolumeId)
            if vol.state != "available":
                raise refusal("VolumeInUse")
            if any(each.device == Device for each in self.state.vols.values()):
                raise refusal("InvalidParameterValue")
            is_stuck = self.calls["attach_volume"] in self.faults.stuck
            seated = inf if is_stuck else self._now + SEAT_SECONDS
            return self._set(
                replace(vol, state="in-use", device=Device, seat="attaching", seated=seated)
            )

        return self._touch("attach_volume", attach)

    def modify_instance_attribute(
        self,
        *,
        BlockDeviceMappings: list[dict[str, Any]],  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        asked = {m["DeviceName"]: m["Ebs"]["DeleteOnTermination"] for m in BlockDeviceMappings}

        def modify() -> dict[str, Any]:
            sit = [vol for vol in self.state.vols.values() if vol.device in asked]
            return self._set(*(replace(vol, dies=asked[vol.device]) for vol in sit))

        return self._call("modify_instance_attribute", modify)

    def create_tags(self, *, Resources: list[str], Tags: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        more = {each["Key"]: each["Value"] for each in Tags}

        def set_tags() -> dict[str, Any]:
            return self._set(
                *(
                    replace(vol, tags={**vol.tags, **more})
                    for vol in (self._vol(each) for each in Resources)
                )
            )

        return self._call("create_tags", set_tags)

    def create_replace_root_volume_task(self, **_: Any) -> dict[str, Any]:
        def begin() -> dict[str, Any]:
            now = self._now
            if not self.state.task:
                self._log(replace(self.state, task="in-progress"))
                self._outside = sorted([*self._outside, (now + 60, f"task {self.faults.task}")])
            return {"ReplaceRootVolumeTask": {"ReplaceRootVolumeTaskId": "replacevol-1"}}

        return self._call("create_replace_root_volume_task", begin)

    def describe_replace_root_volume_tasks(self, **_: Any) -> dict[str, Any]:
        def listed() -> dict[str, Any]:
            task = {"ReplaceRootVolumeTaskId": "replacevol-1", "TaskState": self._seen.task}
            return {"ReplaceRootVolumeTasks": [task] if task["TaskState"] else []}

        return self._call("describe_tasks", listed)

    def describe_instances(self, **_: Any) -> dict[str, Any]:
        def listed() -> dict[str, Any]:
            item = {
                "InstanceId": self.target,
                "State": {"Name": self._seen.machine},
                "Placement": {"AvailabilityZone": ZONE},
                "RootDeviceName": ROOT,
                "RootDeviceType": "ebs",
                "InstanceType": "m5.large",
            }
            return {"Reservations": [{"Instances": [item]}]}

        return self._call("describe_instances", listed)

    def describe_instance_status(self, **_: Any) -> dict[str, Any]:
        said = {"Status": self.faults.health}
        item = {"InstanceStatus": said, "SystemStatus": {"Status": "ok"}}
        return self._call("describe_status", lambda: {"InstanceStatuses": [item]})

    def describe_volumes(self, *, Filters: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        def listed() -> dict[str, Any]:
            (wanted,) = Filters
            shown = self._now - self.faults.unlisted
            there = [vol for vol in self._seen.vols.values() if vol.born <= shown]
            return {"Volumes": [_item(v, self.target) for v in there if _fits(v, wanted)]}

        return self._call("describe_volumes", listed)

    @property
    def _now(self) -> float:
        return self.clock.monotonic()

    @property
    def _seen(self) -> State:
        """Return all as a listing shows it."""
        _, at = self.state, max(0.0, self._now - self.faults.late)
        return next(state for since, state in reversed(self._states) if since <= at).at(at)

    def _call(self, action: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.clock.sleep(_CALL_SECONDS)
        self._point()
        number = self.calls[action] = self.calls.get(action, 0) + 1
        code = dict(enumerate(self.faults.refused.get(action, ()), 1)).get(number, "")
        if code not in {"", LOST}:
            raise refusal(code)
        if action.endswith(("_instances", "_attribute")) and not action.startswith("describe"):
            self._touched()
        answer = effect()
        if code == LOST:
            raise ReadTimeoutError(endpoint_url="ec2")
        self._point()
        return answer

    def _touch(self, action: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def touch() -> dict[str, Any]:
            if self.state.machine == "terminated":
                raise refusal("IncorrectInstanceState")
            self._touched()
            if self.state.machine != "stopped":
                self.hot.append(action)
            return effect()

        return self._call(action, touch)

    def _touched(self) -> None:
        if self.ready_at_first_touch is None:
            made = [vol for vol in self.state.vols.values() if tag.RUN in vol.tags]
            self.ready_at_first_touch = sum(vol.state == "available" for vol in made)

    def _passed_over(self, action: str) -> int:
        return sum(code not in {"", LOST} for code in self.faults.refused.get(action, ()))

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A token names one volume; of one that came to nothing it is burned."""
        known = self._tokens.get(asked["ClientToken"])
        if known:
            vol = self.state.vols.get(known)
            if vol is None or vol.state == "error":
                raise refusal("IdempotentParameterMismatch")
            return {"VolumeId": known}
        fate = dict(enumerate(self.faults.fates)).get(self.made, "available")
        self.made += 1
        name, now = f"vol-{0xF0000000 + self.made:x}", self._now
        tags = {each["Key"]: each["Value"] for each in asked["TagSpecifications"][0]["Tags"]}
        zone = asked["AvailabilityZone"]
        until = now + self.faults.making
        self._tokens[asked["ClientToken"]] = name
        self._set(Vol(name, "creating", tags, until=until, then=fate, born=now, zone=zone))
        return {"VolumeId": name}

    def _turn(self, before: str, through: str, after: str) -> dict[str, Any]:
        state = self.state
        if state.machine == before:
            until = self._now + TURN_SECONDS
            self._log(replace(state, machine=through, until=until, then=after))
        elif state.machine not in {through, after}:
            raise refusal("IncorrectInstanceState")
        return {}

    def _vol(self, name: str) -> Vol:
        vol = self.state.vols.get(name)
        if vol is None:
            raise refusal("InvalidVolume.NotFound")
        return vol

    def _set(self, *vols: Vol) -> dict[str, Any]:
        self._log(self.state.having(*vols))
        return {}

    def _log(self, state: State) -> None:
        self._states.append((self._now, state))


def refusal(code: str) -> ClientError:
    """Return what boto3 raises; some refusals of EC2 are server errors, as its lack of room is.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    status = 500 if code.startswith(("Internal", "Insufficient", "Unavailable")) else 400
    said = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}
    said["ResponseMetadata"] = cast("Any", {"HTTPStatusCode": status})
    return ClientError(cast("Any", said), "Any")


def _fits(vol: Vol, wanted: Mapping[str, Any]) -> bool:
    match wanted["Name"]:
        case "volume-id":
            return vol.id in wanted["Values"]
        case "attachment.instance-id":
            return bool(vol.device)
        case name:
            return vol.tags.get(name.removeprefix("tag:")) in wanted["Values"]


def _item(vol: Vol, instance: str) -> dict[str, Any]:
    seat = {"InstanceId": instance, "Device": vol.device, "State": vol.seat}
    return {
        "VolumeId": vol.id,
        "State": vol.state,
        "AvailabilityZone": vol.zone,
        "Size": 8,
        "VolumeType": "gp3",
        "CreateTime": NOW,
        "Attachments": [{**seat, "DeleteOnTermination": vol.dies}] if vol.device else [],
        "Tags": [{"Key": key, "Value": value} for key, value in vol.tags.items()],
    }
