"""Change the pure code in every small way and see that some test fails: `make mutants`.

Works on a copy. Fails when fewer than nine of ten mutants are killed, or when one survives that
docs/mutants.md does not explain. Patterns of names, as `functions.tagging.*`, run those alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "mutants.md"
NEEDED: Final = ("functions", "layers", "tests", "pyproject.toml", ".python-version")
LAYER: Final = ROOT / "layers" / "common" / "caretaker"
"""Beside `functions` in the copy, where mutmut finds it under the name that tests import."""
NOT_CHECKED: Final = "not checked"
LEAST_KILLED: Final = 0.9
CHILDREN: Final = str(min(4, os.cpu_count() or 1))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in NEEDED:
            _copy(ROOT / name, copy / name)
        _copy(LAYER, copy / LAYER.name)
        shutil.rmtree(copy / LAYER.relative_to(ROOT))
        _mutmut(copy, "run", "--max-children", CHILDREN, *sys.argv[1:])
        results = _results(_mutmut(copy, "results", "--all", "true"))
        _print_files(results)
        survivors = _survivors(copy, results)
    sys.exit(_judge(results, survivors))


def _judge(results: dict[str, str], survivors: dict[str, str]) -> int:
    """Print how it went; return the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    unexplained = {name: line for name, line in survivors.items() if line not in page}
    for name, line in survivors.items():
        print(f"{'UNEXPLAINED' if name in unexplained else 'explained'}: {name}: {line}")
    killed = len(results) - len(survivors)
    share = killed / len(results)
    print(f"{killed} of {len(results)} mutants killed: {share:.1%}")
    return int(share < LEAST_KILLED or bool(unexplained))


def _results(listed: str) -> dict[str, str]:
    """Return how each mutant ended that was tried."""
    ended = [line.strip().rpartition(": ") for line in listed.splitlines()]
    return {name: result for name, _, result in ended if name and result != NOT_CHECKED}


def _survivors(copy: Path, results: dict[str, str]) -> dict[str, str]:
    """Return the changed line of every mutant that no test killed; an endless loop is noticed."""
    names = [name for name, result in results.items() if result not in {"killed", "timeout"}]
    return {name: _changed_line(_mutmut(copy, "show", name)) for name in names}


def _print_files(results: dict[str, str]) -> None:
    """Print how many mutants each file has, and how many of them live."""
    of_file = [(name.rpartition(".")[0], result == "survived") for name, result in results.items()]
    for file in sorted({file for file, _ in of_file}):
        lived = [survived for name, survived in of_file if name == file]
        print(f"{file}: {len(lived) - sum(lived)} of {len(lived)} killed")


def _changed_line(diff: str) -> str:
    added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+")]
    return " ".join(line for line in added if not line.startswith("++"))


def _mutmut(copy: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=copy, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stdout[-5_000:])
    return done.stdout


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    main()
