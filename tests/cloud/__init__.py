"""The local cloud: moto made as strict as AWS, and ministack to deploy onto.

In this process (`tests/aws`), where botocore's waits cost no time and only the clock moves::

    with strict_moto(clock, page_size=2) as cloud:  # a ManualClock, or any with now and advance
        account = Account(cloud)                    # seeds behind the API, region eu-west-1
        web = account.instance({}, {"caretaker:backup": "daily"})  # a root and a data volume
        lone = account.volume(tags={"caretaker:backup": "daily"})
        cloud.fail_snapshots_of(lone, times=1)      # the next one ends in error (KMS text)
        cloud.faults.add("answer_lost", operation="CreateSnapshots", nth=1)
        ...                                         # any boto3 session made anywhere
        cloud.clock.advance(120)                    # snapshots made before are completed now

What a cloud offers:

- `cloud.faults.add(kind, operation="*", service="*", nth=1, times=1, match="", code="",
  status=400, message="", effective=False, seconds=0)` returns a fault whose `fired` counts.
  Kinds: `answer_lost`, `connection_dropped` (both take effect), `never_arrived`, `throttled`,
  `internal_error`, `unavailable`, `denied`, and `error` with a code of your own. `nth` counts
  matching calls from when it was added, `times=None` is for ever, `match` is a value some
  parameter must hold (a volume's id). It works for every service. `cloud.faults.clear()`.
- `cloud.calls`: iterable of Call(service, operation, params, at, account, region, outcome);
  `.of("CreateSnapshots")`, `.count(...)`, `.operations()`, `.actions()`, `.clear()`. An SDK's
  retry is a call of its own.
- `cloud.fail_snapshots_of(volume_id or "*", times=1 or None, message=...)`; a set with such a
  member ends in error as a whole. `cloud.lives.delay_seconds` (60),
  `cloud.lives.delays[volume_id]`, `cloud.complete_pending()`.
- `cloud.pages`: `size`, `empty={2}` (page 2 is empty but has a token), `repeat_last=True` (an item
  on two pages), `expire={2}` (the token of page 2 is refused once).
- `cloud.limits`: `spacing_seconds`, `pending_per_volume`, `pending_per_cold_volume`, `pending`,
  `snapshots`, `tags`, `volumes_per_set`, `excluded_volumes`, `filter_values`,
  `volumes_per_instance`.
- `cloud.buckets["CreateSnapshot"] = Bucket(100, 5, share=0.5)`, of which somebody else eats
  `share`; `cloud.buckets.use_documented(share=0)` takes AWS's whole table; off at first.
- `cloud.extras`: `operators`, `states`, `impaired`, `public`, `full_sizes`, `used_by_images` and
  what the account's helpers below put there.
- `account.image(*snapshots)`, `launch_template(*versions)`, `scaling_group(template, version)`,
  `fast_restore`, `lock`, `share`, `archive`, `bin_rule(days, tags=...)`, `binned()`: what needs,
  guards or keeps snapshots; `subscription(topic, address, confirmed=False)`.
- `account.machine_with_volumes({"size": 8}, {"size": 100, "deletes_on_termination": True}, ...)`:
  an instance with exactly these volumes; `account.attachment(volume_id)`.
- `cloud.extras.volumes`: `creating_seconds` (5), `attaching_seconds` (3), `detaching_seconds` (3),
  `deleting_seconds` (2), `late_seconds` (0; listings that do not ask for ids). `account.
  fail_volumes(match, end="error|gone")`, `hang_volumes(match, state)`, `refuse_volumes(code)`,
  `quota(type or code, value)`; `cloud.extras.root_tasks.step_seconds` (20),
  `account.fail_root_tasks(instance_id, "failed")`; `account.lifecycle(instance_id, "Standby")`.
- `account.write_blocks(id, {0: b"..."})`, `read_blocks`, `wipe_blocks`: what is written on volumes
  and in snapshots, which carry it on to each other; `corrupt_block`, `bend_block_list`: what the
  EBS direct APIs tell of it.
- `account.instance(spot=, group=, template=, operator=, instance_store=, stop_protected=,
  age_hours=, interface_tags=)`, `network_interface`, `elastic_ip`, `security_group`,
  `network_of`, `resource` (`rds:db` and its like, for the tagging API), `crowd(kind, number)`:
  what can have tags.
- `account.hide_tags(instance_id, times=1)`, `refuse_tagging(arn)`, `once_tagged(arn)`,
  `organization(role, tags)`, `cloud.faults.concurrent_tags(times=1)`: what tagging meets.
  `cloud.extras.switching_seconds`: how long an instance is stopping or pending.
- `account.impair(ids, which, until_repaired_by=, after=, seconds=)`, `impaired_crowd`,
  `scheduled_event`, `complete_event`, `cancel_event`, `refuse_start`, `start_falls_back`, `hang`,
  `put_down`, `terminate`: what ails instances; `power_log(instance_id)`: what was done about it;
  `key`, `set_key_state`, `deny_key`: the KMS keys of volumes; `members(group)`.
  `cloud.extras.initializing_seconds` and `replacing_seconds`: how long checks and Auto Scaling
  take. `account.instance(zone=, address="none|amazon|elastic", kms_key=, auto_recovery=)`.
- `account.ecs_service(name, cluster, running=, tags=, target_groups=, minimum_percent=, ...)`,
  `change_ecs_service(name, start_fails=, no_room=, status=)`, `deploy_ecs_service`, `ecs_tasks`;
  `load_balancer(name, tags)`, `target_group(name, "healthy", "unhealthy")`; `agent(instance_id,
  ping)`, `document(name, needs=, takes=)`, `command_course(of, end=, late=, begins=, ends=)`,
  `commands()`; `secret(name, value, locked=)`, `parameter(name, value, locked=)`, `object(bucket,
  key, content)`: what stands behind web services and what probes of them need.
- `cloud.age(hours=30, tags=())`: everything in EC2 and the Recycle Bin moves into the past, which
  is how time passes for a deployed function; times in these tags and in descriptions move along.
  `cloud.backend(region)` is moto's own.
- `cloud.take_notices()`: the EventBridge events about snapshots that ended, single or set, each
  once; `LocalCloud.deliver_notices()` puts them on the deployed bus.
- `cloud.access`: `role(account, name, external_id=, trusts=)` (from the first one on others are
  denied), `close(account)`, `deny(account, "ec2:Create*", regions=, but_regions=)`: who is let into
  an account, and its service control policies; the policies of sessions are enforced.
  `cloud.regions.opt_in(account, region)`. `cloud.organization`: `join(account, unit, role=,
  state=, tags=)`, `unit(name, parent)`, `set_state`. `cloud.concurrency`: `set_limit`, `reserve`.
  What is in another account is put there by `Account(cloud, account=, region=)`.
- `cloud.install(session_or_client)`: for one made before this package was imported.
- `cloud.seconds_per_call`: how far each call moves the clock.

Behind a server (`python -m tests.cloud.server --port N`) the same cloud stands; a
`remote.RemoteCloud` speaks to its `/_strict/` endpoints, and `seed(helper, ...)` calls any of the
account's (`in_account=`, `region=`), `fleet("access/close", account)` any of those beside it; the
fault `caller_dies` kills the process that called. `stack.LocalCloud` starts that server and
ministack, deploys the built template, fires its schedules and invokes functions, which may do what
the policies of their role allow (enforced for all but EC2, EBS, load balancers, ECS, Systems
Manager, Auto Scaling, Service Quotas, KMS and the Recycle Bin, which the strict server answers;
whether a role may be assumed IAM is asked after `fleet("access/ask_iam", url)`); `turn` shortens
retries of state machines and sets Lambda's limit; `internet` says which names and public addresses
lead to this machine; `subscribers` listens to any topic over HTTP, by queue, by e-mail and by SMS;
`demo_account.seed_demo` fills an account with 30 instances and 70 volumes and says exactly what it
put there. `demo` shows all of it.
"""

from tests.cloud.account import Account, SeededInstance
from tests.cloud.buckets import Bucket
from tests.cloud.clock import ManualClock
from tests.cloud.faults import Fault, FaultKind
from tests.cloud.strict import ACCOUNT, REGION, StrictCloud, strict_moto

__all__ = [
    "ACCOUNT",
    "REGION",
    "Account",
    "Bucket",
    "Fault",
    "FaultKind",
    "ManualClock",
    "SeededInstance",
    "StrictCloud",
    "strict_moto",
]
