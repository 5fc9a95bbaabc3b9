"""Names found by their beginning, by the beginning of one of their words, or in spite of a
slip of the finger. Pure; names are numbers here, the lower the more likely meant."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_BEHIND_ALL = "\uffff"
_SHORTEST_WITH_TYPO = 4
_SHORTEST_WITH_TWO = 7
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST = 32

Columns = tuple[list[str], list[int]]
Counts = NDArray[np.uint8]


def slips_allowed(text: str) -> int:
    """How many slips a text of that length may have and still mean something."""
    if len(text) < _SHORTEST_WITH_TYPO:
        return 0
    return 1 if len(text) < _SHORTEST_WITH_TWO else 2


class NameIndex:
    """Of pairs of a name and its number. Names are in small ASCII letters, words parted by
    one space; a number may have several names."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        pairs = sorted(set(names))
        later = sorted({(end, number) for name, number in pairs for end in _later_words(name)})
        self._whole, self._later = _columns(pairs), _columns(later)
        self._numbers = np.array([number for _, number in pairs], dtype=np.int64)
        self._letters = np.array([_letters(name) for name, _ in pairs], dtype=np.uint32)
        self._lengths = np.array([min(len(name), _LONGEST) for name, _ in pairs], dtype=np.intp)
        self._codes = _codes([name for name, _ in pairs])

    def starting(self, text: str, limit: int) -> list[int]:
        """Those whose name begins so."""
        return _starting(self._whole, text, limit)

    def with_word_starting(self, text: str, limit: int) -> list[int]:
        """Those of whose later words one begins so."""
        return _starting(self._later, text, limit)

    def like(self, text: str, limit: int, most: int = 2) -> list[int]:
        """Those whose name is, or begins, nearly so: fewest slips first, then whole names.

        A slip is a letter too many, missing, other, or two that changed places. There may be
        `most` of them, and fewer in a short text.
        """
        most = min(most, slips_allowed(text))
        if not most or len(text) > _LONGEST or not text.isascii():
            return []
        # Names that lack more of the letters than slips could explain are out at once.
        lacking = np.bitwise_count(np.uint32(_letters(text)) & ~self._letters)
        likely = np.flatnonzero((lacking <= most) & (self._lengths >= len(text) - most))
        whole, part = slips(text, self._codes[:, likely], self._lengths[likely], most)
        fewest = np.minimum(whole, part)
        close = np.flatnonzero(fewest <= most)
        numbers = self._numbers[likely[close]]
        order = np.lexsort((numbers, part[close] < whole[close], fewest[close]))
        return list(dict.fromkeys(numbers[order].tolist()))[:limit]


def slips(text: str, codes: Counts, lengths: NDArray[np.intp], most: int) -> tuple[Counts, Counts]:
    """From `text` to each whole name, and to that beginning of it which is nearest; more than
    `most` means many. `codes` are the letters of the names, one name a column.

    The distance is that of optimal string alignment, for all names at once, within the band
    of `most` around the diagonal that alone can hold so small a distance.
    """
    many = np.full(codes.shape[1], most + 1, dtype=np.uint8)
    before: dict[int, Counts] = {}
    rows = {j: np.full_like(many, j) for j in range(most + 1)}
    for i, letter in enumerate(text.encode(), start=1):
        row: dict[int, Counts] = {}
        for j in range(max(0, i - most), i + most + 1):
            cost = np.minimum(row.get(j - 1, many), rows.get(j, many)) + np.uint8(1)
            if j > 0:
                other = (codes[j - 1] != letter).view(np.uint8)
                cost = np.minimum(cost, rows.get(j - 1, many) + other)
            if i > 1 and j > 1 and (j - 2) in before:
                swapped = (codes[j - 1] == ord(text[i - 2])) & (codes[j - 2] == letter)
                cost = np.where(swapped, np.minimum(cost, before[j - 2] + np.uint8(1)), cost)
            row[j] = cost
        before, rows = rows, row
    whole = many.copy()
    for j, cost in rows.items():
        whole = np.where(lengths == j, cost, whole)
    return whole, np.minimum.reduce(list(rows.values()))


def _codes(names: list[str]) -> Counts:
    """One name a column, filled up with zeros; some rows more than slips can reach."""
    packed = b"".join(name.encode()[:_LONGEST].ljust(_LONGEST + 4, b"\0") for name in names)
    columns = np.frombuffer(packed, dtype=np.uint8).reshape(-1, _LONGEST + 4)
    return np.ascontiguousarray(columns.T)


def _columns(pairs: list[tuple[str, int]]) -> Columns:
    return [name for name, _ in pairs], [number for _, number in pairs]


def _starting(columns: Columns, text: str, limit: int) -> list[int]:
    names, numbers = columns
    start, end = bisect_left(names, text), bisect_left(names, text + _BEHIND_ALL)
    return heapq.nsmallest(limit, set(numbers[start:end]))


def _later_words(name: str) -> Iterator[str]:
    at = name.find(" ")
    while at >= 0:
        yield name[at + 1 :]
        at = name.find(" ", at + 1)


def _letters(name: str) -> int:
    """The letters that occur, one bit each."""
    bits = 0
    for letter in set(name):
        at = _LETTERS.find(letter)
        bits |= 1 << at if at >= 0 else 0
    return bits
