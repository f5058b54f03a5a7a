"""What may need a snapshot, or speak for keeping it: each a thing to do to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3

from tests.cloud import REGION
from tests.support.stack import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.retention_world import RetentionWorld

STRANGER: Final = "210987654321"


def image(world: RetentionWorld, old: str) -> None:
    world.account.image(world.expired(), old)


def disabled_image(world: RetentionWorld, old: str) -> None:
    world.account.disable_image(world.account.image(old))


def deprecated_image(world: RetentionWorld, old: str) -> None:
    world.account.deprecate_image(world.account.image(old))


def default_version(world: RetentionWorld, old: str) -> None:
    world.account.launch_template([], [old], [], default=2)


def latest_version(world: RetentionWorld, old: str) -> None:
    world.account.launch_template([], [], [old], default=1)


def used_version(world: RetentionWorld, old: str) -> None:
    template = world.account.launch_template([], [old], [], default=1, name=f"used-{old}")
    world.account.scaling_group(template, "2")


def groups(world: RetentionWorld) -> list[dict[str, Any]]:
    return next(iter(world.cloud.extras.scaling_groups.values()))


def version_used_by_name(world: RetentionWorld, old: str) -> None:
    used_version(world, old)
    group = groups(world)[-1]
    del group["LaunchTemplate"]["LaunchTemplateId"]


def version_of_running_instances(world: RetentionWorld, old: str) -> None:
    """The group launches the newest; what runs was launched from an older one."""
    template = world.account.launch_template([], [old], [], default=1)
    world.account.scaling_group(template, "$Latest")
    group = groups(world)[-1]
    group["Instances"] = [{"LaunchTemplate": {"LaunchTemplateId": template, "Version": "2"}}]


def version_of_mixed_policy(world: RetentionWorld, old: str) -> None:
    template = world.account.launch_template([], [old], [], default=1)
    world.account.scaling_group(template, "2", mixed=True)


def version_of_override(world: RetentionWorld, old: str) -> None:
    base = world.account.launch_template([])
    template = world.account.launch_template([], [old], [], default=1)
    world.account.scaling_group(base, "$Latest", overrides=[(template, "2")])


def version_beside_a_template_that_is_gone(world: RetentionWorld, old: str) -> None:
    """Deleting a template is not refused for the groups that launch from it."""
    dangling = world.account.launch_template([], name=f"gone-{old}")
    world.account.scaling_group(dangling, "1")
    used_version(world, old)
    del world.account.backend.launch_templates[dangling]


def fast_restore(world: RetentionWorld, old: str) -> None:
    world.account.fast_restore(old)


def governance_lock(world: RetentionWorld, old: str) -> None:
    world.account.lock(old)


def compliance_lock(world: RetentionWorld, old: str) -> None:
    world.account.lock(old, mode="compliance", days=90, cool_off_hours=72)


def share(world: RetentionWorld, old: str) -> None:
    world.account.share(old, STRANGER)


def publish(world: RetentionWorld, old: str) -> None:
    world.account.share(old)


def create_volume(world: RetentionWorld, old: str) -> None:
    world.account.volume(state="creating", snapshot_id=old)


def begin_restore(world: RetentionWorld, old: str) -> None:
    key = {"pk": {"S": f"restores#123456789012/{REGION}"}, "sk": {"S": old}}
    item = {**key, "snapshots": {"S": f"snap-0a {old}"}}
    boto3.client("dynamodb", REGION).put_item(TableName=TABLE, Item=item)


def keep(value: str) -> Callable[[RetentionWorld, str], None]:
    def tag(world: RetentionWorld, old: str) -> None:
        world.account.tag(old, {"caretaker:keep": value})

    return tag


def archive(world: RetentionWorld, old: str) -> None:
    world.account.archive(old)


NEEDED: Final = {
    "image": (image, "used_by_image"),
    "disabled image": (disabled_image, "used_by_image"),
    "deprecated image": (deprecated_image, "used_by_image"),
    "default version": (default_version, "used_by_launch_template"),
    "latest version": (latest_version, "used_by_launch_template"),
    "used version": (used_version, "used_by_launch_template"),
    "version used by name": (version_used_by_name, "used_by_launch_template"),
    "version of instances": (version_of_running_instances, "used_by_launch_template"),
    "version of mixed policy": (version_of_mixed_policy, "used_by_launch_template"),
    "version of override": (version_of_override, "used_by_launch_template"),
    "dangling template": (version_beside_a_template_that_is_gone, "used_by_launch_template"),
    "fast restore": (fast_restore, "fast_restore"),
    "governance lock": (governance_lock, "locked"),
    "compliance lock": (compliance_lock, "locked"),
    "share": (share, "shared"),
    "public": (publish, "shared"),
    "volume being created": (create_volume, "volume_creating"),
    "open restore": (begin_restore, "restore_open"),
    "keep true": (keep("true"), "keep_tag"),
    "keep until today": (keep("2026-11-21"), "keep_tag"),
    "keep until an hour": (keep("2026-11-21T03:00:01+00:00"), "keep_tag"),
    "keep unparsable": (keep("until the audit"), "keep_tag"),
    "keep without zone": (keep("2026-11-01T00:00:00"), "keep_tag"),
    "keep empty": (keep(""), "keep_tag"),
    "archive": (archive, "archived"),
}
FREE: Final = {
    "expired lock": lambda world, old: world.account.lock(old, days=1, age_days=2),
    "ended fast restore": lambda world, old: world.account.fast_restore(old, state="disabled"),
    "old version": lambda world, old: world.account.launch_template([old], [], default=2),
    "another's image": lambda world, old: world.account.image(old, owner=STRANGER, public=True),
    "volume that is made": lambda world, old: world.account.volume(snapshot_id=old),
    "keep until yesterday": keep("2026-11-20"),
    "keep until an hour that passed": keep("2026-11-21T03:59:59+01:00"),
}
"""What looks like a need and is none."""
LATE: Final = {
    "share": (share, "shared"),
    "keep": (keep("true"), "keep_tag"),
    "archive": (archive, "archived"),
}
"""What the last look sees of a snapshot; all else was listed when the run began."""
