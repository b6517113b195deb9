"""The log as the core sees it: which term each index has, and nothing else.

Terms never decrease along the log, so it is a short list of runs (one per leader), not a list of entries. ``base`` is
the last index whose term is known without being part of the log: the snapshot's end or the first kept entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

__all__ = ["LogTerms"]


class LogTerms:
    """Terms of ``base_index .. last_index``. Programmer errors (gaps, decreasing terms) are assertions."""

    __slots__ = ("_starts", "_terms", "base_index", "last_index", "last_term")
    base_index: int
    last_index: int
    last_term: int
    # First index and term of each run.
    _starts: list[int]
    _terms: list[int]

    def __init__(self, base_index: int = 0, base_term: int = 0) -> None:
        self.reset(base_index, base_term)

    @classmethod
    def of(cls, base: tuple[int, int], runs: Sequence[tuple[int, int]], last_index: int) -> LogTerms:
        """From the base (index, term), the (first index, term) of each run, and the last index."""
        terms = cls(*base)
        for position, (_, term) in enumerate(runs):
            end = runs[position + 1][0] - 1 if position + 1 < len(runs) else last_index
            if end > terms.base_index:
                terms.extend(end, term)
        return terms

    def term_at(self, index: int) -> int | None:
        """Term of the entry, or None if it is compacted away or not there."""
        if index == self.last_index:
            return self.last_term
        if index < self.base_index or index > self.last_index:
            return None
        return self._terms[bisect_right(self._starts, index) - 1]

    def extend(self, last_index: int, term: int) -> None:
        """Entries up to ``last_index`` with this term were appended."""
        assert last_index > self.last_index, "log must grow"
        assert term >= self.last_term, "terms must not decrease along the log"
        if term != self.last_term:
            self._starts.append(self.last_index + 1)
            self._terms.append(term)
            self.last_term = term
        self.last_index = last_index

    def truncate_from(self, index: int) -> None:
        """Entries from ``index`` on are gone."""
        assert self.base_index < index <= self.last_index + 1, "truncation outside the log"
        while self._starts[-1] >= index:
            self._starts.pop()
            self._terms.pop()
        self.last_index = index - 1
        self.last_term = self._terms[-1]

    def compact(self, base_index: int) -> None:
        """Entries up to ``base_index`` are no longer kept; its term stays known."""
        if base_index <= self.base_index:
            return
        assert base_index <= self.last_index, "compaction beyond the log"
        run = bisect_right(self._starts, base_index) - 1
        del self._starts[:run], self._terms[:run]
        self._starts[0] = base_index
        self.base_index = base_index

    def reset(self, index: int, term: int) -> None:
        """A snapshot at ``index`` replaces the whole log."""
        self.base_index = index
        self.last_index = index
        self.last_term = term
        self._starts = [index]
        self._terms = [term]
