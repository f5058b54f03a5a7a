"""The pins are complete, follow pyproject.toml, and every place names the same Python."""

import ast
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LAYER = "layers/common/requirements.txt"
PROBER = "functions/uptime/requirements.txt"
DEV = "requirements/dev.txt"


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))
DEPENDENCIES: list[str] = PROJECT["project"]["dependencies"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]

# What is asked for in each file; the development environment holds what the layer and the prober
# carry, too.
ENVIRONMENTS = GROUPS.keys() - {"prober"}
ASKED_FOR = {
    LAYER: DEPENDENCIES,
    PROBER: GROUPS["prober"],
    **{f"requirements/{group}.txt": GROUPS[group] for group in sorted(ENVIRONMENTS)},
    DEV: DEPENDENCIES + GROUPS["dev"] + GROUPS["prober"],
}

COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; [^\\\n]+)?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
    r"(?P<origin>(?:    #.*\n)*)",
    re.MULTILINE,
)
# uv's note on a package that nobody else brings in: "# via caretaker (pyproject.toml:dev)".
ASKED_FOR_BY_US = "caretaker (pyproject.toml"
ADDRESS = re.compile(r"://|--(?:extra-)?index|--find-links|--trusted-host|\s/|~/|\s@\s")


def pinned_versions(text: str, *, only_asked_for: bool = False) -> dict[str, str]:
    return {
        canonicalize_name(pin["name"]): pin["version"]
        for pin in PIN.finditer(text)
        if not only_asked_for or ASKED_FOR_BY_US in pin["origin"]
    }


def what_is_no_pin(text: str) -> str:
    """Return what is left of a requirements file without its comments and its hashed pins."""
    return COMMENT.sub("", PIN.sub("", text)).strip()


def what_drifted(text: str, asked_for: list[str]) -> list[str]:
    """Return the packages that are asked for and not so pinned, or pinned and not asked for."""
    pinned = pinned_versions(text, only_asked_for=True)
    wanted = [Requirement(each) for each in asked_for]
    drifted = {
        requirement.name
        for requirement in wanted
        if requirement.name not in pinned
        or not requirement.specifier.contains(pinned[requirement.name])
    }
    return sorted(drifted | pinned.keys() - {requirement.name for requirement in wanted})


def test_every_requirements_file_has_its_declaration() -> None:
    carried = (
        (ROOT / "layers").rglob("requirements.txt"),
        (ROOT / "functions").rglob("requirements*"),
    )
    files = {
        str(path.relative_to(ROOT)) for path in chain((ROOT / "requirements").iterdir(), *carried)
    }

    assert files == ASKED_FOR.keys()


@pytest.mark.parametrize("path", ASKED_FOR)
def test_a_requirements_file_is_nothing_but_hashed_pins(path: str) -> None:
    assert pinned_versions(read(path))
    assert what_is_no_pin(read(path)) == ""


@pytest.mark.parametrize("path", ASKED_FOR)
def test_pins_name_no_address_and_no_path_of_a_machine(path: str) -> None:
    assert ADDRESS.findall(read(path)) == []


@pytest.mark.parametrize("path", ASKED_FOR)
def test_pins_follow_the_project_page(path: str) -> None:
    assert what_drifted(read(path), ASKED_FOR[path]) == [], "run `make pins`"


@pytest.mark.parametrize("path", [LAYER, PROBER])
def test_tests_run_on_the_versions_that_are_deployed(path: str) -> None:
    assert pinned_versions(read(path)).items() <= pinned_versions(read(DEV)).items()


def test_the_prober_alone_carries_libcurl_and_nothing_that_the_layer_has() -> None:
    carried = pinned_versions(read(PROBER))

    assert carried.keys() == {"certifi", "pycurl"}
    assert not carried.keys() & pinned_versions(read(LAYER)).keys()


def test_the_layer_carries_what_was_decided_and_no_tracer() -> None:
    asked_for = pinned_versions(read(LAYER), only_asked_for=True)

    assert asked_for.keys() == {"aws-lambda-powertools", "boto3", "pydantic", "tzdata"}
    assert "aws-xray-sdk" not in pinned_versions(read(LAYER))


A_PIN = f"tool==1.2 \\\n    --hash=sha256:{'0' * 64}\n    # via {ASKED_FOR_BY_US})\n"


@pytest.mark.parametrize(
    "line",
    ["tool==1.2\n", "tool>=1.2\n", "-r other.txt\n", f"tool==1 \\\n    --hash=md5:{'0' * 32}\n"],
)
def test_a_line_that_is_no_hashed_pin_is_noticed(line: str) -> None:
    assert what_is_no_pin(A_PIN) == ""
    assert what_is_no_pin(A_PIN + line) == line.strip()


@pytest.mark.parametrize(
    "line", ["--index-url https://example.test\n", "# -o /srv/pins.txt\n", "tool @ file:///srv\n"]
)
def test_an_address_is_noticed(line: str) -> None:
    assert ADDRESS.search(A_PIN) is None
    assert ADDRESS.search(A_PIN + line)


@pytest.mark.parametrize("asked_for", [["tool>=2"], [], ["tool", "other"]])
def test_drift_is_noticed(asked_for: list[str]) -> None:
    assert what_drifted(A_PIN, ["tool>=1,<2"]) == []
    assert what_drifted(A_PIN, asked_for)


def test_every_place_names_the_same_python() -> None:
    version = read(".python-version").strip()
    in_template = re.findall(r"(\w+): \[?python([\d.]+)", read("template.yaml"))
    major, minor = version.split(".")

    assert {"Runtime", "BuildMethod", "CompatibleRuntimes"} <= {key for key, _ in in_template}
    assert {found for _, found in in_template} == {version}
    assert PROJECT["project"]["requires-python"] == f">={version},<{major}.{int(minor) + 1}"
    assert PROJECT["tool"]["mypy"]["python_version"] == version
    assert "target-version" not in PROJECT["tool"]["ruff"], "ruff takes it from requires-python"


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.py")), ids=lambda path: path.name)
def test_tools_are_written_for_the_python_that_machines_have(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))

    assert tree.body
