"""What tools/finish_build.py does to a build."""

import importlib.util
from pathlib import Path

import pytest

from tools import finish_build

A_BUILT_TEMPLATE = """\
Parameters:
  Name:
    Type: String
    Default: arm64
  Architecture:
    Description: Processor of the functions.
    Type: String
    Default: arm64
    AllowedValues:
    - arm64
    - x86_64
Resources:
  CommonLayer:
    Metadata:
      BuildArchitecture: x86_64
"""


def test_a_built_template_takes_only_the_architecture_it_was_built_for() -> None:
    pinned = finish_build.pin_architecture(A_BUILT_TEMPLATE)

    assert "Default: x86_64\n    AllowedValues:\n    - x86_64\nResources:" in pinned
    assert "  Name:\n    Type: String\n    Default: arm64\n" in pinned
    assert finish_build.pin_architecture(pinned) == pinned


@pytest.mark.parametrize(
    "template",
    [
        A_BUILT_TEMPLATE.replace("BuildArchitecture", "BuildMethod"),
        A_BUILT_TEMPLATE.replace("  Architecture:", "  Processor:"),
        A_BUILT_TEMPLATE + "      BuildArchitecture: arm64\n",
    ],
    ids=["no layer", "no parameter", "two architectures"],
)
def test_a_build_of_unknown_architecture_is_refused(template: str) -> None:
    with pytest.raises(SystemExit):
        finish_build.pin_architecture(template)


def test_bytecode_is_never_compared_with_its_source(tmp_path: Path) -> None:
    source = tmp_path / "python" / "module.py"
    source.parent.mkdir()
    source.write_text("answer = 42\n", encoding="utf-8")

    finish_build.compile_folder(tmp_path)

    bytecode = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    hash_based_and_unchecked = (1).to_bytes(4, "little")
    assert bytecode[4:8] == hash_based_and_unchecked
    assert b"/opt/python/module.py" in bytecode


def test_a_file_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("answer =\n", encoding="utf-8")

    with pytest.raises(SystemExit):
        finish_build.compile_folder(tmp_path)
