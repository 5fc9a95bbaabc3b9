"""Names by their beginning and in spite of slips, against the definition of the distance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vacancies.name_index import NameIndex, _codes, slips

INDEX = NameIndex(
    [("essen", 0), ("rheda wiedenbruck", 1), ("gutersloh", 2), ("esens", 3), ("essen ruhr", 0)]
)


def distance(a: str, b: str) -> int:
    """Optimal string alignment, as the textbook has it."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            other = a[i - 1] != b[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + other)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


WORDS = st.text("abc", min_size=1, max_size=9)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 2))
def test_slips_are_those_of_the_definition(text: str, names: list[str], most: int) -> None:
    lengths = np.array([len(name) for name in names])
    whole, part = slips(text, _codes(names), lengths, most)
    for name, to_whole, to_part in zip(names, whole.tolist(), part.tolist(), strict=True):
        assert min(to_whole, most + 1) == min(distance(text, name), most + 1)
        nearest = min(distance(text, name[:end]) for end in range(len(name) + 1))
        assert min(to_part, most + 1) == min(nearest, most + 1)


def test_beginnings() -> None:
    assert INDEX.starting("es", 9) == [0, 3]
    assert INDEX.starting("es", 1) == [0]
    assert INDEX.starting("wied", 9) == []
    assert INDEX.with_word_starting("wied", 9) == [1]
    assert INDEX.starting("x", 9) == []


def test_slips_of_the_finger() -> None:
    assert INDEX.like("guterslo", 9) == [2]
    assert INDEX.like("gutresloh", 9) == [2]
    assert INDEX.like("gitersoh", 9) == [2]
    assert INDEX.like("gitersoh", 9, most=1) == []
    assert INDEX.like("esen", 9) == [3, 0]  # begins so, and one too few
    assert INDEX.like("ese", 9) == []  # too short to have one
    assert INDEX.like("gutterslooh" * 4, 9) == []


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    INDEX.like(text, 3)
    INDEX.starting(text, 3)


def test_an_empty_index_has_nothing() -> None:
    assert NameIndex([]).like("gutersloh", 3) == []
