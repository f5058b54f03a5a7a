"""Decide which changes are sent by one call: pure."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch, Decision

from .facts import Action
from .rules import EC2_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CREATE_TAGS: Final = "CreateTags"
TAG_RESOURCES: Final = "TagResources"
STOP_INSTANCES: Final = "StopInstances"
START_INSTANCES: Final = "StartInstances"
IDS_AT_ONCE: Final = 1_000
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html"""
ARNS_AT_ONCE: Final = 20
"""https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html"""
ALERTS: Final = "the alerts topic"
"""Where those hear who have no topic of their own: by the alert of the run."""
TOLD_AT_ONCE: Final = 100
"""Instances that one letter to their owner names."""
MARKED_AT_ONCE: Final = 50
_LANES: Final = {
    Action.MARK: (CREATE_TAGS, MARKED_AT_ONCE),
    Action.UNMARK: ("DeleteTags", MARKED_AT_ONCE),
    Action.STOP: (STOP_INSTANCES, 1),
    Action.START: (START_INSTANCES, 1),
}


def plan_units(decisions: Iterable[Decision], owners: Mapping[str, str]) -> list[Batch]:
    """Group the changes into calls: what gets the same tags is written by one, in order.

    An owner without a topic of their own hears by the alert of the run.
    """
    changes = sorted((d for d in decisions if d.is_change), key=lambda d: d.target)
    by_action: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in changes:
        by_action[decision.action].append(decision)
    return [
        *_sets(by_action[Action.SET]),
        *_letters(by_action[Action.TELL], owners),
        *(
            Batch(lane, members)
            for action, (lane, size) in _LANES.items()
            for members in batched(by_action[action], size, strict=False)
        ),
    ]


def _sets(decisions: Iterable[Decision]) -> list[Batch]:
    groups: defaultdict[tuple[bool, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        of_ec2 = decision.detail["type"] in EC2_TYPES
        groups[of_ec2, json.dumps(decision.detail["set"], sort_keys=True)].append(decision)
    return [
        Batch(CREATE_TAGS if of_ec2 else TAG_RESOURCES, members)
        for (of_ec2, _), group in groups.items()
        for members in batched(group, IDS_AT_ONCE if of_ec2 else ARNS_AT_ONCE, strict=False)
    ]


def _letters(decisions: Iterable[Decision], owners: Mapping[str, str]) -> list[Batch]:
    by_owner: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_owner[str(decision.detail["owner"])].append(decision)
    return [
        Batch("Publish", members, {"told_at": owners.get(owner, ALERTS)})
        for owner, group in by_owner.items()
        for members in batched(group, TOLD_AT_ONCE, strict=False)
    ]
