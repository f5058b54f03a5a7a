"""What may be repaired behind a target: parts of events that one chore sends to another."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from caretaker.request import Part
from caretaker.selectors import InstanceId

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
_NO_BREAK: Final = r"^[^\x00-\x08\x0a-\x1f\x7f]*$"

type TargetName = Annotated[str, Field(pattern=NAME_PATTERN)]


class EcsService(Part):
    """A service of ECS behind a target."""

    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
    service: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]


class SsmDocument(Part):
    """A document of SSM, run on the instance behind a target."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,128}$")]
    instance: InstanceId
    parameters: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")],
            Annotated[str, Field(max_length=512, pattern=_NO_BREAK)],
        ],
        Field(max_length=10, default_factory=dict),
    ]
