"""Make .venvs/<name> hold exactly the packages of a requirements file.

Usage: python -m tools.environment NAME REQUIREMENTS

Runs on any Python from 3.9 on, with pip and the standard library alone, from the repository's root.
`uv` is installed by pip, which checks its hash; uv makes all other environments, on the Python that
.python-version names (fetched by uv where the machine has none).
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ENVIRONMENTS = Path(".venvs")
UV = ENVIRONMENTS / "uv" / "bin" / "uv"
PYTHON_VERSION = Path(".python-version")

# uv does not read pip's configuration. What a machine says there about where packages come from and
# whom to trust must hold for uv too; variables that are set for uv itself win.
UV_VARIABLE_OF_PIP_OPTION = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def main() -> None:
    name, requirements = sys.argv[1], Path(sys.argv[2])
    folder = ENVIRONMENTS / name
    stamp = folder / "installed"
    wanted = fingerprint(folder, requirements)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        stamp.touch()  # make compares times, this script contents
        return
    print(f"installing {requirements} into {folder}", flush=True)
    if name == "uv":
        install_uv(folder, requirements)
    else:
        install(folder, requirements)
    stamp.write_text(wanted, encoding="utf-8")


def fingerprint(folder: Path, requirements: Path) -> str:
    """Return a digest of all that decides what is installed: the place too, as scripts hold it."""
    parts = [str(folder.resolve()).encode(), requirements.read_bytes(), PYTHON_VERSION.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_uv(folder: Path, requirements: Path) -> None:
    """Install uv by pip into a folder: unlike `venv`, that works without Debian's python3-venv."""
    shutil.rmtree(folder, ignore_errors=True)
    pip("install", "-qq", "--target", str(folder), "--require-hashes", "-r", str(requirements))


def install(folder: Path, requirements: Path) -> None:
    environment = uv_environment()
    version = PYTHON_VERSION.read_text(encoding="utf-8").strip()
    uv = [str(UV), "--quiet"]
    run([*uv, "venv", "--clear", "--python", version, str(folder)], environment)
    # Compiled once here: where PYTHONDONTWRITEBYTECODE is set, each start would compile anew.
    sync = [*uv, "pip", "sync", "--require-hashes", "--compile-bytecode"]
    run([*sync, "--python", str(folder / "bin" / "python"), str(requirements)], environment)


def uv_environment() -> dict[str, str]:
    """Return the environment with pip's settings that matter to uv added, where uv has none."""
    environment = dict(os.environ)
    for line in pip("config", "list").splitlines():
        name, _, value = line.partition("=")
        variable = UV_VARIABLE_OF_PIP_OPTION.get(name.rpartition(".")[2])
        if variable:
            environment.setdefault(variable, shlex.split(value)[0])
    return environment


def pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
