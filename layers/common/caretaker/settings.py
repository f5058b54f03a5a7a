"""The function's environment, as set by the template: names of things, never policy.

What a chore should do comes from its event; what it may reach comes from here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CARETAKER_INSTALLATION: Final = "CARETAKER_INSTALLATION"
CARETAKER_ENVIRONMENT_NAME: Final = "CARETAKER_ENVIRONMENT_NAME"
CARETAKER_MODE: Final = "CARETAKER_MODE"
CARETAKER_STATE_TABLE: Final = "CARETAKER_STATE_TABLE"
CARETAKER_REPORTS_BUCKET: Final = "CARETAKER_REPORTS_BUCKET"
CARETAKER_ALERTS_TOPIC: Final = "CARETAKER_ALERTS_TOPIC"
CARETAKER_URGENT_TOPIC: Final = "CARETAKER_URGENT_TOPIC"
CARETAKER_CHAT_TOPIC: Final = "CARETAKER_CHAT_TOPIC"
CARETAKER_PAGER_TOPIC: Final = "CARETAKER_PAGER_TOPIC"
CARETAKER_WATCHDOG_TOPIC: Final = "CARETAKER_WATCHDOG_TOPIC"
CARETAKER_RUNBOOK_URL: Final = "CARETAKER_RUNBOOK_URL"
CARETAKER_TARGET_ROLE_NAME: Final = "CARETAKER_TARGET_ROLE_NAME"
CARETAKER_TARGET_EXTERNAL_ID: Final = "CARETAKER_TARGET_EXTERNAL_ID"
CARETAKER_KMS_KEY_ARNS: Final = "CARETAKER_KMS_KEY_ARNS"
CARETAKER_SSM_DOCUMENTS: Final = "CARETAKER_SSM_DOCUMENTS"
CARETAKER_PRIVATE_NETWORKS: Final = "CARETAKER_PRIVATE_NETWORKS"
CARETAKER_INSTANCE_REPAIRS: Final = "CARETAKER_INSTANCE_REPAIRS"
CARETAKER_SERVICE_REPAIRS: Final = "CARETAKER_SERVICE_REPAIRS"
CARETAKER_RESTORE_MACHINE: Final = "CARETAKER_RESTORE_MACHINE"
CARETAKER_DRILL_JUDGE: Final = "CARETAKER_DRILL_JUDGE"
CARETAKER_FLEET_CHORES: Final = "CARETAKER_FLEET_CHORES"
CARETAKER_FLEET_MACHINE: Final = "CARETAKER_FLEET_MACHINE"
AWS_REGION: Final = "AWS_REGION"


class Mode(StrEnum):
    """`act` changes the account, `report` only tells what `act` would do."""

    ACT = "act"
    REPORT = "report"


class Channel(StrEnum):
    """Where people and programs listen: each is a topic of its own.

    Urgent, chat and pager are optional. The watchdog is CloudWatch's: only tests are sent there.
    """

    ALERTS = "alerts"
    URGENT = "urgent"
    CHAT = "chat"
    PAGER = "pager"
    WATCHDOG = "watchdog"


_TOPICS: Final = {
    Channel.ALERTS: CARETAKER_ALERTS_TOPIC,
    Channel.URGENT: CARETAKER_URGENT_TOPIC,
    Channel.CHAT: CARETAKER_CHAT_TOPIC,
    Channel.PAGER: CARETAKER_PAGER_TOPIC,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One function's environment; `topics` are the ARNs of the channels that there are.

    `kms_keys` are the ARNs of the customer's keys that the function may let EC2 use,
    `ssm_documents` the names of those that it may run on instances, `private_networks` those that
    it may probe, `instance_repairs` and `service_repairs` the functions that it may ask for
    repairs, `restore_machine` the state machine of restores, `drill_judge` the user's function that
    judges what a drill has restored. `fleet_chores` are the functions of the chores that a fleet
    may run, by their names, `fleet_machine` is its state machine.
    """

    installation: str
    environment_name: str
    mode: Mode
    state_table: str
    reports_bucket: str
    topics: Mapping[Channel, str]
    watchdog_topic: str
    runbook_url: str
    target_role_name: str
    target_external_id: str
    region: str
    kms_keys: frozenset[str] = frozenset()
    ssm_documents: frozenset[str] = frozenset()
    private_networks: frozenset[str] = frozenset()
    instance_repairs: str = ""
    service_repairs: str = ""
    restore_machine: str = ""
    drill_judge: str = ""
    fleet_chores: Mapping[str, str] = field(default_factory=dict)
    fleet_machine: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment; `SettingsError` names every variable that is missing or wrong."""
        problems = [f"{name} is missing" for name in _REQUIRED if not environ.get(name)]
        if environ.get(CARETAKER_MODE) not in {None, "", *Mode}:
            problems.append(f"{CARETAKER_MODE} must be act or report")
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(
            installation=environ[CARETAKER_INSTALLATION],
            environment_name=environ.get(CARETAKER_ENVIRONMENT_NAME, ""),
            mode=Mode(environ[CARETAKER_MODE]),
            state_table=environ[CARETAKER_STATE_TABLE],
            reports_bucket=environ[CARETAKER_REPORTS_BUCKET],
            topics={c: environ[n] for c, n in _TOPICS.items() if environ.get(n)},
            watchdog_topic=environ.get(CARETAKER_WATCHDOG_TOPIC, ""),
            runbook_url=environ.get(CARETAKER_RUNBOOK_URL, ""),
            target_role_name=environ.get(CARETAKER_TARGET_ROLE_NAME, ""),
            target_external_id=environ.get(CARETAKER_TARGET_EXTERNAL_ID, ""),
            region=environ[AWS_REGION],
            kms_keys=_listed(environ, CARETAKER_KMS_KEY_ARNS),
            ssm_documents=_names(_listed(environ, CARETAKER_SSM_DOCUMENTS)),
            private_networks=_listed(environ, CARETAKER_PRIVATE_NETWORKS),
            instance_repairs=environ.get(CARETAKER_INSTANCE_REPAIRS, ""),
            service_repairs=environ.get(CARETAKER_SERVICE_REPAIRS, ""),
            restore_machine=environ.get(CARETAKER_RESTORE_MACHINE, ""),
            drill_judge=environ.get(CARETAKER_DRILL_JUDGE, ""),
            fleet_chores=json.loads(environ.get(CARETAKER_FLEET_CHORES) or "{}"),
            fleet_machine=environ.get(CARETAKER_FLEET_MACHINE, ""),
        )


def _listed(environ: Mapping[str, str], name: str) -> frozenset[str]:
    """Return what a variable lists, separated by commas."""
    return frozenset(filter(None, (each.strip() for each in environ.get(name, "").split(","))))


def _names(arns: Iterable[str]) -> frozenset[str]:
    """Return what ARNs end in; a plain name stays what it is."""
    return frozenset(each.rpartition("/")[2] for each in arns)


_REQUIRED: Final = (
    CARETAKER_INSTALLATION,
    CARETAKER_MODE,
    CARETAKER_STATE_TABLE,
    CARETAKER_REPORTS_BUCKET,
    CARETAKER_ALERTS_TOPIC,
    AWS_REGION,
)
