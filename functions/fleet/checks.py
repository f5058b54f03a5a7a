"""What people must know of a run: the manifest against how its cells ended. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker.decisions import Decision, Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.report import Findings
from caretaker.settings import Mode

from .facts import Action, Reason
from .totals import on_behalf_of, summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caretaker.decisions import Json

    from .ends import End
    from .facts import Cell
    from .manifest import Manifest

_UNANSWERED: Final = "cell_unanswered"
_KINDS: Final = {
    Reason.UNREACHABLE: "region_unreachable",
    Reason.REGION_DISABLED: "region_unreachable",
    Reason.UNANSWERED: _UNANSWERED,
    Reason.UNFINISHED: "cell_unfinished",
    Reason.FAILED: "cell_failed",
    Reason.REFUSED: "cell_refused",
}
_LOOKED: Final = frozenset({Reason.ENDED, Reason.PARTIAL})
_WHAT: Final = {
    "region_unreachable": "region lets nobody in",
    _UNANSWERED: "its run gave no answer",
    "cell_unfinished": "its run left work undone",
    "cell_failed": "its run could decide nothing",
    "cell_refused": "its run was refused",
}
_NEXT: Final = {
    "region_unreachable": "mend the role, the region's opt-in or the policy of the organization",
    _UNANSWERED: "the next run tries again; look at the execution and the function's log",
    "cell_unfinished": "the next run takes what is left first",
    "cell_failed": "mend that; the next run tries again",
    "cell_refused": "correct the event, or approve the plan of that account and region",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run at its end; `ends` holds every cell that began, `stopped` says why others did not."""

    manifest: Manifest
    ends: Mapping[Cell, End]
    stopped: str = ""


def findings_of(verdict: Verdict) -> Findings:
    """Return the ledger, what people must know, and the metrics of the chore."""
    manifest, ends = verdict.manifest, list(verdict.ends.values())
    return Findings(
        _ledger(verdict),
        list(_checks(verdict)),
        _judged(verdict),
        may_continue=False,
        summary=summary_of(manifest, ends, verdict.stopped),
        reason="stopped" if verdict.stopped else None,
        plan=manifest.plan,
        tells_for=manifest.policy,
        report_kind="ledger.jsonl",
        on_behalf=on_behalf_of(manifest, ends),
    )


def _judged(verdict: Verdict) -> frozenset[str]:
    """Return the kinds that were judged for all there is, so that what is gone is over.

    A run over another choice than the usual one knows nothing of the rest.
    """
    manifest = verdict.manifest
    if not manifest.is_usual:
        return frozenset()
    return frozenset({"account_unreachable", *(_WHAT if _is_whole(verdict) else ())})


def _is_whole(verdict: Verdict) -> bool:
    return not verdict.stopped and not _shut_accounts(verdict)


def _ledger(verdict: Verdict) -> list[Outcome]:
    """Return one outcome for every cell of the manifest, and for what was never reached."""
    cells = [_outcome(verdict, cell) for cell in verdict.manifest.cells]
    return cells + [
        Outcome(
            Decision("/".join(filter(None, each[:2])), Action.RUN, each.reason),
            Result.FAILED,
            error=each.error,
        )
        for each in verdict.manifest.unreached
    ]


def _outcome(verdict: Verdict, cell: Cell) -> Outcome:
    manifest, end = verdict.manifest, verdict.ends.get(cell)
    name: dict[str, Json] = {"name": manifest.names.get(cell.account, "")}
    if end is None:
        decision = Decision(cell.name, Action.RUN, Reason.NOT_STARTED, name)
        return Outcome(decision, Result.REFUSED, {"stopped": verdict.stopped})
    decision = Decision(cell.name, Action.RUN, end.reason, {**name, **_said(end.answer)})
    if end.reason is Reason.ENDED:
        has_acted = end.answer["mode"] == Mode.ACT
        return Outcome(decision, Result.DONE if has_acted else Result.PLANNED)
    error = end.error or {"code": end.reason, "message": _why(end), "request_id": ""}
    refused = end.reason is Reason.REFUSED
    return Outcome(decision, Result.REFUSED if refused else Result.FAILED, error=error)


def _said(answer: Mapping[str, Any]) -> dict[str, Json]:
    kept = ("status", "mode", "counts", "rounds", "opened", "resolved", "reports")
    return {key: answer[key] for key in kept if key in answer}


def _why(end: End) -> str:
    if end.reason is Reason.UNFINISHED:
        return "work is left, and no round made any progress, or there were too many"
    return "items failed or were left over; they stand in its report"


