"""Speaks to the `/_strict/` endpoints of a strict server in another process."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.cloud.account import SeededInstance
from tests.cloud.demo_account import DemoAccount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cloud.faults import FaultKind
    from tests.cloud.views import View


class RemoteError(Exception):
    """The server refused a request; the text says why."""


@dataclass(frozen=True, slots=True)
class RemoteCloud:
    """The same cloud as in-process, as far as another process can reach it."""

    url: str

    def post(self, path: str, **body: object) -> Any:
        """Ask one endpoint, raising RemoteError when it refuses."""
        request = Request(  # noqa: S310 - our own loopback server
            f"{self.url}/_strict/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            raise RemoteError(f"{path}: {error.read().decode()}") from error

    def seed_demo(self, installation: str = "caretaker") -> DemoAccount:
        """Fill the account and say with what."""
        return DemoAccount.from_json(self.post("seed/demo", installation=installation))

    def instance(self, *volume_tags: Mapping[str, str], **properties: object) -> SeededInstance:
        """Add an instance as `Account.instance` does."""
        made = self.post("account/instance", args=list(volume_tags), **properties)
        return SeededInstance(made["id"], made["name"], tuple(made["volume_ids"]))

    def volume(self, **properties: object) -> str:
        """Add a volume as `Account.volume` does."""
        return str(self.post("account/volume", **properties))

    def snapshot(self, volume_id: str, **properties: object) -> str:
        """Add a snapshot as `Account.snapshot` does."""
        return str(self.post("account/snapshot", args=[volume_id], **properties))

    def remove_volume(self, volume_id: str) -> None:
        """Delete a volume behind everybody's back."""
        self.post("account/remove_volume", args=[volume_id])

    def seed(self, method: str, *args: object, **properties: object) -> Any:
        """Call any seeding method of `Account` by its name, as `seed("bin_rule", 7)`."""
        return self.post(f"account/{method}", args=list(args), **properties)

    def write_blocks(self, resource_id: str, blocks: Mapping[int, bytes]) -> None:
        """Write blocks of a snapshot or volume as `Account.write_blocks` does."""
        sent = {str(index): b64encode(data).decode() for index, data in blocks.items()}
        self.post("blocks/write", resource=resource_id, blocks=sent)

    def read_blocks(self, resource_id: str) -> dict[int, bytes]:
        """Return the blocks of a snapshot or volume, by their index."""
        found = self.post("blocks/read", resource=resource_id)
        return {int(index): b64decode(data) for index, data in found.items()}

    def add_fault(self, kind: FaultKind | str, **properties: object) -> None:
        """Plan a fault as `FaultPlan.add` does."""
        self.post("faults", kind=str(kind), **properties)

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self.post("faults/clear")

    def fail_snapshots_of(self, volume_id: str, **plan: object) -> None:
        """Let a volume's next snapshots end in error."""
        self.post("fail", volume_id=volume_id, **plan)

    def age(self, hours: float, tags: Sequence[str] = ()) -> None:
        """Move everything in EC2 into the past: time passes, but not for schedules.

        With `tags` the times in these tags move along, as do those in snapshots' descriptions.
        """
        self.post("age", hours=hours, tags=list(tags))

    def complete_pending(self) -> None:
        """Finish every pending snapshot now."""
        self.post("complete")

    def take_notices(self) -> list[View]:
        """Return the events EventBridge would bring about snapshots that ended, each once."""
        return list(self.post("notices"))

    def settings(self, **changed: object) -> None:
        """Change page_size, pending_seconds, limits, buckets or documented_buckets."""
        self.post("settings", **changed)

    def calls(self) -> list[View]:
        """Return every call that was made."""
        return list(self.post("calls"))

    def clear_calls(self) -> None:
        """Forget the calls."""
        self.post("calls/clear")

    def fleet(self, method: str, *args: object, **properties: object) -> Any:
        """Call what there is beside accounts' resources, as `fleet("access/close", account)`."""
        return self.post(method, args=list(args), **properties)

    def state(self, **place: str) -> dict[str, list[View]]:
        """Return all volumes, instances and snapshots, those of strangers too.

        `region` and `in_account` name another place than the usual one.
        """
        return dict(self.post("state", **place))

    def snapshots(self) -> list[View]:
        """Return all snapshots, those of strangers too."""
        return self.state()["snapshots"]
