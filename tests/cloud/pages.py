"""Pages with tokens, as strict as a listing's caller has to be prepared for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from secrets import token_hex

from tests.cloud.refusals import Refusal

MIN_RESULTS = 5
MAX_RESULTS = 1000


@dataclass
class Pages:
    """How listings are cut; pages are numbered from 1.

    `size` caps every page, whatever MaxResults says (None: AWS's 1000). `empty` names pages that
    come without an item though more follow, `repeat_last` puts the last item of a page first on the
    next one too, `expire` makes the token of these pages be refused (once each).
    """

    size: int | None = None
    empty: frozenset[int] = frozenset()
    repeat_last: bool = False
    expire: set[int] = field(default_factory=set)
    _open: dict[str, tuple[str, int, list[str]]] = field(default_factory=dict)

    def cut[Item](
        self,
        operation: str,
        items: Sequence[Item],
        key: Callable[[Item], str],
        max_results: int | None,
        token: str | None,
    ) -> tuple[list[Item], str | None]:
        """Return one page and the token of the next.

        A listing is frozen at its first page: what vanishes later is left out, what is born later
        is not shown. An unknown, foreign or expired token is refused.
        """
        by_key = {key(item): item for item in items}
        page, following = self.cut_keys(operation, by_key, max_results, token)
        return [by_key[each] for each in page if each in by_key], following

    def cut_keys(
        self,
        operation: str,
        keys: Collection[str],
        max_results: int | None,
        token: str | None,
    ) -> tuple[list[str], str | None]:
        """Do the same with keys alone: some of a page may have vanished since the first one."""
        number, waiting = self._resume(operation, keys, token)
        size = 0 if number in self.empty else self._size(max_results)
        page, rest = waiting[:size], waiting[size:]
        if not rest:
            return page, None
        if self.repeat_last and page and size > 1:
            rest = [page[-1], *rest]
        following = token_hex(16)
        self._open[following] = (operation, number + 1, rest)
        return page, following

    def _size(self, max_results: int | None) -> int:
        return min(max_results or MAX_RESULTS, self.size or MAX_RESULTS)

    def _resume(
        self, operation: str, keys: Collection[str], token: str | None
    ) -> tuple[int, list[str]]:
        if token is None:
            return 1, list(keys)
        known, number, waiting = self._open.get(token, ("", 0, []))
        if known != operation or number in self.expire:
            self.expire.discard(number)
            raise Refusal("InvalidNextToken", "The specified NextToken is not valid.")
        return number, waiting
