"""Reads the pages of the docs, and the product's code for what they have to explain."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import StrEnum

    from pydantic import BaseModel

    from caretaker.request import BaseRequest

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
CHORES: Final = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
_PRODUCT: Final = [ROOT / "layers" / "common" / "caretaker", ROOT / "functions"]
_LIMITS: Final = ("minimum", "maximum", "maxItems", "maxLength", "maxProperties")
_OF_MACHINES: Final = frozenset({"caller"})
"""Fields that nobody writes by hand: what they hold is explained once, on the page of fleets."""


def page_of(chore: str) -> Path:
    """Return the page of a chore."""
    return DOCS / "chores" / f"{chore.replace('_', '-')}.md"


@cache
def text_of(page: Path) -> str:
    """Return what stands on a page."""
    return page.read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    """Return the text outside of fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def coded(page: Path) -> set[str]:
    """Return what a page sets in backticks, outside of blocks."""
    return set(re.findall(r"`([^`\n]+)`", without_blocks(text_of(page))))


def missing(wanted: set[str], page: Path) -> set[str]:
    """Return what a page does not name, alone in backticks."""
    return wanted - coded(page)


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", text_of(page), re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def headings(page: Path) -> list[str]:
    """Return the headings of a page."""
    return re.findall(r"^#+ (.+)$", without_blocks(text_of(page)), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in headings(page))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def section(page: Path, heading: str) -> str:
    """Return what stands under a heading, up to the next of its rank or a higher one."""
    rank = heading.partition(" ")[0]
    following = text_of(page).partition(f"\n{heading}\n")[2]
    return re.split(rf"^#{{1,{len(rank)}}} ", following, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, str]:
    """Return the rows of all tables, by each name in the first cell that stands in backticks."""
    return {
        name: row
        for row in text.splitlines()
        if row.startswith("| ")
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }


@cache
def syntax_trees() -> dict[Path, ast.Module]:
    """Return the product's modules."""
    modules = [path for folder in _PRODUCT for path in sorted(folder.rglob("*.py"))]
    return {path: ast.parse(text_of(path)) for path in modules}


def nodes(folder: Path = ROOT) -> Iterator[ast.AST]:
    """Yield every node of the product's code in a folder."""
    for path, tree in syntax_trees().items():
        if path.is_relative_to(folder):
            yield from ast.walk(tree)


def texts_given(function: str, keyword: str, folder: Path = ROOT) -> set[str]:
    """Return the literals that calls of a function pass by a keyword, or in the first place.

    So are constants of the module in which it is called.
    """
    return {
        text
        for path, tree in syntax_trees().items()
        if path.is_relative_to(folder)
        for given in _given_in(tree, function, keyword)
        for text in _literals(given, _constants_of(tree))
    }


def _given_in(tree: ast.Module, function: str, keyword: str) -> Iterator[ast.expr]:
    """Yield what the calls of a function pass by a keyword, or in the first place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function:
            named = [each.value for each in node.keywords if each.arg == keyword]
            yield from named if keyword else node.args[:1]


def _constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the constants of a module, by name."""
    return {
        node.target.id: node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }


def _literals(node: ast.expr, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """Yield a literal text, that of a constant, or both of an expression that chooses."""
    if isinstance(node, ast.IfExp):
        yield from (*_literals(node.body, constants), *_literals(node.orelse, constants))
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from _literals(constants[node.id], {})
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def incident_kinds(folder: Path = ROOT) -> set[str]:
    """Return the kinds of incident that the code in a folder tells of."""
    named = texts_given("Check", "kind", folder) | texts_given("Incident", "kind", folder)
    makers = ("refusal_check", "breaker_check", "_check", "_degraded")
    given = (texts_given(check, "", folder) for check in makers)
    return named.union(*given, _texts_named("kind", folder), _texts_listed("_KINDS", folder))


def _texts_named(name: str, folder: Path) -> set[str]:
    """Return the literals that are assigned to a variable, alone or in a row of several."""
    assigned = [node for node in nodes(folder) if isinstance(node, ast.Assign)]
    pairs = [
        (target, value)
        for node in assigned
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)
        for target, value in zip(node.targets[0].elts, node.value.elts, strict=True)
    ] + [(node.targets[0], node.value) for node in assigned]
    return {
        text
        for target, value in pairs
        if isinstance(target, ast.Name) and target.id == name
        for text in _literals(value, {})
    }


