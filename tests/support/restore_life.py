"""The life of one target: workers come and are killed, until it is over, on a simulated EC2."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

from caretaker.aws.state import ConditionFailedError
from caretaker.clock import Deadline
from caretaker.errors import CallError, OutOfTimeError
from caretaker.run import Scene
from caretaker.settings import Mode, Settings
from functions.restore.aws.walk import Walk
from functions.restore.memory import Memory
from tests.support.builders import ACCOUNT, NOW, FakeClock
from tests.support.restore_queue import Shelf
from tests.support.restore_sim import Ec2, refusal
from tests.support.restore_state import Faults, State, Vol
from tests.support.restoring import DATA, ID, OLD, ROOT, a_journal
from tests.support.stack import ENVIRONMENT

if TYPE_CHECKING:
    from functions.restore.journal import Journal

GIVEN_UP_AFTER: Final = timedelta(hours=50)
"""A day on the way there, a day on the way back, and what was under way by then."""
_LAMBDA_SECONDS: Final = 900
_SLOWEST_SECONDS: Final = 600
_PROMPT_TURNS: Final = 25
"""More than it takes for all that passes to pass."""


class KilledError(BaseException):
    """The worker is no more; nothing of it runs on."""


class Table:
    """The state table of one journal, with its guard; it tells of each write before and after."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.shelf = Shelf()
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, item: dict[str, Any], _condition: str = "", values: Any = None) -> None:
        self._life.point()
        before = self.items.get((item["pk"], item["sk"]), {})
        mine = values and all(before.get(k) == item[k] for k in ("version", "writer"))
        if values and before.get("version") != values[":seen"] and not mine:
            raise ConditionFailedError("PutItem", refusal("ConditionalCheckFailedException"))
        self.items[item["pk"], item["sk"]] = item
        self._life.point()

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(self, pk: str) -> list[dict[str, Any]]:
        return [item for (its, _), item in self.items.items() if its == pk]

    def write_batch(self, puts: list[dict[str, Any]], _deletes: Any) -> None:
        self.items |= {(item["pk"], item["sk"]): item for item in puts}

    def update(self, *asked: Any) -> dict[str, Any]:
        return self.shelf.update(*asked)


class Reads:
    """A client that sends again by itself: nothing is changed by it."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2

    def __getattr__(self, name: str) -> Any:
        assert name.startswith("describe_")
        return getattr(self._ec2, name)


@dataclass
class Life:
    """One target on its way; `kills` are the calls and writes, by number, that end a worker."""

    faults: Faults = field(default_factory=Faults)
    kills: frozenset[int] = frozenset()
    journal: Journal = field(default_factory=lambda: a_journal(turned=None))
    runs: bool = True
    pace: float = 1.0
    workers: int = 0
    points: int = 0

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        root = Vol(OLD[0], "in-use", device=ROOT, seat="attached", dies=True)
        data = Vol(OLD[1], "in-use", device=DATA, seat="attached")
        self.start = State("running" if self.runs else "stopped", {v.id: v for v in (root, data)})
        self.ec2 = Ec2(self.start, self.clock, self.faults, self.point, ID)
        self.table = Table(self)

    def point(self) -> None:
        """Be killed here, or go on."""
        self.points += self.workers > 0
        if self.points in self.kills:
            raise KilledError

    def live(self) -> Journal:
        """Return the journal at its end; one that does not end fails the test.

        Workers come when they were told to; where nothing changes for long they come less often.
        """
        Memory(self.run()).begin(self.journal.plan, "daily", [self.journal])
        quiet = 0
        while self.clock.monotonic() < GIVEN_UP_AFTER.total_seconds():
            before = self.journal
            seconds = self._work()
            if not self.journal.is_open:
                return self.journal
            same = self.journal.waiting_for == before.waiting_for
            quiet = quiet + 1 if same and self.journal.goal == before.goal else 0
            slower = 1.3 ** min(max(0, quiet - _PROMPT_TURNS), 20)
            self.clock.sleep(max(1.0, min(seconds * slower, _SLOWEST_SECONDS)))
        msg = f"does not end: {self.journal}"
        raise AssertionError(msg)

    def _work(self) -> float:
        """Let one worker go as far as it goes."""
        self.workers += 1
        run = self.run()
        try:
            walk = Walk(run, self._read(run))
            return walk.go()
        except (KilledError, CallError, OutOfTimeError):
            return 5
        finally:
            self.journal = self._read(run)

    def _read(self, run: Any) -> Journal:
        found = Memory(run).journal(self.journal.plan, self.journal.target)
        assert found
        return found

    def run(self) -> Any:
        place = SimpleNamespace(account=ACCOUNT, region="eu-west-1")
        scene = Scene(
            settings=Settings.from_env(ENVIRONMENT),
            account=cast(
                "Any", SimpleNamespace(ec2=Reads(self.ec2), ec2_once=self.ec2, place=place)
            ),
            pacer=cast("Any", None),
            deadline=Deadline(self.clock, _LAMBDA_SECONDS),
            state=cast("Any", SimpleNamespace(table=self.table)),
            clock=self.clock,
            now=NOW,
            run_id=f"worker-{self.workers}",
            request_id="",
        )
        return SimpleNamespace(scene=scene, mode=Mode.ACT, request=SimpleNamespace(pace=self.pace))
