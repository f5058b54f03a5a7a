"""What a script does by the book, beside which a restore is measured.

One instance after the other: its volumes are made anew, it is stopped, its volumes are changed, it
is started. It waits by botocore's own waiters, as AWS's examples do. It is told what to make of
what, tags nothing, and waits for no status check.
"""

from __future__ import annotations

from typing import Any


def bring_back(ec2: Any, instance: str, volumes: list[dict[str, Any]]) -> None:
    """Bring one instance back; `volumes` as the restore chore's plan tells them."""
    new = [
        ec2.create_volume(
            AvailabilityZone=each["zone"], SnapshotId=each["snapshot"], VolumeType=each["type"]
        )["VolumeId"]
        for each in volumes
    ]
    free, taken = ec2.get_waiter("volume_available"), ec2.get_waiter("volume_in_use")
    free.wait(VolumeIds=new)
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance])
    old = [each["volume"] for each in volumes]
    for each in old:
        ec2.detach_volume(VolumeId=each)
    free.wait(VolumeIds=old)
    for before, after in zip(volumes, new, strict=True):
        ec2.attach_volume(InstanceId=instance, VolumeId=after, Device=before["device"])
    taken.wait(VolumeIds=new)
    ec2.start_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance])
