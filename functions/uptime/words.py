"""The words about a target. Pure: nothing of headers, bodies, queries or users is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .past import OBJECTIVE
from .traces import Fault, Phase

if TYPE_CHECKING:
    from .past import Figures
    from .probing import Try
    from .traces import Failure

_FAULTS: Final = {
    Fault.DNS: "its name is not resolved",
    Fault.CONNECT: "no connection",
    Fault.TLS: "no trust in its certificate",
    Fault.TIMEOUT: "no answer in time",
    Fault.STATUS: "status",
    Fault.BODY: "not the body expected",
    Fault.TOO_LARGE: "a body too large to judge",
    Fault.REDIRECT: "a redirect that leads nowhere",
    Fault.BLOCKED: "an address that is not probed",
    Fault.CONFIG: "cannot be probed",
}
_WHYS: Final = {
    "no_such_name": "there is no such name",
    "no_answer": "the resolver does not answer",
    "refused": "refused",
    "unreachable": "unreachable",
    "closed": "closed in the middle",
    "expired": "it has expired",
    "other_host": "it is another host's",
    "untrusted": "nobody known has signed it",
    "handshake": "the handshake failed",
    "not_found": "what must be there is not",
    "found": "what must not be there is",
    "no_json": "no JSON",
    "json": "another value in its JSON",
    "header": "not the header expected",
    "unreadable": "it cannot be decoded",
    "too_many": "too many of them",
    "insecure": "from https to http",
    "port": "to an unusual port",
    "address": "private, local or reserved",
    "body": "",
    "headers": "its headers",
    "unfit": "a header, a credential or a certificate authority that cannot be sent",
}
_PHASES: Final = {
    Phase.DNS: "while its name was resolved",
    Phase.CONNECT: "while connecting",
    Phase.TLS: "while securing the connection",
    Phase.FIRST_BYTE: "before the first byte",
    Phase.TRANSFER: "in the middle of the body",
}


def said_of(failure: Failure) -> str:
    """Return why a probe failed, in a few words."""
    if failure.fault is Fault.STATUS:
        return f"status {failure.why}"
    more = _PHASES[failure.phase] if failure.phase else _WHYS.get(failure.why, "")
    return f"{_FAULTS[failure.fault]}, {more}" if more else _FAULTS[failure.fault]


def said_of_phases(tried: Try) -> str:
    """Return where the time went."""
    return ", ".join(f"{phase.value} {round(ms)} ms" for phase, ms in tried.phases.items())


def said_of_figures(figures: Figures) -> str:
    """Return how available a target was, or what is left of its error budget."""
    share, budget = figures.uptime[OBJECTIVE], figures.budget
    if budget is not None:
        left = max(0, round(budget.allowed - budget.spent))
        return f"{minutes(left)} of {minutes(round(budget.allowed))} error budget left"
    return "" if share is None else f"up {share:g} % in {OBJECTIVE}"


def minutes(seconds: int) -> str:
    """Return a span of time in the largest units that fit."""
    hours, rest = divmod(seconds // 60, 60)
    return f"{hours}h {rest}m" if hours else f"{rest}m"
