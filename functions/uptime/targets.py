"""A target: what is probed, what is expected of it, and what may be done about it."""

from __future__ import annotations

from ssl import SSLError, create_default_context
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from caretaker.repairs import NAME_PATTERN, EcsService, SsmDocument, TargetName
from caretaker.request import Part
from caretaker.selectors import InstanceId
from caretaker.windows import Window

from .addresses import version_of
from .paths import check_path
from .patterns import check_pattern
from .urls import UrlText, parse_url

_HEADER: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"
_NO_BREAK: Final = r"^[^\x00-\x08\x0a-\x1f\x7f]*$"
_REFUSED_HEADERS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "proxy-authorization"}
)
MAX_BODY: Final = 256 * 1024


def _status(text: str) -> str:
    first, _, last = text.partition("-")
    if not (100 <= int(first) <= int(last or first) <= 599):  # noqa: PLR2004 - HTTP's statuses
        msg = "must be a status, or a range as 200-399"
        raise ValueError(msg)
    return text


def _header(name: str) -> str:
    if name.lower() in _REFUSED_HEADERS:
        msg = "must be a header that the probe does not write by itself"
        raise ValueError(msg)
    return name


def _certificates(text: str) -> str:
    try:
        create_default_context(cadata=text)
    except (SSLError, ValueError, TypeError):
        msg = "must be certificates in PEM"
        raise ValueError(msg) from None
    return text


type Pattern = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(check_pattern)]
type Statuses = Annotated[
    str, Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"), AfterValidator(_status)
]
type HeaderName = Annotated[str, Field(pattern=_HEADER), AfterValidator(_header)]
type HeaderValue = Annotated[str, Field(max_length=4096, pattern=_NO_BREAK)]


class JsonRule(Part):
    """What a place in a JSON body must equal."""

    path: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(check_path)]
    equals: JsonValue


class HeaderRule(Part):
    """What a header of the answer must match."""

    name: Annotated[str, Field(pattern=_HEADER)]
    matches: Pattern


class Expect(Part):
    """When an answer is well: all that is named must hold.

    `status` are statuses and ranges; redirects are followed first, as many as `redirects`.
    """

    status: Annotated[tuple[Statuses, ...], Field(min_length=1, max_length=20)] = ("200-399",)
    body_matches: Pattern | None = None
    body_lacks: Pattern | None = None
    header: HeaderRule | None = None
    json_value: Annotated[JsonRule | None, Field(alias="json")] = None
    max_bytes: Annotated[int, Field(ge=1, le=MAX_BODY)] = MAX_BODY
    redirects: Annotated[int, Field(ge=0, le=5)] = 5

    def takes(self, status: int) -> bool:
        """Tell whether a status is among those expected."""
        for each in self.status:
            first, _, last = each.partition("-")
            if int(first) <= status <= int(last or first):
                return True
        return False

    @property
    def reads_body(self) -> bool:
        """Tell whether what is expected shows in the body alone."""
        return bool(self.body_matches or self.body_lacks or self.json_value)


class Tls(Part):
    """How certificates are judged; `min_days` is when one that expires is told of first."""

    verify: bool = True
    min_days: Annotated[int, Field(ge=1, le=90)] = 21
    ca: (
        Annotated[str, Field(min_length=1, max_length=16384), AfterValidator(_certificates)] | None
    ) = None


class Secret(Part):
    """Where a secret is kept: the ARN of a secret, with a key of its JSON, or of a parameter."""

    arn: Annotated[str, Field(pattern=r"^arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)[A-Za-z0-9/_+=.@!-]{1,512}$")]  # fmt: skip  # noqa: E501
    key: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class Auth(Part):
    """Credentials by reference: a header, or user and password, read when they are needed."""

    secret: Secret
    header: HeaderName = "Authorization"
    prefix: Annotated[str, Field(max_length=64, pattern=_NO_BREAK)] = ""
    user: Annotated[str, Field(min_length=1, max_length=128, pattern=_NO_BREAK)] | None = None


class Fix(Part):
    """What may be repaired where a target is down: one of these."""

    instance: InstanceId | None = None
    ecs_service: EcsService | None = None
    ssm_document: SsmDocument | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (
            sum(each is not None for each in (self.instance, self.ecs_service, self.ssm_document))
            != 1
        ):
            msg = "must have one of instance, ecs_service, ssm_document"
            raise ValueError(msg)
        return self


class Target(Part):
    """What is probed, by a name of its own; seconds are for a request with all its redirects."""

    name: TargetName
    url: UrlText
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = Field(
        default_factory=dict
    )
    body: Annotated[str, Field(max_length=8192)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 10
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 4
    expect: Expect = Expect()
    max_latency_ms: Annotated[int, Field(ge=1, le=30_000)] | None = None
    ip_version: Annotated[Literal["4", "6", "both"], Field(validate_default=True)] = "4"
    tls: Tls = Tls()
    auth: Auth | None = None
    group: Annotated[str, Field(pattern=NAME_PATTERN)] = "default"
    depends_on: TargetName | None = None
    maintenance: Annotated[tuple[Window, ...], Field(max_length=20)] = ()
    fix: Fix | None = None
    slo: Annotated[float, Field(gt=50, lt=100)] | None = None
    metrics: bool = False

    @field_validator("ip_version")
    @classmethod
    def _can_be_reached(cls, asked: str, others: ValidationInfo) -> str:
        """An address of one version is never found by names of the other."""
        version = version_of(parse_url(others.data["url"]).host) if "url" in others.data else ""
        if version and asked not in {version, "both"}:
            msg = f"must be {version} or both, for the URL holds such an address"
            raise ValueError(msg)
        return asked