def _texts_listed(name: str, folder: Path) -> set[str]:
    """Return the literals that dictionaries of a name hold, as constants of their modules."""
    return {
        text
        for path, tree in syntax_trees().items()
        if path.is_relative_to(folder)
        for value in [_constants_of(tree).get(name)]
        if isinstance(value, ast.Dict)
        for each in value.values
        for text in _literals(each, _constants_of(tree))
    }


def texts_under(key: str) -> set[str]:
    """Return the literals that dictionaries anywhere hold under a key."""
    return {
        value.value
        for node in nodes()
        if isinstance(node, ast.Dict)
        for name, value in zip(node.keys, node.values, strict=True)
        if isinstance(name, ast.Constant) and name.value == key
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def texts_in(module: str, function: str) -> set[str]:
    """Return the literal texts inside a function, its docstring apart."""
    tree = syntax_trees()[ROOT / module]
    found = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return {
        node.value
        for node in ast.walk(found)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    } - {ast.get_docstring(found, clean=False) or ""}


def request_of(chore: str) -> type[BaseRequest]:
    """Return the model of a chore's event."""
    model: type[BaseRequest] = import_module(f"functions.{chore}.app").CHORE.request
    return model


def codes_of(chore: str, kind: str) -> set[str]:
    """Return the values of a chore's `Action` or `Reason`."""
    folder = ROOT / "functions" / chore
    module = "facts" if (folder / "facts.py").is_file() else "plan"
    codes: type[StrEnum] = getattr(import_module(f"functions.{chore}.{module}"), kind)
    return {code.value for code in codes}


def event_fields(chore: str) -> dict[str, list[float]]:
    """Return every field of a chore's event with its limits.

    Nested ones are named as `select.states`; inside a list or a map, as `rules.*.values`.
    """
    return fields_of(request_of(chore))


def fields_of(model: type[BaseModel]) -> dict[str, list[float]]:
    """Return every field of a model with its limits, named in the same way."""
    whole = model.model_json_schema()
    return dict(_fields(whole, whole.get("$defs", {}), ""))


def _fields(
    schema: Mapping[str, Any], parts: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, list[float]]]:
    for name, field in schema["properties"].items():
        choices = [field, *field.get("anyOf", [])]
        yield f"{prefix}{name}", [limit for c in choices for limit in _limits(c, parts)]
        for choice in choices if name not in _OF_MACHINES else ():
            within = [(choice.get(each, {}), "*.") for each in ("additionalProperties", "items")]
            for part, inside in ((choice, ""), *within):
                model = _referred(part, parts)
                if "properties" in model:
                    yield from _fields(model, parts, f"{prefix}{name}.{inside}")


def _limits(choice: Mapping[str, Any], parts: Mapping[str, Any]) -> list[float]:
    """Return the limits of a field, of the items in a list, and of the names in an object."""
    inside = [choice.get(each, {}) for each in ("items", "propertyNames")]
    found = [choice, *inside, *(_referred(each, parts) for each in (choice, *inside))]
    return [each[limit] for each in found for limit in _LIMITS if limit in each]


def _referred(choice: Any, parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part that a piece of a schema refers to, and what that refers to in turn."""
    if not isinstance(choice, dict) or "$ref" not in choice:
        return {}
    found: Mapping[str, Any] = parts[choice["$ref"].rpartition("/")[2]]
    return {**_referred(found, parts), **found}
