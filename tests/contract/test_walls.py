"""The walls of the house, read from the imports and the syntax of every module of the product."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = (ROOT / "layers" / "common", ROOT)
FOLDERS = (ROOT / "layers" / "common" / "caretaker", ROOT / "functions")

ROOMS = ("app", "aws", "plan", "request")
PURE_ROOMS = ("plan", "request")
PURE_IN_LAYER = tuple(
    f"caretaker.{name}"
    for name in (
        *("blast_radius", "cells", "decisions", "ec2", "incidents", "plans", "rendering"),
        *("repairs", "report", "request", "rights", "rounds", "selectors", "slots", "tags"),
        *("transitions", "windows"),
    )
)
AWS_SDK = ("boto3", "botocore")
IMPURE = (
    *(*AWS_SDK, "aws_lambda_powertools", "caretaker.aws"),
    *("logging", "os", "random", "secrets", "socket", "time"),
)
# The package's start asks whether it runs on Lambda, to rest the garbage collector: no decision.
ALLOWED = frozenset({"caretaker imports os"})
CLOCK_READINGS = frozenset({"now", "today", "utcnow"})
# The boundary around one item, where any error becomes that item's outcome.
CATCHES_EVERYTHING = "caretaker.apply"

MAX_LINES, MAX_LINES_OF_APP, MAX_LINES_OF_FUNCTION = 300, 60, 40


@dataclass(frozen=True)
class Module:
    """One Python file under its import name; `package` is what relative imports start from."""

    name: str
    package: str
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def may_use_aws_sdk(self) -> bool:
        return is_within(self.name, "caretaker.aws") or is_room(self.name, ("aws",))


def read_module(path: Path) -> Module:
    root = next(root for root in SOURCE_ROOTS if path.is_relative_to(root))
    parts = path.relative_to(root).with_suffix("").parts
    package = ".".join(parts[:-1])
    name = package if parts[-1] == "__init__" else ".".join(parts)
    return Module(name, package, path.read_text(encoding="utf-8"))


def read_house() -> list[Module]:
    return [read_module(path) for folder in FOLDERS for path in sorted(folder.rglob("*.py"))]


HOUSE = read_house()


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def is_room(name: str, rooms: Iterable[str]) -> bool:
    parts = name.split(".")
    return len(parts) >= 3 and parts[0] == "functions" and parts[2] in rooms


def list_imports(module: Module) -> set[str]:
    """Return all absolute names a module imports, of `from a import b` both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = absolute_origin(node, module.package)
            names.update({origin, *(f"{origin}.{alias.name}" for alias in node.names)})
    return names


def absolute_origin(node: ast.ImportFrom, package: str) -> str:
    parents = package.split(".")
    base = parents[: len(parents) - node.level + 1] if node.level else []
    return ".".join([*base, *([node.module] if node.module else [])])


def pure_modules(modules: Iterable[Module]) -> list[Module]:
    """Return the modules that must be pure, and all of ours that they import, however far."""
    by_name = {module.name: module for module in modules}
    pure: dict[str, Module] = {}
    waiting = [name for name in by_name if name in PURE_IN_LAYER or is_room(name, PURE_ROOMS)]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in pure:
            pure[name] = by_name[name]
            waiting += list_imports(by_name[name])
    return list(pure.values())


