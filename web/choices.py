"""What the search form lets one choose from, each choice with the number of homes it would
leave: before one chooses, and not when nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vacancies.board import Board
from vacancies.facets import Facets
from vacancies.models import SpokenLanguage
from web import words
from web.form import Form
from web.language import Language


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a parameter; `count` is None where nobody has counted."""

    value: str
    label: str
    is_chosen: bool
    hint: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the form, by parameter, for one reader."""

    form: Form
    facets: Facets | None
    language: Language
    names: Mapping[str, str]  # of the municipalities that take part

    def of(self, name: str, labels: Iterable[tuple[str, str]]) -> list[Choice]:
        """Choices of the parameter `name` from pairs of value and label."""
        chosen = self.form.chosen(name)
        counts = self.facets.counts[name] if self.facets else None
        return [
            Choice(
                value=value,
                label=label,
                is_chosen=value in chosen,
                count=None if counts is None else counts.get(value, 0),
            )
            for value, label in labels
        ]

    def from_words(self, name: str, texts: Mapping[Any, str]) -> list[Choice]:
        return self.of(name, words.labels(self.language, texts).items())

    def by_name(self, board: Board) -> dict[str, list[Choice]]:
        return {
            "care_form": self.from_words("care_form", words.CARE_FORMS),
            "sex": self.from_words("sex", words.SEXES),
            "room": self.from_words("room", words.ROOMS),
            "care_grade": self.of("care_grade", [(str(n), str(n)) for n in range(1, 6)]),
            "focus": self.from_words("focus", words.FOCUSES),
            "need": self.from_words("need", words.NEEDS),
            "language": self._languages(),
            "ownership": self.from_words("ownership", words.OWNERSHIPS),
            "municipality": self._municipalities(board),
        }

    def _languages(self) -> list[Choice]:
        """Those that are spoken somewhere here: of 27 most are of no use to anybody."""
        names = {code: self.language.spoken(code) for code in SpokenLanguage}
        choices = self.of("language", sorted(names.items(), key=lambda pair: pair[1].casefold()))
        return [choice for choice in choices if choice.is_chosen or choice.count != 0]

    def _municipalities(self, board: Board) -> list[Choice]:
        """Those in the area, if there are several; one that takes no part is called by the town
        of a home in it."""
        found = self.facets.municipalities if self.facets else {}
        towns = {
            key: self._name(key) or board.listing(slot).profile.address.city or key
            for key, slot in found.items()
        }
        # What the address asks for may be a whole district: the first digits only.
        asked = {
            key: self._name(key) or key
            for key in self.form.chosen("municipality")
            if key not in towns
        }
        if not asked and len(towns) < 2:
            return []
        named = sorted({**asked, **towns}.items(), key=lambda pair: pair[1].casefold())
        return self.of("municipality", named)

    def _name(self, key: str) -> str | None:
        """Homes of which only the district is known count under its key, filled up with zeros."""
        district = self.names.get(key[:5]) if key[5:] == "000" else None
        return self.names.get(key) or district
