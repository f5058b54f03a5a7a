"""Service Quotas on the wire (JSON): the value of one quota of EBS.

Source: Service Quotas API reference, "GetServiceQuota".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tests.cloud.disk_quotas import QUOTAS, value_of
from tests.cloud.json_services import JsonService, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cloud.calls import Params

_SERVICE = "ebs"


class StrictQuotas(JsonService):
    """Answers for one account and region."""

    name = "service-quotas"
    invalid = "IllegalArgumentException"
    invalid_token = "InvalidPaginationTokenException"
    throttled = "TooManyRequestsException"

    def _get(self, asked: Params) -> dict[str, Any]:
        code = str(asked["QuotaCode"])
        if asked["ServiceCode"] != _SERVICE or code not in QUOTAS:
            raise RefusedError(
                "NoSuchResourceException", "The request failed because the quota does not exist."
            )
        account, region = self.where
        return {
            "Quota": {
                "ServiceCode": _SERVICE,
                "ServiceName": "Amazon Elastic Block Store (Amazon EBS)",
                "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{_SERVICE}/{code}",
                "QuotaCode": code,
                "QuotaName": QUOTAS[code].name,
                "Value": value_of(self.cloud.extras, code),
                "Unit": "None",
                "Adjustable": True,
                "GlobalQuota": False,
            }
        }

    operations: ClassVar[Mapping[str, Callable[..., dict[str, Any]]]] = {"GetServiceQuota": _get}
