"""DynamoDB's condition, key and update expressions, as far as a state table needs them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type Value = dict[str, Any]
type Item = dict[str, Value]

_TOKENS: Final = re.compile(r"<>|<=|>=|[=<>(),+-]|[#:]?[A-Za-z_][\w.]*")
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CLAUSES: Final = frozenset({"SET", "REMOVE", "ADD"})


class Expression:
    """One expression upon one item, with its names (`#n`) and values (`:v`)."""

    def __init__(self, text: str, request: Mapping[str, Any], item: Item) -> None:
        self._tokens = _TOKENS.findall(text)
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def holds(self) -> bool:
        """Tell whether the condition holds; an empty one does."""
        return not self._tokens or self._either()

    def apply(self) -> None:
        """Change the item as the update says."""
        clause = ""
        while self._tokens:
            if self._tokens[0].upper() in _CLAUSES:
                clause = self._next().upper()
            self._change(clause)
            if self._tokens and self._tokens[0] == ",":
                self._next()

    def _either(self) -> bool:
        holds = self._both()
        while self._tokens and self._tokens[0].upper() == "OR":
            self._next()
            holds = self._both() or holds
        return holds

    def _both(self) -> bool:
        holds = self._one()
        while self._tokens and self._tokens[0].upper() == "AND":
            self._next()
            holds = self._one() and holds
        return holds

    def _one(self) -> bool:
        match self._tokens[0]:
            case "NOT":
                self._next()
                return not self._one()
            case "(":
                self._next()
                holds = self._either()
                self._next()
                return holds
            case "attribute_exists" | "attribute_not_exists" | "begins_with" as name:
                self._next()
                return self._function(name)
            case _:
                left, compare, right = self._operand(), self._next(), self._operand()
                missing = left is None or right is None
                return not missing and _COMPARE[compare](_plain(left), _plain(right))

    def _function(self, name: str) -> bool:
        self._next()
        found = self._operand()
        if name == "begins_with":
            self._next()
            prefix = self._operand()
            self._next()
            return found is not None and str(_plain(found)).startswith(str(_plain(prefix)))
        self._next()
        return (found is not None) == (name == "attribute_exists")

    def _change(self, clause: str) -> None:
        name = self._name(self._next())
        if clause == "REMOVE":
            self._item.pop(name, None)
        elif clause == "ADD":
            self._item[name] = _sum(self._item.get(name, {"N": "0"}), self._operand(), 1)
        else:
            self._next()
            value = self._operand()
            while self._tokens and self._tokens[0] in {"+", "-"}:
                sign = 1 if self._next() == "+" else -1
                value = _sum(value, self._operand(), sign)
            self._item[name] = value or {"NULL": True}

    def _operand(self) -> Value | None:
        token = self._next()
        if token == "if_not_exists":
            self._next()
            found = self._operand()
            self._next()
            otherwise = self._operand()
            self._next()
            return found or otherwise
        if token.startswith(":"):
            value: Value = self._values[token]
            return value
        return self._item.get(self._name(token))

    def _name(self, token: str) -> str:
        return str(self._names[token]) if token.startswith("#") else token

    def _next(self) -> str:
        return str(self._tokens.pop(0))


def _plain(value: Value | None) -> Any:
    kind, content = next(iter((value or {"NULL": True}).items()))
    return float(content) if kind == "N" else content


def _sum(left: Value | None, right: Value | None, sign: int) -> Value:
    total = _plain(left) + sign * _plain(right)
    return {"N": f"{total:g}" if total % 1 else str(int(total))}
