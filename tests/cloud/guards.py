"""What keeps snapshots, and who else has them: locks, shares, the Recycle Bin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.core.parse import default_timestamp_parser
from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.filters import LOCK_FILTERS, select
from tests.cloud.locks import COMPLIANCE, GOVERNANCE, Lock
from tests.cloud.refusals import Refusal, invalid_value, locked
from tests.cloud.views import View, aware, binned_view, lock_view

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERMISSION = "createVolumePermission"
_MOST_DAYS = 36_500
_MOST_COOL_OFF_HOURS = 72
_MOST_MODIFICATIONS = 500


class StrictGuards(StrictListings):
    """The part of a strict EC2 that guards snapshots."""

    def lock_snapshot(self) -> ActionResult:
        """Lock a snapshot, or change its lock as far as its state allows."""
        snapshot = self._own_snapshot()
        now = self.cloud.clock.now()
        lock = self._asked_lock(now)
        before = self.cloud.extras.locks.get(snapshot.id)
        if (
            before is not None
            and before.is_final(now)
            and (lock.mode != COMPLIANCE or lock.expires_at < before.expires_at)
        ):
            raise locked(snapshot.id)
        self.error_on_dryrun()
        self.cloud.extras.locks[snapshot.id] = lock
        return ActionResult(lock_view(snapshot, lock, now))

    def unlock_snapshot(self) -> ActionResult:
        """Unlock one that is not locked for compliance for good."""
        snapshot = self._own_snapshot()
        lock = self.cloud.extras.locks.get(snapshot.id)
        if lock is None:
            raise invalid_value(f"The snapshot {snapshot.id} is not locked.")
        if lock.is_final(self.cloud.clock.now()):
            raise locked(snapshot.id)
        self.error_on_dryrun()
        del self.cloud.extras.locks[snapshot.id]
        return ActionResult({"SnapshotId": snapshot.id})

    def describe_locked_snapshots(self) -> ActionResult:
        """Page through locks, expired ones too."""
        now, snapshots = self.cloud.clock.now(), self.ec2_backend.snapshots
        ids = self._get_param("SnapshotIds", [])
        self._max_results(ids)
        for each in ids:
            self._snapshot(each)
        views = [
            lock_view(snapshots[snapshot_id], lock, now)
            for snapshot_id, lock in self.cloud.extras.locks.items()
            if snapshot_id in snapshots and (not ids or snapshot_id in ids)
        ]
        filters = self._get_param("Filters", [])
        found = select(views, filters, LOCK_FILTERS, self.cloud.limits.filter_values)
        return ActionResult(self._cut("Snapshots", found, lambda view: str(view["SnapshotId"])))

    def describe_snapshot_attribute(self) -> ActionResult:
        """Tell with whom an own snapshot is shared; a service's product codes are none here."""
        snapshot = self._own_snapshot()
        self.error_on_dryrun()
        if self._get_param("Attribute") != _PERMISSION:
            return ActionResult({"SnapshotId": snapshot.id, "ProductCodes": []})
        groups = [{"Group": each} for each in sorted(snapshot.create_volume_permission_groups)]
        users = [{"UserId": each} for each in sorted(snapshot.create_volume_permission_userids)]
        return ActionResult(
            {"SnapshotId": snapshot.id, "CreateVolumePermissions": [*groups, *users]}
        )

    def modify_snapshot_attribute(self) -> ActionResult:
        """Share a snapshot with accounts or all, or take that back; not both in one call."""
        snapshot = self._own_snapshot()
        asked: Mapping[str, Any] = self._get_param("CreateVolumePermission") or {}
        added, removed = list(asked.get("Add") or ()), list(asked.get("Remove") or ())
        legacy = [{"UserId": each} for each in self._get_param("UserIds", [])]
        legacy += [{"Group": each} for each in self._get_param("GroupNames", [])]
        (added if self._get_param("OperationType") == "add" else removed).extend(legacy)
        self._refuse_shares(snapshot, added, removed)
        self.error_on_dryrun()
        users = snapshot.create_volume_permission_userids
        groups = snapshot.create_volume_permission_groups
        users |= {each["UserId"] for each in added if "UserId" in each}
        groups |= {each["Group"] for each in added if "Group" in each}
        users -= {each["UserId"] for each in removed if "UserId" in each}
        groups -= {each["Group"] for each in removed if "Group" in each}
        return EmptyResult()

    def reset_snapshot_attribute(self) -> ActionResult:  # type: ignore[override]  # moto lacks it
        """Share a snapshot with nobody."""
        snapshot = self._own_snapshot()
        self.error_on_dryrun()
        snapshot.create_volume_permission_userids.clear()
        snapshot.create_volume_permission_groups.clear()
        return EmptyResult()

    def list_snapshots_in_recycle_bin(self) -> ActionResult:
        """Page through the bin."""
        ids = self._get_param("SnapshotIds", [])
        kept = self.cloud.bin.contents(self.where, self.cloud.clock.now())
        views = [binned_view(each) for each in kept if not ids or each.snapshot.id in ids]
        return ActionResult(self._cut("Snapshots", views, lambda view: str(view["SnapshotId"])))

    def restore_snapshot_from_recycle_bin(self) -> ActionResult:
        """Bring one back, tags and all."""
        snapshot_id = self._get_param("SnapshotId")
        kept = self.cloud.bin.contents(self.where, self.cloud.clock.now())
        if snapshot_id not in {each.snapshot.id for each in kept}:
            raise not_found("SnapshotId", snapshot_id)
        self.error_on_dryrun()
        snapshot = self.cloud.bin.kept.pop(snapshot_id).snapshot
        self.ec2_backend.snapshots[snapshot_id] = snapshot
        return ActionResult(self.show(snapshot))

    def _snapshot(self, snapshot_id: str) -> Any:
        refuse_malformed("SnapshotId", [snapshot_id])
        snapshot = self.ec2_backend.snapshots.get(snapshot_id)
        if snapshot is None:
            raise not_found("SnapshotId", snapshot_id)
        return snapshot

    def _own_snapshot(self) -> Any:
        snapshot = self._snapshot(self._get_param("SnapshotId"))
        if snapshot.owner_id != self.current_account:
            raise Refusal(
                "UnauthorizedOperation", "You are not authorized to perform this operation.", 403
            )
        return snapshot

    def _asked_lock(self, now: datetime) -> Lock:
        mode = self._get_param("LockMode")
        days, until = self._get_int_param("LockDuration"), self._get_param("ExpirationDate")
        hours = self._get_int_param("CoolOffPeriod")
        if mode not in {GOVERNANCE, COMPLIANCE}:
            raise invalid_value(f"Value ({mode}) for parameter LockMode is invalid.")
        if (days is None) == (until is None):
            raise Refusal(
                "InvalidParameterCombination", "Either LockDuration or ExpirationDate is needed."
            )
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise invalid_value(f"LockDuration is 1 to {_MOST_DAYS} days.")
        if hours is not None and (mode != COMPLIANCE or not 1 <= hours <= _MOST_COOL_OFF_HOURS):
            raise invalid_value(f"CoolOffPeriod is 1 to {_MOST_COOL_OFF_HOURS}, for compliance.")
        moment = now + timedelta(days=days or 0)
        if until is not None:
            moment = until if isinstance(until, datetime) else default_timestamp_parser(until)
        return Lock(
            mode,
            now,
            aware(moment),
            now + timedelta(hours=hours) if hours else None,
        )

    def _refuse_shares(self, snapshot: Any, added: list[View], removed: list[View]) -> None:
        if added and removed:
            raise Refusal(
                "InvalidParameterCombination", "Permissions are added or removed, not both."
            )
        if not added and not removed:
            raise Refusal("MissingParameter", "No permission is named.")
        if len(added) + len(removed) > _MOST_MODIFICATIONS:
            raise invalid_value(f"At most {_MOST_MODIFICATIONS} modifications fit in one request.")
        for each in (*added, *removed):
            if "Group" in each and each["Group"] != "all":
                raise invalid_value(f'Invalid attribute item value "{each["Group"]}"')
        if snapshot.encrypted and {"Group": "all"} in added:
            raise Refusal("OperationNotPermitted", "Encrypted snapshots can't be shared publicly.")
