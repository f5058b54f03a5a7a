"""Judge an answer by what is expected of it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .paths import value_at
from .patterns import is_found
from .traces import Failure, Fault

if TYPE_CHECKING:
    from .targets import Expect, JsonRule
    from .traces import Fetched

_TOO_LONG: Final = Failure(Fault.TOO_LARGE, "body")


def failure_of(fetched: Fetched, expect: Expect) -> Failure | None:
    """Return why an answer is not well; what cannot be told from the part that was read is not."""
    if not expect.takes(fetched.status):
        return Failure(Fault.STATUS, str(fetched.status))
    rule = expect.header
    if rule and not is_found(rule.matches, fetched.headers.get(rule.name.lower(), "")):
        return Failure(Fault.BODY, "header")
    return _in_body(fetched, expect) if expect.reads_body else None


def _in_body(fetched: Fetched, expect: Expect) -> Failure | None:
    text = fetched.body.decode(errors="replace")
    if expect.body_lacks and is_found(expect.body_lacks, text):
        return Failure(Fault.BODY, "found")
    is_settled = not (expect.body_lacks or expect.json_value)
    if expect.body_matches and not is_found(expect.body_matches, text):
        return _TOO_LONG if fetched.is_cut else Failure(Fault.BODY, "not_found")
    if fetched.is_cut and not is_settled:
        return _TOO_LONG
    return _in_json(text, expect.json_value) if expect.json_value else None


def _in_json(text: str, rule: JsonRule) -> Failure | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Failure(Fault.BODY, "no_json")
    try:
        is_equal = _as_text(value_at(rule.path, document)) == _as_text(rule.equals)
    except (ValueError, TypeError):
        is_equal = False
    return None if is_equal else Failure(Fault.BODY, "json")


def _as_text(value: object) -> str:
    """Return JSON in one form: 1 is 1.0, and neither is true."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True)  # type: ignore[call-overload]
