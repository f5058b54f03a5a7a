"""Change the retention rules in every small way and see that some test fails: `make mutants`.

Works on a copy. Fails when fewer than nine of ten mutants are killed, or when one survives that
docs/mutants.md does not explain.
"""

from __future__ import annotations

import json
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
LEAST_KILLED: Final = 0.9
CHILDREN: Final = str(min(4, os.cpu_count() or 1))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in NEEDED:
            _copy(ROOT / name, copy / name)
        _mutmut(copy, "run", "--max-children", CHILDREN)
        _mutmut(copy, "export-cicd-stats")
        _print_files(_mutmut(copy, "results", "--all", "true"))
        counted = json.loads((copy / "mutants" / "mutmut-cicd-stats.json").read_text("utf-8"))
        survivors = _survivors(copy)
    sys.exit(_judge(counted, survivors))


def _judge(counted: dict[str, int], survivors: dict[str, str]) -> int:
    """Print how it went; return the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    unexplained = {name: line for name, line in survivors.items() if line not in page}
    for name, line in survivors.items():
        print(f"{'UNEXPLAINED' if name in unexplained else 'explained'}: {name}: {line}")
    killed = counted["killed"] + counted["timeout"]  # an endless loop is noticed, too
    share = killed / counted["total"]
    print(f"{killed} of {counted['total']} mutants killed: {share:.1%}")
    return int(share < LEAST_KILLED or bool(unexplained))


def _survivors(copy: Path) -> dict[str, str]:
    """Return the changed line of every mutant that no test killed."""
    listed = (line.strip().rpartition(": ") for line in _mutmut(copy, "results").splitlines())
    names = [name for name, _, result in listed if name and result != "timeout"]
    return {name: _changed_line(_mutmut(copy, "show", name)) for name in names}


def _print_files(results: str) -> None:
    """Print how many mutants each file has, and how many of them live."""
    ended = [line.strip().rpartition(": ") for line in results.splitlines() if ": " in line]
    of_file = [(name.rpartition(".")[0], result == "survived") for name, _, result in ended]
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
