"""Where botocore's requests arrive in this process, in the place of moto's own hook."""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.iam.models import get_account_id_from

from tests.cloud.answers import Answer, LostError, render_error
from tests.cloud.calls import Call, Params
from tests.cloud.ecs import StrictEcs
from tests.cloud.json_services import serve_json_service
from tests.cloud.kept_secrets import refuse_secret
from tests.cloud.objects import refuse_object
from tests.cloud.service_quotas import StrictQuotas
from tests.cloud.ssm import StrictSsm
from tests.cloud.topics import count_subscriptions, refuse_publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.hooks import BaseEventHooks

    from tests.cloud.strict import StrictCloud

_STRICT_BY_PARAMS: Mapping[str, Callable[..., Answer | None]] = {
    "kms": lambda cloud, *asked: cloud.serve_kms(*asked),
    "organizations": lambda cloud, *asked: cloud.serve_organizations(*asked),
    "resourcegroupstaggingapi": lambda cloud, *asked: cloud.serve_tagging(*asked),
    "ecs": partial(serve_json_service, StrictEcs),
    "service-quotas": partial(serve_json_service, StrictQuotas),
    "ssm": partial(serve_json_service, StrictSsm),
}
_STRICT_BY_WIRE: Mapping[str, Callable[..., tuple[Call, Any]]] = {
    "ec2": lambda cloud, request: cloud.ec2_call(request),
    "auto-scaling": lambda cloud, request: cloud.autoscaling_call(request),
    "elastic-load-balancing-v2": lambda cloud, request: cloud.elbv2_call(request),
}
_SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/")


class Switchboard:
    """Hands every request to the cloud that is up; without one moto answers as it always does.

    botocore calls all hooks and takes the first answer, so that one before moto's would not keep
    moto from acting: this one stands in moto's stead and calls it where a call shall happen.
    """

    def __init__(self) -> None:
        self.cloud: StrictCloud | None = None
        self._noted = threading.local()

    def note(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        """Keep what boto3 was asked; `before-send` sees the wire alone."""
        service = model.service_model
        noted = self._noted.__dict__
        noted[f"{service.service_id.hyphenize()}.{model.name}"] = service.service_name, dict(params)

    def __call__(
        self,
        event_name: str,
        request: AWSPreparedRequest,
        **kwargs: object,
    ) -> AWSResponse | None:
        """Answer a request of botocore's."""
        if self.cloud is None or not botocore_stubber.enabled:
            return botocore_stubber(event_name, request, **kwargs)
        try:
            status, headers, body = self._answer(self.cloud, event_name, request)
        except LostError as lost:
            raise lost.seen_by_botocore(request.url) from lost
        return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]

    def register(self, events: BaseEventHooks) -> None:
        """Take moto's place on the hooks of one session or client."""
        moto: Any = botocore_stubber
        here: Any = self
        for hook in (moto, here):
            events.unregister("before-send", hook)
        events.unregister("before-parameter-build", here.note)
        events.register_first("before-send", here)
        events.register_last("before-parameter-build", here.note)

    def _answer(self, cloud: StrictCloud, event_name: str, request: AWSPreparedRequest) -> Answer:
        name = event_name.removeprefix("before-send.")
        service_id, _, operation = name.partition(".")
        # The header is text or bytes, by the signer.
        signed = str(request.headers.get("Authorization", ""))
        cloud.access.calling(signed)
        if service_id in _STRICT_BY_WIRE:
            call, service = _STRICT_BY_WIRE[service_id](cloud, request)
            return cloud.serve(call, service.answer)
        region, account = caller(signed)
        if service_id == "rbin":
            path, method = urlsplit(request.url).path, str(request.method)
            body: Any = request.body  # botocore has made it bytes
            return cloud.serve_rbin(method, path, body, (account, region))
        if service_id == "ebs":
            direct = _by_direct(cloud, request, (account, region))
            if direct is not None:
                return direct
        unknown: tuple[str, Params] = (service_id, {})
        service, params = self._noted.__dict__.get(name, unknown)
        strict = _STRICT_BY_PARAMS.get(service)
        if strict is not None:
            answer = strict(cloud, operation, dict(params), (account, region))
            if answer is not None:
                return answer
        call = Call(service, operation, cloud.clock.now(), region, account, read_params=params.copy)
        if service == "sns":
            return cloud.serve(call, lambda: _by_sns(call, request))
        return cloud.serve(call, lambda: _unless_refused(cloud, call, request))


def caller(authorization: str) -> tuple[str, str]:
    """Return region and account a request is signed for, from its header in any spelling."""
    scope = _SCOPE.search(authorization)
    if scope is None:
        return "", ""
    return scope["region"], get_account_id_from(scope["key"])


def _by_direct(
    cloud: StrictCloud, request: AWSPreparedRequest, where: tuple[str, str]
) -> Answer | None:
    url = urlsplit(request.url)
    return cloud.serve_direct(str(request.method), url.path, url.query, where)


def _by_sns(call: Call, request: AWSPreparedRequest) -> Answer:
    refused = refuse_publish(call.params) if call.operation == "Publish" else None
    if refused is not None:
        return render_error(call, refused)
    if call.operation == "GetTopicAttributes":
        count_subscriptions((call.account, call.region))
    return _by_moto(request)


def _unless_refused(cloud: StrictCloud, call: Call, request: AWSPreparedRequest) -> Answer:
    refused = refuse_secret(call, cloud.extras) or refuse_object(call, cloud.extras)
    if refused is not None:
        return render_error(call, refused)
    told = cloud.concurrency.answer(call) if call.service == "lambda" else None
    return told or _by_moto(request)


def _by_moto(request: AWSPreparedRequest) -> Answer:
    response = botocore_stubber.process_request(request)
    if response is None:
        return 404, {}, ""
    status, headers, body = response
    return status, dict(headers), body


SWITCHBOARD = Switchboard()
"""The one of this process; sessions made after this import know it from their birth."""

BUILTIN_HANDLERS[:] = [
    (each[0], SWITCHBOARD) if each[1] is botocore_stubber else each for each in BUILTIN_HANDLERS
]
BUILTIN_HANDLERS.append(("before-parameter-build", SWITCHBOARD.note))
