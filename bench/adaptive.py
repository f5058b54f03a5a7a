"""What a script does that leaves pacing to botocore: `python -m bench.adaptive instance|volume`.

botocore's adaptive mode keeps one rate per client for all its actions, hence a client for each.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

THREADS = 32
ATTEMPTS = 10


def main() -> None:
    session = Session()
    volumes = session.create_client("ec2").get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "tag:caretaker:backup", "Values": ["daily"]}],
        PaginationConfig={"PageSize": 1000},
    )  # fmt: skip
    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS}, max_pool_connections=THREADS
    )
    sets: Any = session.create_client("ec2", config=config)
    singles: Any = session.create_client("ec2", config=config)
    instances, alone = _grouped(volumes, together=sys.argv[1] == "instance")
    with ThreadPoolExecutor(THREADS) as first, ThreadPoolExecutor(THREADS) as second:
        for instance_id in instances:
            first.submit(
                _tried,
                sets.create_snapshots,
                InstanceSpecification={"InstanceId": instance_id},
                CopyTagsFromSource="volume",
            )
        for volume_id in alone:
            second.submit(_tried, singles.create_snapshot, VolumeId=volume_id)


def _grouped(pages: Any, *, together: bool) -> tuple[list[str], list[str]]:
    instances: dict[str, None] = {}
    alone: list[str] = []
    for page in pages:
        for volume in page["Volumes"]:
            if together and volume["Attachments"]:
                instances[volume["Attachments"][0]["InstanceId"]] = None
            else:
                alone.append(volume["VolumeId"])
    return list(instances), alone


def _tried(create: Any, **params: Any) -> None:
    try:
        create(**params)
    except ClientError as error:
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main()
