"""The tags of the demo's fleet: some right, some missing, some misspelt; and what is right."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.cloud.demo_account import IGNORE_TAG, DemoAccount
from tests.cloud.deployment import Json
from tests.cloud.remote import RemoteCloud

BOTH = ["instance", "volume"]
RULES: Json = {
    "Owner": {"pattern": "[a-z]+", "from": ["instance", "creator"], "applies_to": BOTH},
    "CostCenter": {
        "pattern": "[0-9]{4}",
        "from": ["instance", "subnet"],
        "applies_to": BOTH,
        "escalate": True,
    },
    "Environment": {
        "values": ["prod", "dev"],
        "case": "normalise",
        "from": ["instance"],
        "default": "dev",
        "applies_to": BOTH,
    },
}
GROUP = "shop"
OF_SUBNET = "4700"
WRONG = "db-1"
"""Its cost center is wrong; its owner, dora, has a topic of her own."""
_TAGS: Mapping[str, Mapping[str, str]] = {
    "web": {"Owner": "ann", "CostCenter": "4711", "Environment": "Prod"},
    "api": {"Owner": "bob", "CostCenter": "4712", "environment": "prod"},
    "vault": {"Owner": "carol", "CostCenter": "4713", "Environment": "prod"},
    "db": {"Owner": "dora", "CostCenter": "4714", "Environment": "prod"},
    WRONG: {"CostCenter": "47"},
    "cluster": {"Owner": "dora", "Environment": "prod"},
    "archive": {"Owner": "dora", "CostCenter": "4714"},
    "build": {"Owner": "eve"},
}
_RIGHT = {"Owner": "[a-z]+", "CostCenter": "[0-9]{4}", "Environment": "prod|dev"}
MANAGED = "node"
_OPTED_OUT = ("scratch", MANAGED)
"""By a tag, and as EKS manages them with their volumes."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who is who: names by id, and for each resource that is judged its instance, or nothing."""

    ec2: RemoteCloud
    names: Mapping[str, str]
    instance_of: Mapping[str, str]

    def tags(self) -> dict[str, dict[str, str]]:
        """Return the tags of all that is judged."""
        found = _tags_of_all(self.ec2)
        return {each: found.get(each, {}) for each in self.instance_of}

    def scores(self) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
        """Work out by hand how many tags are right, of how many: by key, and by owner."""
        tags = self.tags()
        right: defaultdict[str, Counter[str]] = defaultdict(Counter)
        of: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for each, own in tags.items():
            of_instance = tags.get(self.instance_of[each], {})
            owner = own.get("Owner") or of_instance.get("Owner") or "(none)"
            for key, pattern in _RIGHT.items():
                is_right = re.fullmatch(pattern, own.get(key, "")) is not None
                for name, value in (("key", key), ("owner", owner)):
                    of[name][value] += 1
                    right[name][value] += is_right
        by_key, by_owner = ({k: (right[n][k], of[n][k]) for k in of[n]} for n in ("key", "owner"))
        return by_key, by_owner

    def ids(self, *prefixes: str) -> list[str]:
        """Return the instances whose names begin so."""
        named = {each: self.names[each] for each in self.instance_of if each.startswith("i-")}
        return sorted(each for each, name in named.items() if name.startswith(prefixes))

    @property
    def wrong(self) -> str:
        """The instance with the wrong cost center."""
        return self.ids(WRONG)[0]


def seed_fleet(ec2: RemoteCloud, account: DemoAccount) -> Fleet:
    """Tag the machines of the account, and add three of an Auto Scaling group."""
    template = ec2.seed("launch_template", [], name=GROUP)
    ec2.seed("scaling_group", template, name=GROUP, tags=_shop_tags())
    shop = [
        ec2.instance(
            {}, tags=_shop_tags(), name=f"{GROUP}-{n}", group=GROUP, template=template, version="1"
        )
        for n in (1, 2, 3)
    ]
    for each in account.instances:
        kinds = (each.name.rpartition("-")[0], each.name)
        tags = {key: value for kind in kinds for key, value in _TAGS.get(kind, {}).items()}
        if tags:
            ec2.seed("tag", each.id, tags)
        for volume in each.volume_ids if each.name.startswith(MANAGED) else ():
            ec2.seed("manage", volume)
    _, subnet, _ = ec2.seed("network_of", account.instances[0].id)
    ec2.seed("tag", subnet, {"CostCenter": OF_SUBNET})
    names = {each.id: each.name for each in (*account.instances, *shop)}
    attached = {each.id: each.instance_ids for each in account.volumes}
    attached |= {volume: (each.id,) for each in shop for volume in each.volume_ids}
    ignored = {*account.ignored_volume_ids, *_opted_out(names)}
    judged = dict(_judged(names, attached, ignored, ec2))
    return Fleet(ec2, names | _names_of_volumes(names, attached), judged)


def _tags_of_all(ec2: RemoteCloud) -> dict[str, dict[str, str]]:
    return dict(ec2.post("state")["tags"])


def _shop_tags() -> dict[str, str]:
    return {"CostCenter": "4715", "Environment": "prod"}


def _opted_out(names: Mapping[str, str]) -> Iterable[str]:
    return (each for each, name in names.items() if name.startswith(_OPTED_OUT))


def _judged(
    names: Mapping[str, str],
    attached: Mapping[str, tuple[str, ...]],
    ignored: set[str],
    ec2: RemoteCloud,
) -> Iterator[tuple[str, str]]:
    """Yield what is judged with its instance; a volume of two instances is nobody's."""
    yield from ((each, "") for each in names if each not in ignored)
    tags = _tags_of_all(ec2)
    for volume, instances in attached.items():
        opted_out = volume in ignored or IGNORE_TAG in tags.get(volume, {})
        if not opted_out and not ignored.intersection(instances):
            yield volume, instances[0] if len(instances) == 1 else ""


def _names_of_volumes(
    names: Mapping[str, str], attached: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    whose = {each: [names[i] for i in instances] for each, instances in attached.items()}
    return {
        each: f"volume of {' + '.join(of)}" if of else "loose volume" for each, of in whose.items()
    }
