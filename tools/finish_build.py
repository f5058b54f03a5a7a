"""Do to a build what `sam build` leaves out; a build without it is correct, but see below.

Usage: python -m tools.finish_build BUILD_FOLDER (on the Python version that the functions run on)

- Bytecode. On Lambda neither /opt nor /var/task can be written, so each cold start would compile
  every module again. The files are "unchecked-hash": Python takes them as they are and does not
  compare them with the sources' times, which packing does not keep (PEP 552).
- The architecture. The layer holds native code for one: the built template then takes no other,
  and deploying it for the wrong one fails at once instead of at the first run.
"""

from __future__ import annotations

import compileall
import re
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

ARCHITECTURE_PARAMETER = re.compile(
    r"(?P<head>^  Architecture:\n(?:    .*\n)*?    Default: )\S+\n"
    r"    AllowedValues:\n(?:    - .*\n)+",
    re.MULTILINE,
)
BUILD_ARCHITECTURE = re.compile(r"^ +BuildArchitecture: (?P<name>\S+)$", re.MULTILINE)


def main() -> None:
    build = Path(sys.argv[1])
    for folder in sorted(each for each in build.iterdir() if each.is_dir()):
        compile_folder(folder)
    template = build / "template.yaml"
    template.write_text(pin_architecture(template.read_text(encoding="utf-8")), encoding="utf-8")


def compile_folder(folder: Path) -> None:
    """Compile one function or layer under the path it has on Lambda: same input, same bytes."""
    on_lambda = "/opt" if (folder / "python").is_dir() else "/var/task"
    compiled = compileall.compile_dir(
        folder,
        maxlevels=100,
        quiet=1,
        workers=0,
        stripdir=folder,
        prependdir=on_lambda,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit(f"{folder}: not every file could be compiled")


def pin_architecture(template: str) -> str:
    """Return the built template with the layer's architecture as the only one it may have."""
    built_for = {found["name"] for found in BUILD_ARCHITECTURE.finditer(template)}
    if len(built_for) != 1:
        sys.exit(f"the layers are built for {sorted(built_for) or 'no architecture'}: expected one")
    name = built_for.pop()
    only = rf"\g<head>{name}\n    AllowedValues:\n    - {name}\n"
    pinned, changes = ARCHITECTURE_PARAMETER.subn(only, template)
    if changes != 1:
        sys.exit("the built template has no parameter Architecture with a default and its choices")
    return pinned


if __name__ == "__main__":
    main()