def list_handlers(module: Module) -> Iterator[str]:
    """Yield the name of every caught exception; an `except:` catches BaseException."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type or ast.Name("BaseException")
            each = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            yield from (ast.unparse(name).rpartition(".")[2] for name in each)


def reads_the_clock(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in CLOCK_READINGS
        and ast.unparse(node.value).rpartition(".")[2] in {"date", "datetime"}
    )


def breaks_purity(module: Module) -> Iterator[str]:
    for name in list_imports(module):
        yield from (f"imports {name}" for impure in IMPURE if is_within(name, impure))
    for node in ast.walk(module.tree):
        if reads_the_clock(node):
            yield f"reads the clock: {ast.unparse(node)}"


def imports_a_stranger(module: Module) -> Iterator[str]:
    """The layer imports no function, a function no other one, and the product no test or tool."""
    own = ".".join(module.name.split(".")[:2]) if is_within(module.name, "functions") else None
    for name in list_imports(module):
        outside = any(is_within(name, folder) for folder in ("bench", "tests", "tools"))
        function = is_within(name, "functions") and not (own and is_within(name, own))
        if outside or function:
            yield f"imports {name}"


def uses_aws_sdk_elsewhere(module: Module) -> Iterator[str]:
    if module.may_use_aws_sdk:
        return
    for name in list_imports(module):
        yield from (f"imports {name}" for sdk in AWS_SDK if is_within(name, sdk))
    yield from (f"catches {name}" for name in list_handlers(module) if name == "ClientError")


def catches_everything(module: Module) -> Iterator[str]:
    wide = [name for name in list_handlers(module) if name in {"BaseException", "Exception"}]
    allowed = 1 if module.name == CATCHES_EVERYTHING else 0
    if len(wide) > allowed:
        yield f"catches {', '.join(wide)}"


def is_too_long(module: Module) -> Iterator[str]:
    limit = MAX_LINES_OF_APP if is_room(module.name, ("app",)) else MAX_LINES
    lines = len(module.source.splitlines())
    if lines > limit:
        yield f"has {lines} lines, more than {limit}"
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_LINES_OF_FUNCTION:
                yield f"{node.name} has {lines} lines, more than {MAX_LINES_OF_FUNCTION}"


type Rule = Callable[[Module], Iterator[str]]


def list_breaches(rule: Rule, modules: Iterable[Module]) -> list[str]:
    return sorted(f"{module.name} {breach}" for module in modules for breach in rule(module))


def list_missing_rooms(names: Iterable[str]) -> list[str]:
    found = set(names)
    chores = {".".join(name.split(".")[:2]) for name in found if name.startswith("functions.")}
    rooms = {f"{chore}.{room}" for chore in chores for room in ROOMS}
    return sorted(rooms - found)


def test_the_house_is_not_empty() -> None:
    names = {module.name for module in HOUSE}

    assert {"functions.snapshot.plan", CATCHES_EVERYTHING, *PURE_IN_LAYER} <= names


def test_every_chore_has_the_same_rooms() -> None:
    assert list_missing_rooms(module.name for module in HOUSE) == []


def test_what_decides_is_pure() -> None:
    breaches = list_breaches(breaks_purity, pure_modules(HOUSE))

    assert [breach for breach in breaches if breach not in ALLOWED] == []


@pytest.mark.parametrize(
    "rule", [imports_a_stranger, uses_aws_sdk_elsewhere, catches_everything, is_too_long]
)
def test_no_module_breaks_a_wall(rule: Rule) -> None:
    assert list_breaches(rule, HOUSE) == []


def a_module(name: str, source: str) -> Module:
    return Module(name, name.rpartition(".")[0], source)


A_LONG_FUNCTION = "def f():\n" + "    pass\n" * MAX_LINES_OF_FUNCTION


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (breaks_purity, "functions.snapshot.plan", "import time"),
        (breaks_purity, "functions.snapshot.plan", "def f():\n    from os import environ"),
        (breaks_purity, "functions.snapshot.plan", "from caretaker.aws.ec2 import list_volumes"),
        (breaks_purity, "caretaker.tags", "from . import aws"),
        (breaks_purity, "caretaker.slots", "from datetime import datetime\ndatetime.now(UTC)"),
        (breaks_purity, "caretaker.slots", "import datetime as dt\nread = dt.date.today"),
        (imports_a_stranger, "caretaker.tags", "from functions.snapshot import plan"),
        (imports_a_stranger, "functions.tagging.plan", "import functions.snapshot.plan"),
        (imports_a_stranger, "functions.tagging.plan", "from ..snapshot import plan"),
        (imports_a_stranger, "functions.tagging.app", "from tests.cloud import faults"),
        (uses_aws_sdk_elsewhere, "functions.snapshot.app", "import boto3"),
        (uses_aws_sdk_elsewhere, "caretaker.run", "from botocore.config import Config"),
        (uses_aws_sdk_elsewhere, "caretaker.run", "try: f()\nexcept (A, e.ClientError): pass"),
        (catches_everything, "functions.snapshot.app", "try: f()\nexcept Exception: pass"),
        (catches_everything, "caretaker.run", "try: f()\nexcept: pass"),
        (catches_everything, CATCHES_EVERYTHING, "try: f()\nexcept Exception: pass\n" * 2),
        (is_too_long, "caretaker.run", "f()\n" * (MAX_LINES + 1)),
        (is_too_long, "functions.snapshot.app", "f()\n" * (MAX_LINES_OF_APP + 1)),
        (is_too_long, "caretaker.run", A_LONG_FUNCTION),
    ],
)
def test_a_breach_is_noticed(rule: Rule, name: str, source: str) -> None:
    assert list_breaches(rule, [a_module(name, source)])


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (
            breaks_purity,
            "functions.snapshot.plan",
            "from datetime import datetime\ndatetime(1, 1, 1)",
        ),
        (imports_a_stranger, "functions.snapshot.app", "from .plan import plan_snapshots"),
        (uses_aws_sdk_elsewhere, "functions.snapshot.aws", "import boto3"),
        (uses_aws_sdk_elsewhere, "caretaker.aws.session", "import boto3"),
        (catches_everything, CATCHES_EVERYTHING, "try: f()\nexcept Exception: pass"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, name: str, source: str) -> None:
    assert list_breaches(rule, [a_module(name, source)]) == []


def test_purity_reaches_what_a_plan_imports() -> None:
    plan = a_module("functions.snapshot.plan", "from .units import Unit")
    units = a_module("functions.snapshot.units", "import random")

    assert list_breaches(breaks_purity, pure_modules([plan, units])) == [
        "functions.snapshot.units imports random"
    ]


def test_a_missing_room_is_noticed() -> None:
    names = [f"functions.snapshot.{room}" for room in ROOMS if room != "plan"]

    assert list_missing_rooms(names) == ["functions.snapshot.plan"]
