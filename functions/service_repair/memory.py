"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.notes import Notes
from caretaker.aws.state import ConditionFailedError
from caretaker.telemetry import logger

from .attempt import Attempt, Ending, Stand
from .facts import Telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.aws.state import Item
    from caretaker.run import Run

    from .request import ServiceRepairRequest

CHORE: Final = "service_repair"
_ATTEMPTS: Final = "attempts"
_TOLD: Final = "told"
_HANDS: Final = "hands"
_ATTEMPT_KEPT: Final = timedelta(days=30)
_TOLD_KEPT: Final = timedelta(days=400)
_HAND_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Memory:
    """Attempts of a place, whatever the policy; what was told, by policy.

    `StateError` when the table is out of reach.
    """

    run: Run[ServiceRepairRequest]

    def attempts(self) -> dict[str, Attempt]:
        """Return the last attempt of each resource that had one."""
        return {item["sk"]: _attempt(item) for item in self._place.list(_ATTEMPTS)}

    def tellings(self) -> list[Telling]:
        """Return what people were told of, and that is not known to be over."""
        return [Telling(i["sk"], i["resource"], i["incident"]) for i in self._policy.list(_TOLD)]

    def tell(self, telling: Telling) -> None:
        """Remember that people are told of a target."""
        says = {"resource": telling.resource, "incident": telling.incident}
        self._policy.put(_TOLD, telling.target, _TOLD_KEPT, **says)

    def forget(self, tellings: Iterable[Telling]) -> None:
        """Forget what is over."""
        self._policy.forget(_TOLD, [each.target for each in tellings])

    def write(self, resource: str, attempt: Attempt) -> Attempt:
        """Write how an attempt stands, unless another run has written since it was read.

        Returns it in its new version. The writer is named, so that a write whose answer got lost is
        known as its own.
        """
        me, after = self.run.scene.run_id, replace(attempt, version=attempt.version + 1)
        item = self._place.item(
            _ATTEMPTS,
            resource,
            _ATTEMPT_KEPT,
            document=json.dumps(_document(after)),
            version=after.version,
            writer=me,
        )
        self._place.table.put(
            item,
            "attribute_not_exists(pk) OR version = :seen OR (version = :next AND writer = :me)",
            {":seen": attempt.version, ":next": after.version, ":me": me},
        )
        return after

    def move(self, resource: str, attempt: Attempt) -> None:
        """Write how an attempt ended; overtaken, the other run has seen it too."""
        try:
            self.write(resource, attempt)
        except ConditionFailedError:
            logger.info("attempt moved by another run", resource=resource)

    def take_back(self, resource: str, written: Attempt, before: Attempt | None) -> None:
        """Leave the attempt as it was before a call that was not sent."""
        if before is None:
            at = self._place.key(_ATTEMPTS)
            self._place.table.delete(at, resource, "version = :v", {":v": written.version})
        else:
            self.write(resource, replace(before, version=written.version))

    def lend_hand(self, resource: str, number: int, minutes: int) -> bool:
        """Take one of so many hands for a while; False when others have them all.

        Runs of different resources go beside each other: the table counts them.
        """
        until = self._place.seconds + minutes * 60
        values: Item = {":now": self._place.seconds, ":me": resource}
        for hand in map(str, range(number)):
            item = self._place.item(_HANDS, hand, _HAND_KEPT, holder=resource, held_until=until)
            free = "attribute_not_exists(pk) OR held_until < :now OR holder = :me"
            try:
                self._place.table.put(item, free, values)
            except ConditionFailedError:
                continue
            return True
        return False

    @property
    def is_regular(self) -> bool:
        """Tell whether it runs as the stack does: a look by hand remembers nothing."""
        return self.run.mode is self.run.scene.settings.mode

    @property
    def _place(self) -> Notes:
        return Notes.of_place(CHORE, self.run)

    @property
    def _policy(self) -> Notes:
        return Notes.of_policy(CHORE, self.run)


def _document(attempt: Attempt) -> dict[str, Any]:
    document = asdict(attempt) | {name: getattr(attempt, name).isoformat() for name in _TIMES}
    document["ended"] = attempt.ended.isoformat() if attempt.ended else None
    document["begun"] = [each.isoformat() for each in attempt.begun]
    return document


_TIMES: Final = ("at", "opened")


def _attempt(item: Mapping[str, Any]) -> Attempt:
    """Read it back; another version may have written more, or less."""
    document = json.loads(item["document"])
    known = {each.name for each in fields(Attempt)}
    read = {
        "stand": Stand(document["stand"]),
        "ending": Ending(document["ending"]) if document.get("ending") else None,
        "ended": datetime.fromisoformat(document["ended"]) if document.get("ended") else None,
        "begun": tuple(map(datetime.fromisoformat, document.get("begun", ()))),
        "history": tuple(document.get("history", ())),
        "version": item["version"],
        **{name: datetime.fromisoformat(document[name]) for name in _TIMES},
    }
    return Attempt(**{k: v for k, v in document.items() if k in known} | read)
