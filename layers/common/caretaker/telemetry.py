"""Logs and metrics: one logger for the whole function, EMF metrics without a call to CloudWatch.

EMF: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE: Final = "Caretaker"
UNITS: Final = {
    "Heartbeat": "Count",
    "ItemsDone": "Count",
    "ItemsFailed": "Count",
    "ItemsDeferred": "Count",
    "NewestBackupAgeHours": "None",
    "ConfirmedSubscriptions": "Count",
    "OpenIncidents": "Count",
    "UnsentAlerts": "Count",
}
"""Every metric there is; nothing per resource, because each combination of dimensions is billed."""

logger = Logger()


def publish_metrics(
    values: Mapping[str, float], *, installation: str, chore: str, policy: str
) -> None:
    """Print the metrics of a run in two dimension sets: by chore, and by chore and policy."""
    provider = AmazonCloudWatchEMFProvider(
        namespace=NAMESPACE,
        service="",  # powertools would add a dimension of its own
        default_dimensions={"Installation": installation, "Chore": chore},
    )
    provider.add_dimensions(Policy=policy)
    for name, value in values.items():
        provider.add_metric(name=name, unit=UNITS[name], value=value)
    provider.flush_metrics()
