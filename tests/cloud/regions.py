"""Regions: which there are, and which an account has enabled.

Sources: Account Management reference guide, "Enable or disable AWS Regions in your account" (what
was there before 2019-03-20 is enabled and stays so); EC2 API reference, "DescribeRegions"; how a
call to a region that is not enabled fails: aws/aws-cli#6132, turbot/steampipe-plugin-aws#75 (EC2),
99designs/aws-vault#543, hashicorp/terraform-provider-aws#32549 (STS).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.session import Session
from moto.core.responses import ActionResult

from tests.cloud.describing import StrictListings
from tests.cloud.policies import is_like
from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from tests.cloud.views import View

ALWAYS_ENABLED: Final = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1"),
        *("eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1"),
        "us-west-2",
    }
)
ALL: Final = frozenset(Session().get_available_regions("ec2"))
NOT_REQUIRED: Final = "opt-in-not-required"
OPTED_IN: Final = "opted-in"
NOT_OPTED_IN: Final = "not-opted-in"


@dataclass
class Regions:
    """The regions of the cloud; nobody has opted in to any at first."""

    names: frozenset[str] = ALL
    """All there are: a host in any other has no address."""
    _opted_in: set[tuple[str, str]] = field(default_factory=set)

    def opt_in(self, account: str, *regions: str) -> None:
        """Enable regions in one account."""
        self._opted_in |= {(account, region) for region in regions}

    def opt_out(self, account: str, *regions: str) -> None:
        """Disable them again; what is enabled by default cannot be disabled."""
        assert not ALWAYS_ENABLED & set(regions), regions
        self._opted_in -= {(account, region) for region in regions}

    def status(self, account: str, region: str) -> str:
        """Return the opt-in status, in EC2's words."""
        if region in ALWAYS_ENABLED:
            return NOT_REQUIRED
        return OPTED_IN if (account, region) in self._opted_in else NOT_OPTED_IN

    def is_enabled(self, account: str, region: str) -> bool:
        """Tell whether an account may call a region."""
        return self.status(account, region) != NOT_OPTED_IN


class StrictRegions(StrictListings):
    """The part of a strict EC2 that tells of regions."""

    def describe_regions(self) -> ActionResult:
        """List the enabled regions, or all of them, by name and filters; there are no pages."""
        self.error_on_dryrun()
        regions, account = self.cloud.regions, self.current_account
        names = self._get_param("RegionNames", [])
        for each in sorted(set(names) - regions.names):
            raise Refusal("InvalidParameterValue", f"Invalid region name: '{each}'")
        wanted = names or sorted(regions.names)
        views = [_view(each, regions.status(account, each)) for each in wanted]
        # A region asked for by its name is told of whether or not it is enabled.
        if not names and not self._get_bool_param("AllRegions", if_none=False):
            views = [each for each in views if each["OptInStatus"] != NOT_OPTED_IN]
        return ActionResult({"Regions": [each for each in views if self._passes(each)]})

    def _passes(self, view: View) -> bool:
        members = {"region-name": "RegionName", "opt-in-status": "OptInStatus"}
        members["endpoint"] = "Endpoint"
        for each in self._get_param("Filters", []):
            if each["Name"] not in members:
                raise Refusal("InvalidParameterValue", f"The filter '{each['Name']}' is invalid")
            value = str(view[members[each["Name"]]])
            if not any(is_like(value, pattern) for pattern in each["Values"]):
                return False
        return True


def _view(region: str, status: str) -> View:
    return {
        "RegionName": region,
        "Endpoint": f"ec2.{region}.amazonaws.com",
        "OptInStatus": status,
    }
