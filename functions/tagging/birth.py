"""What CloudTrail tells of a call that made something: what was made, and by whom. Pure.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

_BORN_AS: Final = {
    "RunInstances": ("instanceId",),
    "CreateVolume": ("volumeId",),
    "CreateSnapshot": ("snapshotId",),
    "CreateSnapshots": ("snapshotId",),
    "CopySnapshot": ("snapshotId",),
    "CreateImage": ("imageId",),
}
"""Where the answer to a call names what it made; an instance names the image it was made from."""
_CONSOLE: Final = "signin.amazonaws.com"
"""Stands with what people do in the console."""
_ID: Final = re.compile(r"(i|vol|snap|ami)-[0-9a-f]{8,17}", re.ASCII)


class _Told(BaseModel):
    """A part of a CloudTrail event, which has many fields more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Identity(_Told):
    """Who called. `arn` is of the user, or of the role and session."""

    type: str = ""
    arn: str = ""
    userName: str = ""  # noqa: N815 - CloudTrail's name
    invokedBy: str = ""  # noqa: N815

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the caller may be called, the fullest name first; none for an AWS service.

        A role's session is often named after the person behind it.
        """
        by_service = self.invokedBy.endswith(".amazonaws.com") and self.invokedBy != _CONSOLE
        if by_service or self.type == "AWSService":
            return ()
        if self.type == "Root":
            return ("root",)
        kind, _, name = self.arn.rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            return tuple(each for each in (name, session, role) if each)
        return tuple(dict.fromkeys(each for each in (self.userName, name) if each))


class Birth(_Told):
    """The `detail` of an event of CloudTrail about one call of EC2."""

    eventName: str = Field(pattern="^(" + "|".join(_BORN_AS) + ")$")  # noqa: N815
    eventID: str = ""  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    userIdentity: Identity = Identity()  # noqa: N815
    responseElements: dict[str, Any] | None = None  # noqa: N815

    @property
    def ids(self) -> tuple[str, ...]:
        """Return what the call made, sorted; nothing when it failed."""
        if self.errorCode is not None:
            return ()
        wanted = _BORN_AS[self.eventName]
        found = {each for each in _named(self.responseElements, wanted) if _ID.fullmatch(each)}
        return tuple(sorted(found))


def _named(part: object, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts that stand under these keys, however deep."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in keys and isinstance(value, str):
                yield value
            else:
                yield from _named(value, keys)
    elif isinstance(part, list):
        for each in part:
            yield from _named(each, keys)
