"""What each account says of its regions: the first thing that its role is used for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from caretaker.aws.elsewhere import Elsewhere
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import Account
from caretaker.failures import Failure, Kind
from caretaker.settings import Mode
from functions.fleet.facts import Reach
from functions.fleet.rights import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.aws.places import Place
    from caretaker.run import Scene

_AT_ONCE: Final = 16
_OFF: Final = "not-opted-in"
_LATE: Final = Failure(Kind.UNKNOWN, "OutOfTime", "the run had no time left to ask the account")


def ask_reaches(scene: Scene, accounts: Sequence[str]) -> dict[str, Reach]:
    """Return what each account says, beside each other; why one says nothing is in its reach.

    `RefusedError` where the stack names no role to come in by. The SDK repeats what is throttled or
    not answered. The clients, some 30 ms of a core and 0.6 MB each, are not kept.
    """
    own = scene.account.place
    elsewhere = Elsewhere(scene.settings, scene.partition, own, "fleet")
    policy = RIGHTS.policy_for(Mode.REPORT)
    places = [elsewhere.place_of(each, own.region, policy) for each in accounts]
    # Before many make theirs: the model of the API is then read just once.
    _ = scene.account.ec2

    def ask(place: Place) -> Reach:
        if not scene.deadline.allows():
            return Reach(error=_LATE.as_error())
        return _reach(scene.account if place == own else Account(place))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(accounts, pool.map(ask, places), strict=True))


def _reach(account: Account) -> Reach:
    """Ask for all regions that there are, and which of them are enabled.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    try:
        found = account.ec2.describe_regions(AllRegions=True)["Regions"]
    except AWS_ERRORS as error:
        return Reach(error=classify(error).as_error())
    return Reach(
        enabled=frozenset(each["RegionName"] for each in found if each["OptInStatus"] != _OFF),
        known=frozenset(each["RegionName"] for each in found),
    )
