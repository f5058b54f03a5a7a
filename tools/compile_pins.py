"""Compile the pins of every environment, of the layer and of uptime, from pyproject.toml.

Usage: python -m tools.compile_pins [--upgrade]

No address and no machine's path may get into a pins file: anyone's index serves, the hashes decide.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.environment import PYTHON_VERSION, UV, uv_environment

LAYER = Path("layers/common/requirements.txt")
PROBER = Path("functions/uptime/requirements.txt")
GROUPS = ("sam", "cloud", "custodian", "uv")


def main() -> None:
    compile_pins(LAYER, "pyproject.toml")
    compile_pins(PROBER, "--group", "pyproject.toml:prober")
    # The tests run on the very versions that the layer and the function carry.
    development = ["pyproject.toml", "--group", "dev", "--group", "prober"]
    development += ["--constraints", str(LAYER), "--constraints", str(PROBER)]
    compile_pins(Path("requirements/dev.txt"), *development)
    for group in GROUPS:
        compile_pins(Path(f"requirements/{group}.txt"), "--group", f"pyproject.toml:{group}")


def compile_pins(output: Path, *sources: str) -> None:
    version = PYTHON_VERSION.read_text(encoding="utf-8").strip()
    options = ["--universal", "--python-version", version, "--generate-hashes"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--output-file", str(output)]
    command = [str(UV), "--quiet", "pip", "compile", *options, *sources, *sys.argv[1:]]
    # The header of the file names this command instead of the whole line of options.
    environment = {**uv_environment(), "UV_CUSTOM_COMPILE_COMMAND": "make pins"}
    subprocess.run(command, check=True, env=environment)
    print(f"{output}: {output.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
