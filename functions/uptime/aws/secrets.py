"""Secrets: read when they are needed, held as long as the run, shown to nobody."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.failures import Kind
from functions.uptime.probing import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.failures import Failure
    from caretaker.run import Scene
    from functions.uptime.targets import Auth, Secret, Target


_PASSING: Final = frozenset({Kind.UNKNOWN, Kind.THROTTLED})


class Secrets:
    """The credentials of targets; `unreadable` tells, by target, why there are none.

    What only cannot be read just now is in `unread` instead.
    """

    def __init__(self, scene: Scene, targets: Iterable[Target]) -> None:
        """Read what they refer to, each secret once."""
        self._scene = scene
        self._read: dict[str, str] = {}
        self._failed: dict[str, Failure] = {}
        self.unreadable: dict[str, str] = {}
        self.unread: set[str] = set()
        self._of: dict[str, Credentials] = {}
        for target in targets:
            if target.auth:
                self._keep(target.name, target.auth)

    def are_known(self, target: Target) -> bool:
        """Tell whether a target can be asked with the credentials that it needs."""
        return target.name not in self.unreadable and target.name not in self.unread

    def of(self, target: Target) -> Credentials:
        """Return the credentials of a target, empty where it has none."""
        return self._of.get(target.name, Credentials())

    def _keep(self, name: str, auth: Auth) -> None:
        arn = auth.secret.arn
        if arn not in self._read and arn not in self._failed:
            self._fetch(arn)
        failure = self._failed.get(arn)
        if failure and failure.kind in _PASSING:
            self.unread.add(name)
            return
        if failure:
            self.unreadable[name] = failure.code
            return
        value = _picked(self._read[arn], auth.secret)
        if value is None or not value.isprintable():
            self.unreadable[name] = "unfit"
            return
        self._of[name] = _credentials(auth, value)

    def _fetch(self, arn: str) -> None:
        place = home(self._scene.settings.region)
        try:
            if ":secretsmanager:" in arn:
                answer = place.secrets.get_secret_value(SecretId=arn)
                self._read[arn] = answer.get("SecretString", "")
            else:
                found = place.parameters.get_parameter(Name=arn, WithDecryption=True)
                self._read[arn] = found["Parameter"].get("Value", "")
        except AWS_ERRORS as error:
            self._failed[arn] = classify(error)


def _picked(value: str, secret: Secret) -> str | None:
    """Return the part of a secret that is meant."""
    if secret.key is None:
        return value
    try:
        picked = json.loads(value)[secret.key]
    except (ValueError, KeyError, TypeError):
        return None
    return picked if isinstance(picked, str) else None


def _credentials(auth: Auth, value: str) -> Credentials:
    if auth.user is not None:
        both = b64encode(f"{auth.user}:{value}".encode()).decode()
        return Credentials((f"{auth.header}: Basic {both}",))
    return Credentials((f"{auth.header}: {auth.prefix}{value}",))
