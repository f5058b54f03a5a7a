"""The tools of this repository's environments: where they are, and the SAM CLI."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cloud.stack import LocalCloud

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".aws-sam" / "build"
DEPLOY_SECONDS = 300


class CommandFailedError(Exception):
    """A command ended with an error, or not at all; the text holds its output."""


class ToolMissingError(Exception):
    """A tool or the build is not there; the text says how it gets there."""


def tool(variable: str, default: str) -> Path:
    """Return the path of a tool: from the environment, or from this repository's `.venvs`."""
    return existing(Path(os.environ.get(variable) or ROOT / default))


def existing(path: Path) -> Path:
    """Return a path that is there; raise ToolMissingError with what to do about one that is not."""
    if not path.exists():
        raise ToolMissingError(f"{path} is missing; `make demo` and `make test` set it up")
    return path


def machine_architecture() -> str:
    """Return this machine's architecture as Lambda names it."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def deploy(cloud: LocalCloud, name: str, build: Path, parameters: Mapping[str, str]) -> None:
    """Run `sam deploy` on a finished build, for this machine's architecture."""
    values = {"Architecture": machine_architecture(), **parameters}
    sam(
        cloud,
        "deploy",
        "--template-file",
        str(existing(build / "template.yaml")),
        "--stack-name",
        name,
        "--region",
        cloud.region,
        "--resolve-s3",
        "--capabilities",
        "CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--parameter-overrides",
        *(f'{key}="{value}"' for key, value in values.items()),
        seconds=DEPLOY_SECONDS,
    )


def sam(cloud: LocalCloud, *arguments: str, seconds: float) -> str:
    """Run the SAM CLI against the local cloud, away from samconfig.toml; return its output."""
    command = [str(tool("CARETAKER_SAM", ".venvs/sam/bin/sam")), *arguments]
    with tempfile.TemporaryDirectory(prefix="caretaker-sam-") as scratch:
        try:
            done = subprocess.run(
                command,
                cwd=scratch,
                env={**cloud.environment(), "HOME": scratch, "SAM_CLI_TELEMETRY": "0"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise CommandFailedError(f"sam {arguments[0]} took over {seconds} s") from late
    if done.returncode != 0:
        lines = f"{done.stdout}\n{done.stderr}\n{cloud.output()[-2000:]}".splitlines()
        told = "\n".join(line for line in lines if line.strip() and "Uploading to" not in line)
        raise CommandFailedError(f"sam {arguments[0]} ended with {done.returncode}:\n{told}")
    return done.stdout
