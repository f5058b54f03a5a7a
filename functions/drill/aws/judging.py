"""Ask the user's function about the contents of a volume, and wait for its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ReadTimeoutError

from caretaker.aws.session import JUDGE_SECONDS, home
from caretaker.errors import OutOfTimeError
from functions.drill.facts import Flaw
from functions.drill.judgement import MAX_ANSWER, question_of, read_judgement
from functions.drill.verdict import Verdict

if TYPE_CHECKING:
    from caretaker.run import Run
    from functions.drill.request import DrillRequest
    from functions.drill.units import Unit


class Judge:
    """The judge of one run, if it asks for one; its client is made before the workers begin."""

    def __init__(self, run: Run[DrillRequest]) -> None:
        self._deadline = run.scene.deadline
        self._place = run.scene.account.place
        self._function = run.scene.settings.drill_judge
        self._client = home(run.scene.settings.region).judges if run.request.judge else None

    def has_time(self) -> bool:
        """Tell whether the run lasts as long as it may take, if it is asked at all."""
        return self._client is None or self._deadline.allows(JUDGE_SECONDS)

    def judges(self, unit: Unit, volume_id: str) -> Verdict:
        """Return what it says, that all is well where nobody asks; errors of AWS pass through.

        `OutOfTimeError` when the run would not last as long as it may take.
        """
        if self._client is None:
            return Verdict()
        if not self.has_time():
            raise OutOfTimeError("Invoke")
        asked = question_of(unit, volume_id, self._place.account, self._place.region)
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=asked)
        except ReadTimeoutError:
            return Verdict(Flaw.JUDGE_FAILED, f"no answer within {JUDGE_SECONDS} seconds")
        with answer["Payload"] as body:
            said = body.read(MAX_ANSWER + 1)
        return read_judgement(said, answer.get("FunctionError", ""))
