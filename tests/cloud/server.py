"""moto's server with a strict EC2: `python -m tests.cloud.server --port N`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from moto.core.request import Request
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app

from tests.cloud.admin import PREFIX, Admin, UnknownEndpointError
from tests.cloud.answers import Answer, LostError, render_error
from tests.cloud.asking_iam import refused_by_iam
from tests.cloud.calls import Call, Params
from tests.cloud.clock import SystemTime
from tests.cloud.ecs import StrictEcs
from tests.cloud.faults import FaultKind
from tests.cloud.json_services import serve_json_service
from tests.cloud.kept_secrets import refuse_secret
from tests.cloud.killing import kill_caller
from tests.cloud.service_quotas import StrictQuotas
from tests.cloud.ssm import StrictSsm
from tests.cloud.strict import LOAD_AMIS, REGION, StrictCloud
from tests.cloud.switchboard import caller

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_JSON: Mapping[str, Callable[..., Answer | None]] = {
    "kms": StrictCloud.serve_kms,
    "organizations": StrictCloud.serve_organizations,
    "resourcegroupstaggingapi": StrictCloud.serve_tagging,
    "ecs": partial(serve_json_service, StrictEcs),
    "service-quotas": partial(serve_json_service, StrictQuotas),
    "ssm": partial(serve_json_service, StrictSsm),
}
_SERVICES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}


class DroppingHandler(MotoRequestHandler):
    """Closes the connection of an answer that must not arrive, instead of letting it hang."""

    def connection_dropped(
        self, error: BaseException, environ: WSGIEnvironment | None = None
    ) -> None:
        """Serve nothing more on this connection."""
        self.close_connection = True
        super().connection_dropped(error, environ)


class ServedRequest(Request):
    """A request that came over the wire."""

    from_wsgi_server = True


class StrictServer:
    """WSGI: EC2 is strict, the rest is moto's, and every call is logged and may fail."""

    def __init__(self, cloud: StrictCloud, behind: WSGIApplication, admin: Admin) -> None:
        """Stand in front of moto's own application."""
        self._cloud = cloud
        self._behind = behind
        self._admin = admin

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request; a lost answer closes the connection."""
        if environ["PATH_INFO"].startswith(PREFIX):
            return _send(self._administer(environ), start)
        region, service = _scope(environ)
        if not service or environ["PATH_INFO"].startswith("/moto-api"):
            return self._behind(environ, start)
        try:
            return _send(self._serve(environ, region, service), start)
        except LostError as lost:
            if lost.kind is FaultKind.CALLER_DIES:
                kill_caller(int(environ["REMOTE_PORT"]))
            raise ConnectionAbortedError(lost.kind) from lost

    def _serve(self, environ: WSGIEnvironment, region: str, service: str) -> Answer:
        cloud = self._cloud
        _keep_body(environ)
        signed = environ.get("HTTP_AUTHORIZATION", "")
        cloud.access.calling(signed)
        if service == "ec2":
            call, ec2 = cloud.ec2_call(ServedRequest(environ))
            return cloud.serve(call, ec2.answer)
        if service == "autoscaling":
            call, scaling = cloud.autoscaling_call(ServedRequest(environ))
            return cloud.serve(call, scaling.answer)
        if service == "elbv2":
            call, balancing = cloud.elbv2_call(ServedRequest(environ))
            return cloud.serve(call, balancing.answer)
        if service == "rbin":
            return self._serve_rbin(environ)
        answer = self._serve_played(environ, service)
        if answer is not None:
            return answer
        read = _READERS.get(service)
        asked: Callable[[], Params] = partial(read, environ) if read else dict
        operation, (_, account) = _operation(environ), caller(signed)
        call = Call(service, operation, cloud.clock.now(), region, account, read_params=asked)
        return cloud.serve(call, lambda: self._unless_secret(call, environ))

    def _unless_secret(self, call: Call, environ: WSGIEnvironment) -> Answer:
        iam = self._cloud.access.iam
        if iam and call.operation == "AssumeRole":
            denied = refused_by_iam(iam, environ, _body_of(environ))
            if denied is not None:
                return denied
        refused = refuse_secret(call, self._cloud.extras)
        return self._by_moto(environ) if refused is None else render_error(call, refused)

    def _serve_played(self, environ: WSGIEnvironment, service: str) -> Answer | None:
        if service == "ebs":
            return self._serve_direct(environ)
        return self._serve_json(environ, service) if service in _JSON else None

    def _serve_json(self, environ: WSGIEnvironment, service: str) -> Answer | None:
        region, account = caller(environ.get("HTTP_AUTHORIZATION", ""))
        asked = _json_of(environ)
        cloud, where = self._cloud, (account, region)
        return _JSON[service](cloud, _operation(environ), asked, where)

    def _serve_direct(self, environ: WSGIEnvironment) -> Answer | None:
        region, account = caller(environ.get("HTTP_AUTHORIZATION", ""))
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        return self._cloud.serve_direct(method, path, environ["QUERY_STRING"], (account, region))

    def _serve_rbin(self, environ: WSGIEnvironment) -> Answer:
        region, account = caller(environ.get("HTTP_AUTHORIZATION", ""))
        body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        return self._cloud.serve_rbin(method, path, body, (account, region))

    def _by_moto(self, environ: WSGIEnvironment) -> Answer:
        body, status, headers = run_wsgi_app(self._behind, environ, buffered=True)
        return int(status.split()[0]), dict(headers), b"".join(body)

    def _administer(self, environ: WSGIEnvironment) -> Answer:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length) if length else b"{}"
        try:
            answer = self._admin.handle(environ["PATH_INFO"], json.loads(raw))
        except UnknownEndpointError as error:
            return 404, {}, f"no endpoint {error}"
        except (KeyError, TypeError, ValueError) as error:
            return 400, {}, f"{type(error).__name__}: {error}"
        return 200, {"Content-Type": "application/json"}, answer


def _scope(environ: WSGIEnvironment) -> tuple[str, str]:
    found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return "", ""
    region, service = found.groups()
    return region, _SERVICES.get(service, service)


def _keep_body(environ: WSGIEnvironment) -> None:
    """Let the body be read as often as somebody looks at it."""
    body = environ["wsgi.input"]
    if isinstance(body, BytesIO):
        body.seek(0)
    elif environ.get("CONTENT_LENGTH"):
        environ["wsgi.input"] = BytesIO(body.read(int(environ["CONTENT_LENGTH"])))


def _json_of(environ: WSGIEnvironment) -> dict[str, Any]:
    asked = dict(json.loads(environ["wsgi.input"].read() or b"{}"))
    _keep_body(environ)
    return asked


def _body_of(environ: WSGIEnvironment) -> bytes:
    body = bytes(environ["wsgi.input"].read())
    _keep_body(environ)
    return body


def _form_of(environ: WSGIEnvironment) -> dict[str, Any]:
    fields = parse_qs(_body_of(environ).decode())
    return {name: values[-1] for name, values in fields.items()}


_READERS: Mapping[str, Callable[[WSGIEnvironment], dict[str, Any]]] = {
    "secretsmanager": _json_of,
    "ssm": _json_of,
    "sts": _form_of,
}


def _operation(environ: WSGIEnvironment) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rsplit(".", 1)[-1]
    values = ServedRequest(dict(environ)).values
    _keep_body(environ)
    return str(values.get("Action") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")


def _send(answer: Answer, start: StartResponse) -> Iterable[bytes]:
    status, headers, body = answer
    data = body.encode() if isinstance(body, str) else body
    kept = [(n, v) for n, v in headers.items() if n.lower() not in {"status", "content-length"}]
    start(f"{status} ", [*kept, ("Content-Length", str(len(data)))])
    return [data]


def build_server(cloud: StrictCloud, port: int, region: str = REGION) -> BaseWSGIServer:
    """Make a threaded server on the loopback interface; port 0 takes a free one."""
    moto = DomainDispatcherApplication(create_backend_app)
    application: Any = StrictServer(cloud, moto, Admin(cloud, region))
    return make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=DroppingHandler
    )


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--pending-seconds", type=float, default=20.0)
    parser.add_argument("--page-size", type=int, default=25)
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ[LOAD_AMIS] = "false"
    cloud = StrictCloud(
        SystemTime(), page_size=given.page_size, pending_seconds=given.pending_seconds
    )
    server = build_server(cloud, given.port, given.region)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"strict EC2 on http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