def _checks(verdict: Verdict) -> Iterator[Check]:
    manifest = verdict.manifest
    shut = _shut_accounts(verdict)
    yield from _account_checks(verdict, shut)
    for each in manifest.unreached:
        if each.region:
            name = f"{each.account}/{each.region}"
            yield _check(manifest, "region_unreachable", name, each.error)
    for cell, end in verdict.ends.items():
        yield from _cell_checks(manifest, cell, end, is_told=cell.account in shut)
    untold = sum(end.answer.get("untold", 0) for end in verdict.ends.values())
    yield Check(
        kind="cells_untold",
        resource=manifest.policy,
        healthy=not untold,
        severity=Severity.CRITICAL,
        what=f"{untold} incident(s) of cells could not be handed on",
        done="they stand in the answers of the cells",
        next="the next run sees them again; look at the state table",
    )
    yield _stop_check(verdict)
    yield _emptiness_check(verdict)


def _emptiness_check(verdict: Verdict) -> Check:
    """Judge whether any cell has what the chore looks after; only a whole run knows that of all."""
    manifest = verdict.manifest
    ends = verdict.ends.values()
    found = any(end.has_found for end in ends)
    all_looked = _is_whole(verdict) and all(end.reason in _LOOKED for end in ends)
    return Check(
        kind="fleet_empty",
        resource=manifest.policy,
        healthy=True if found else (False if all_looked else None),
        name=manifest.chore,
        what=f"{manifest.chore} found nothing to look after in {len(manifest.cells)} cells",
        evidence={"run": manifest.run},
        done="nothing was changed",
        next="correct the event of the cells, or the tags that select",
    )


def _stop_check(verdict: Verdict) -> Check:
    manifest, begun = verdict.manifest, len(verdict.ends)
    return Check(
        kind="fleet_stopped",
        resource=manifest.policy,
        healthy=not verdict.stopped,
        severity=Severity.CRITICAL if manifest.mode is Mode.ACT else Severity.WARNING,
        name=manifest.chore,
        what=f"{manifest.chore} stopped after {begun} of {len(manifest.cells)} cells",
        evidence={"why": verdict.stopped, "run": manifest.run},
        done="no further cell was begun",
        next="mend what went wrong there; the next run begins anew",
    )


def _cell_checks(manifest: Manifest, cell: Cell, end: End, *, is_told: bool) -> Iterator[Check]:
    """Yield what is wrong with a cell, and that all else is not; an account is told as one."""
    wrong = _KINDS.get(end.reason)
    for kind in _WHAT:
        if kind != wrong:
            known = end.answer if kind == _UNANSWERED else _has_looked(end)
            yield Check(kind=kind, resource=cell.name, healthy=True if known else None)
    if wrong and not is_told:
        yield _check(manifest, wrong, cell.name, end.error)


def _has_looked(end: End) -> bool:
    """Tell whether a cell's run was in its place: who was not let in knows nothing of the rest.

    Nor does a run that never got beyond its event.
    """
    was_out = end.reason in {Reason.UNREACHABLE, Reason.UNANSWERED}
    return not was_out and not end.is_fault_of_the_event


def _check(manifest: Manifest, kind: str, name: str, error: Mapping[str, str]) -> Check:
    return Check(
        kind=kind,
        resource=name,
        healthy=False,
        severity=Severity.CRITICAL if kind == _UNANSWERED else Severity.WARNING,
        name=_called(manifest, name.partition("/")[0]),
        what=f"{manifest.chore}: {_WHAT[kind]}",
        evidence={error.get("code", "error"): error.get("message", ""), "run": manifest.run},
        done="no other cell waited for it",
        next=_NEXT[kind],
        cause=error.get("code", ""),
    )


def _called(manifest: Manifest, account: str) -> str:
    return manifest.names.get(account, "")


def _account_checks(verdict: Verdict, shut: Mapping[str, str]) -> Iterator[Check]:
    """Yield how every account stands that the run is about, or has left out."""
    manifest = verdict.manifest
    let_in = {cell.account for cell, end in verdict.ends.items() if _has_looked(end)}
    planned = {cell.account for cell in manifest.cells}
    for account in sorted(planned | shut.keys() | set(manifest.left)):
        is_left = account in manifest.left
        yield Check(
            kind="account_unreachable",
            resource=account,
            healthy=False if account in shut else (account in let_in or is_left or None),
            severity=Severity.CRITICAL if manifest.mode is Mode.ACT else Severity.WARNING,
            name=_called(manifest, account),
            what=f"{manifest.chore}: account lets nobody in",
            evidence={"error": shut.get(account, ""), "run": manifest.run},
            done="no other account waited for it",
            next="mend its role, or leave the account out",
            cause=shut.get(account, "").partition(":")[0],
            lapsed=is_left,
        )


def _shut_accounts(verdict: Verdict) -> dict[str, str]:
    """Return the accounts that nobody could work in, and what they said."""
    shut = {
        each.account: f"{each.error['code']}: {each.error['message']}"
        for each in verdict.manifest.unreached
        if not each.region
    }
    ends: defaultdict[str, list[End]] = defaultdict(list)
    for cell, end in verdict.ends.items():
        ends[cell.account].append(end)
    for account, each in ends.items():
        if all(end.reason is Reason.UNREACHABLE for end in each):
            shut[account] = f"{each[0].error['code']}: {each[0].error['message']}"
    return shut
