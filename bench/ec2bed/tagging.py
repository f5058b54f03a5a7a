"""Seeds what a tagging run judges: networks, and tags upon everything."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from bench.ec2bed.nets import ADDRESS, GROUP, INTERFACE, SUBNET, VPC, Net

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.ec2bed.options import Options
    from bench.ec2bed.world import Tagged, World

COST_CENTRE: Final = "CostCenter"
OLD_COST_CENTRE: Final = "cc"
COST_CENTRES: Final = ("1001", "2002", "3003", "4004", "5005")
ONLY_COST_CENTRES: Final = "cost-centres"
_TEAMS: Final = 40
_GROUPED: Final = 10
"""Of so many instances one is an Auto Scaling group's."""


def seed_tagging(world: World, options: Options) -> None:
    """Put instances into subnets of five cost centres, and give everything its tags."""
    if not options.tagging:
        return
    _seed_networks(world, options)
    if options.tagging == ONLY_COST_CENTRES:
        _seed_cost_centres(world)
    else:
        _seed_mixed(world, options)


def _seed_networks(world: World, options: Options) -> None:
    subnets = []
    for centre in COST_CENTRES:
        vpc = _add(world, VPC, {"Name": f"vpc-{centre}"})
        tags = {"Name": f"subnet-{centre}", COST_CENTRE: centre}
        subnets.append(_add(world, SUBNET, tags, vpc_id=vpc.id))
    instances = list(world.instances.values())
    for number, instance in enumerate(instances):
        subnet = subnets[number % len(subnets)]
        instance.subnet_id, instance.vpc_id = subnet.id, subnet.vpc_id
    for number in range(options.interfaces):
        subnet = subnets[number % len(subnets)]
        holder = instances[number].id if number < len(instances) else ""
        place = {"vpc_id": subnet.vpc_id, "subnet_id": subnet.id, "instance_id": holder}
        _add(world, INTERFACE, {}, **place)
    for number in range(options.security_groups):
        _add(world, GROUP, {}, vpc_id=subnets[number % len(subnets)].vpc_id)
    for _ in range(options.addresses):
        _add(world, ADDRESS, {})


def _add(world: World, kind: str, tags: dict[str, str], **place: str) -> Net:
    made = Net(world.name(kind), tags, **place)
    world.nets[kind][made.id] = made
    return made


def _seed_cost_centres(world: World) -> None:
    """Leave every instance and volume without the tag that its subnet and its tag `cc` tell."""
    for instance in world.instances.values():
        centre = world.nets[SUBNET][instance.subnet_id].tags[COST_CENTRE]
        instance.tags[OLD_COST_CENTRE] = centre
        world.wanted[instance.id] = centre
        for volume_id in instance.volume_ids:
            world.volumes[volume_id].tags = {
                "Name": f"data-{volume_id[-6:]}",
                OLD_COST_CENTRE: centre,
            }
            world.wanted[volume_id] = centre


def _seed_mixed(world: World, options: Options) -> None:
    """Give all what a grown account has, with names of their own; spread the violations evenly."""
    broken = 0
    for number, each in enumerate(_all(world)):
        each.tags = _tags_of(each, number)
        if int((number + 1) * options.violations) > broken:
            _break(each, broken)
            broken += 1
    groups = [f"group-{each.template_id}" for each in world.versions[: 2 * world.groups : 2]]
    for number, instance in enumerate(world.instances.values() if groups else ()):
        if number % _GROUPED == 0:
            instance.tags["aws:autoscaling:groupName"] = groups[number % len(groups)]


def _all(world: World) -> Iterable[Tagged]:
    nets = (world.nets[kind].values() for kind in (INTERFACE, GROUP, ADDRESS))
    return chain(
        world.instances.values(),
        world.volumes.values(),
        world.snapshots.values(),
        world.images.values(),
        *nets,
    )


def _tags_of(each: Tagged, number: int) -> dict[str, str]:
    return {
        "Name": f"shop-{each.id.partition('-')[0]}-{number:06}",
        COST_CENTRE: COST_CENTRES[number % len(COST_CENTRES)],
        "Owner": f"team-{number % _TEAMS}",
        "Environment": ("prod", "stage", "test")[number % 3],
        "Application": f"app-{number % 97}",
        "CreatedBy": f"terraform/{time.strftime('%Y-%m', time.gmtime(number * 9000))}",
    }


def _break(each: Tagged, broken: int) -> None:
    """Break one rule: in turn a missing tag that can be derived or not, a wrong value, a case."""
    match broken % 4:
        case 0:
            del each.tags[COST_CENTRE]
        case 1:
            del each.tags["Owner"]
        case 2:
            each.tags["Environment"] = "unknown"
        case _:
            each.tags["environment"] = each.tags.pop("Environment")
