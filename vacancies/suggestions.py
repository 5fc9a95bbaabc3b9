"""What somebody may mean who is still typing, or has mistyped. From the gazetteer alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from vacancies.gazetteer import Gazetteer, loose
from vacancies.placenames import clean, key_of, parse, split_radius
from vacancies.places import Labels, Place
from vacancies.understanding import last_part, towns_in

LONGEST_QUERY = 120
_MOST_PARTS = 4
# "Esen" begins Esens, and may be meant for Essen.
_MOST_BESIDE_BEGUN = 3
_MORE = 4  # times as many are looked at where the spelling decides

_POSTCODE_BEGUN = re.compile(
    r"(?:DE?\s?[-\u2013]?\s?)?([0-9]{2,4}|[0-9]{2} [0-9]{0,3})", re.IGNORECASE
)
_HAS_DIGRAPH = re.compile("[aou]e", re.IGNORECASE)
_LAST_WORD = re.compile(r"[^\W_]+$")


class Suggestions:
    """Ranked: the very name, its beginning, the beginning of a later word, slips of the
    finger; then by inhabitants. A millisecond each."""

    def __init__(self, gazetteer: Gazetteer, labels: Labels) -> None:
        self._gazetteer = gazetteer
        self._labels = labels

    def for_text(self, q: str, limit: int) -> list[Place]:
        """For the text of a place field, with kilometres or without."""
        text = clean(split_radius(q[:LONGEST_QUERY])[0])
        if (begun := _POSTCODE_BEGUN.fullmatch(text)) is not None:
            return self._postcodes(begun[1].replace(" ", ""), limit)
        wish = parse(text)
        if wish.point is not None:
            return []
        if wish.postcode is None:
            return _first(self._by_name(wish.town, limit), limit)
        if wish.postcode in self._gazetteer.postcodes:
            return [self._labels.of_postcode(wish.postcode)]
        return _first((*self.beginning(wish.town, limit), *self._beside(wish.postcode)), limit)

    def beginning(self, text: str, limit: int) -> list[Place]:
        """Towns whose name begins so."""
        return _first(self._beginning(text, limit), limit)

    def near(self, q: str, limit: int) -> list[Place]:
        """For what means nothing as it stands: towns whose name is nearly so, or that of a
        part of it, or postcodes that differ in the last digits."""
        wish = parse(q)
        if wish.postcode is not None and not wish.town:
            return _first(self._beside(wish.postcode), limit)
        parts = [wish.town, *re.split(r"[,/()-]+|\s[0-9]+\s?[a-z]?\s", wish.town)]
        found = (
            place
            for part in list(dict.fromkeys(clean(part) for part in parts))[:_MOST_PARTS]
            for place in self._by_name(part, limit)
        )
        return _first(found, limit)

    def _by_name(self, text: str, limit: int) -> Iterator[Place]:
        """Whoever has typed a whole name has made no slip."""
        is_name = bool(self._gazetteer.named(text))
        meant = [self._labels.of_town(town) for town in towns_in(self._gazetteer, text)]
        if is_name:
            yield from meant
        begun = list(self._begun(text if meant else last_part(text), limit))
        yield from begun
        yield from meant
        if not meant:
            slips, most = (1, _MOST_BESIDE_BEGUN) if begun else (2, limit)
            like = loose(key_of(last_part(text)))
            yield from self._towns(self._gazetteer.index.like(like, most, slips))

    def _begun(self, text: str, limit: int) -> Iterator[Place]:
        yield from self._beginning(text, limit)
        for typed in _typed(text):
            yield from self._towns(self._gazetteer.index.with_word_starting(typed, limit))

    def _beginning(self, text: str, limit: int) -> Iterator[Place]:
        for typed in _typed(text):
            numbers = self._gazetteer.index.starting(typed, _MORE * limit)
            if _HAS_DIGRAPH.search(text) is not None:
                # "Neuenk" is no Neunkirchen, though "ue" may be written for "ü".
                numbers.sort(key=lambda number: not self._begins(number, text))
            yield from self._towns(numbers[:limit])

    def _begins(self, number: int, text: str) -> bool:
        name = key_of(self._gazetteer.towns[number].name)
        return " ".join(name).startswith(" ".join(key_of(text)))

    def _towns(self, numbers: Iterable[int]) -> Iterator[Place]:
        return (self._labels.of_town(self._gazetteer.towns[number]) for number in numbers)

    def _postcodes(self, start: str, limit: int) -> list[Place]:
        """That begin so; and "1067" is what a spreadsheet makes of 01067."""
        found = self._gazetteer.postcodes_like(start, limit)
        if len(start) == 4:
            found += self._gazetteer.postcodes_like(f"0{start}", limit)
        if len(start) == 5 and not found:
            return _first(self._beside(start), limit)
        return [self._labels.of_postcode(code) for code in found[:limit]]

    def _beside(self, postcode: str) -> Iterator[Place]:
        """Of the same three digits, the nearest number first."""
        codes = self._gazetteer.postcodes_like(postcode[:3], 100)
        codes.sort(key=lambda code: abs(int(code) - int(postcode)))
        return map(self._labels.of_postcode, codes)


def _typed(text: str) -> list[str]:
    """A text as the index has names: its last word as it stands, as "St" may become Stuttgart,
    and as the short word that it may be."""
    whole = loose(key_of(text))
    last = _LAST_WORD.search(text)
    if last is None:
        return [whole] if whole else []
    before = loose(key_of(text[: last.start()]))
    # Behind a letter no word is short, or joins others.
    as_it_stands = loose(key_of(f"x{last[0]}"))[1:]
    return list(dict.fromkeys((f"{before} {as_it_stands}".strip(), whole)))


def _first(places: Iterable[Place], limit: int) -> list[Place]:
    """Each once, however often and by which name it was found; no more than that is looked
    for."""
    return list(islice(_each_once(places), limit))


def _each_once(places: Iterable[Place]) -> Iterator[Place]:
    seen: set[str] = set()
    for place in places:
        if place.label not in seen:
            seen.add(place.label)
            yield place
