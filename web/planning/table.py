"""Tables, as the page, the spreadsheet and the charts take them: numbers stay numbers."""

from __future__ import annotations

from typing import Literal

import msgspec

from web.language import Language

# How a column is written: as it is, whole, with one digit after the point, or in per cent.
Kind = Literal["text", "whole", "number", "share"]
Value = str | float | None


class Column(msgspec.Struct, frozen=True):
    label: str
    kind: Kind = "number"


class Table(msgspec.Struct, frozen=True):
    """The first column says what a row is about. None is a number that nobody knows."""

    title: str
    columns: list[Column]
    rows: list[tuple[Value, ...]]

    def column(self, number: int) -> list[float | None]:
        """The numbers of a column."""
        return [None if isinstance(row[number], str) else row[number] for row in self.rows]  # type: ignore[misc]

    def written(self, language: Language) -> list[list[str]]:
        """The cells as the page shows them."""
        return [
            [
                write(value, column.kind, language)
                for value, column in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]


def write(value: Value, kind: Kind, language: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if kind == "share":
        return f"{language.number(value * 100, 1 if value < 1 else 0)}\u00a0%"
    return language.number(value, 0 if kind == "whole" else 1)


def amount(value: float, language: Language) -> str:
    """An average in a sentence: exactly if it is whole, else with one digit after the point."""
    return language.number(value, 0 if round(value, 1) == round(value) else 1)
