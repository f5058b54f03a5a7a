"""The services that are played as a whole and speak JSON: ECS, and Run Command of SSM."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.calls import Call, Params
from tests.cloud.constraints import broken_constraint
from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud


class RefusedError(Exception):
    """How a service refuses what is asked."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        """Say what AWS would."""
        super().__init__(message)
        self.text = ErrorText(status, code, message)


@dataclass(frozen=True)
class JsonService:
    """Answers for one account and region; `operations` names the methods that do it."""

    name: ClassVar[str]
    invalid: ClassVar[str]
    """The code for what its model does not allow."""
    invalid_token: ClassVar[str]
    throttled: ClassVar[str] = "ThrottlingException"
    operations: ClassVar[Mapping[str, Callable[..., dict[str, Any]]]]

    cloud: StrictCloud
    where: Where

    @property
    def now(self) -> datetime:
        """The time of the cloud."""
        return self.cloud.clock.now()

    def answer(self, call: Call) -> Answer:
        """Do what is asked and render it; a bucket that is empty throttles."""
        bucket = self.cloud.buckets.get(call.operation)
        if bucket is not None and not bucket.take(call.at, "/".join(self.where)):
            return render_error(call, ErrorText(400, self.throttled, "Rate exceeded"))
        wrong = broken_constraint(self.name, call.operation, call.params)
        if wrong:
            return render_error(call, ErrorText(400, self.invalid, wrong))
        try:
            told = self.operations[call.operation](self, call.params)
        except RefusedError as refused:
            return render_error(call, refused.text)
        body = json.dumps(told, default=_plain)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, body

    def page(
        self, operation: str, keys: Collection[str], most: int, token: str | None
    ) -> tuple[list[str], str | None]:
        """Return a page and the token of the next."""
        try:
            return self.cloud.pages.cut_keys(operation, keys, most, token or None)
        except Refusal:
            message = "The specified token is not valid."
            raise RefusedError(self.invalid_token, message) from None


def serve_json_service(
    kind: type[JsonService], cloud: StrictCloud, operation: str, params: Params, where: Where
) -> Answer | None:
    """Log and answer one request; None: not one of ours."""
    if operation not in kind.operations:
        return None
    account, region = where
    now = cloud.clock.now()
    call = Call(kind.name, operation, now, region, account, read_params=lambda: params)
    return cloud.serve(call, lambda: kind(cloud, where).answer(call))


def _plain(value: object) -> object:
    """Write a time as these services do, in seconds."""
    assert isinstance(value, datetime)
    return value.timestamp()
