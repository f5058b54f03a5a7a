"""What the drill chore remembers of each volume, in the state table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.notes import Notes
from caretaker.errors import StateError
from caretaker.slots import slot_of, slot_time
from caretaker.telemetry import logger

from .facts import How, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.run import Run

    from .request import DrillRequest

_PROOFS: Final = "proofs"
_KEPT: Final = timedelta(days=800)
"""Longer than the oldest proof may get, however seldom drills are."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a policy in a place: what one has proven says nothing of another's backups."""

    run: Run[DrillRequest]

    def proofs(self) -> dict[str, Proof] | None:
        """Return what is remembered, by volume; None when the table is out of reach."""
        try:
            found = [
                _proof(item)
                for item in self._notes.list(_PROOFS)
                if item["sk"].startswith(f"{self.run.request.policy}/")
            ]
        except StateError as error:
            logger.warning("proofs not read", error=error.failure.as_error())
            return None
        return {proof.volume: proof for proof in found}

    def since(self) -> datetime | None:
        """Return when this policy was first drilled; None when the table is out of reach."""
        scene = self.run.scene
        place = scene.account.place
        scope = f"drill/{self.run.request.policy}/{place.account}/{place.region}"
        try:
            first = scene.state.remember("policy", scope, slot_of(scene.now), scene.now)
        except StateError:
            return None
        return slot_time(first)

    def write(self, proof: Proof) -> None:
        """Write down what came of a drill; `StateError` when the table is out of reach."""
        name = f"{self.run.request.policy}/{proof.volume}"
        self._notes.put(_PROOFS, name, _KEPT, document=json.dumps(_document(proof)))

    @property
    def _notes(self) -> Notes:
        place, scene = self.run.scene.account.place, self.run.scene
        scope = f"{place.account}/{place.region}"
        return Notes(scene.state.table, scope, int(scene.now.timestamp()))


def _document(proof: Proof) -> dict[str, Any]:
    proven = proof.proven.isoformat() if proof.proven else None
    return asdict(proof) | {"tried": proof.tried.isoformat(), "proven": proven}


def _proof(item: Mapping[str, Any]) -> Proof:
    """Read it back; another version may have written more, or less."""
    document = json.loads(item["document"])
    known = {each.name for each in fields(Proof)}
    read: dict[str, Any] = {
        "tried": datetime.fromisoformat(document["tried"]),
        "proven": datetime.fromisoformat(document["proven"]) if document.get("proven") else None,
        "how": How(document["how"]),
        "found": tuple(document.get("found", ())),
    }
    return Proof(**{key: value for key, value in document.items() if key in known} | read)
