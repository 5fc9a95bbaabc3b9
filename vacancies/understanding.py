"""Which towns a text means that is more, or less, than the name of one: a street before or
behind it, a part of a town, "Nähe Gütersloh", "Neuenkirchen bei Rheine"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeGuard

from vacancies.gazetteer import Gazetteer
from vacancies.geo import apart_km
from vacancies.placenames import LANDS, key_of, split_name
from vacancies.towns import Town, dominant

# A part of a town, or the neighbour that a name was given with, is no farther away.
_NEIGHBOURHOOD_KM = 40.0
# Towns of that size have parts that no gazetteer lists. In smaller ones the second word
# rather makes another name: Bedburg-Hau lies 80 km from Bedburg.
_DISTRICT_INHABITANTS = 30_000
_MOST_CUTS = 10
_LANDS = {key_of(land) for land in LANDS.values()}  # "Golzow, Brandenburg" means the Land

_AFTER_HOUSE_NUMBER = re.compile(r"[0-9]+\s?[a-z]?\s+([^0-9]+)$", re.IGNORECASE)
_BEFORE = re.compile(
    r"^(?:(?:rund\s+)?um|in|bei|nahe|nähe(?:\s+von)?|in\s+der\s+nähe\s+von|raum|region|umgebung"
    r"|(?:hanse|kreis|universitäts)?stadt|gemeinde|markt|(?:land)?kreis|lkr?\.?|kr\.)\s+",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\s*[(,/-]?\s*\b(?:OT|ortsteil|stadtteil|stadtbezirk|bezirk)\b\.?\s*", re.IGNORECASE
)
_STREET = re.compile(
    r"(?:str(?:aße|asse|\.)?|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|wall|kamp|hof"
    r"|markt)$|[0-9]",
    re.IGNORECASE,
)
# With these before it, a name is another one: "Bad Essen", "Neu-Ulm".
_OTHER_NAME = re.compile(
    r"(?:^|[\s-])(?:alt(?:en)?|bad|burg|gro(?:ß|ss)|hohen|klein|lutherstadt|markt|neu(?:en)?"
    r"|nieder|nord|ober|ost|sankt|st\.?|schloss|süd|unter|west)$",
    re.IGNORECASE,
)
_CUT = re.compile(r"[\s-]+")


def towns_in(gazetteer: Gazetteer, text: str) -> list[Town]:
    """The towns that `text` may mean, the likeliest first; [] if it names none."""
    found = gazetteer.named(text)
    if len(found) > 1:
        return _nearest_to_rest(gazetteer, found, text)
    if found or not text:
        return found
    for shorter in _shorter(text):
        if found := towns_in(gazetteer, shorter):
            return found
    return _in_two_parts(gazetteer, text)


def last_part(text: str) -> str:
    """What stands behind a street: the town, or as much of it as is typed."""
    if "," in text:
        return text.rsplit(",", 1)[1].strip()
    behind = _AFTER_HOUSE_NUMBER.search(text)
    return behind[1].strip() if behind else text


def _shorter(text: str) -> Iterator[str]:
    """The same without what does not name a town."""
    if (before := _BEFORE.match(text)) is not None:
        yield text[before.end() :]
    if (part := _PART.search(text)) is not None:
        yield f"{text[: part.start()]} {text[part.end() :]}".strip()
        yield text[: part.start()].strip()
    if "," in text:
        yield text.split(",", 1)[1].strip()
    if (behind := _AFTER_HOUSE_NUMBER.search(text)) is not None:
        yield behind[1].strip()


def _nearest_to_rest(gazetteer: Gazetteer, found: list[Town], text: str) -> list[Town]:
    """Of several, the one beside the town that stands behind it: "Neuenkirchen bei Rheine"."""
    rest = split_name(text)[1]
    if rest in _LANDS or _is_street(" ".join(rest)):
        return found
    beside = dominant(towns_in(gazetteer, " ".join(rest)))
    if beside is None or beside in found:
        return found
    there = beside.point
    nearest = min(found, key=lambda town: apart_km(there, town.point))
    return [nearest] if apart_km(there, nearest.point) <= _NEIGHBOURHOOD_KM else found


def _in_two_parts(gazetteer: Gazetteer, text: str) -> list[Town]:
    """ "Berlin Spandau", "Gütersloh Avenwedde", "Gütersloh Berliner Straße 12", "Essen Ruhr"."""
    for cut in reversed(list(islice(_CUT.finditer(text), _MOST_CUTS))):
        head, tail = text[: cut.start()], text[cut.end() :]
        heads, tails = gazetteer.named(head), gazetteer.named(tail)
        if heads and tails and (town := _smaller_neighbour(heads, tails)):
            return [town]
        between_words = "-" not in cut[0]
        if heads:
            fitting = gazetteer.named(f"{head}, {tail}")
            if len(fitting) < len(heads) or (between_words and _is_street(tail)):
                return fitting
            if _has_parts(whole := dominant(heads)):
                return [whole]
        if tails and between_words and _is_street(head):
            return tails
        if _has_parts(whole := dominant(tails)) and not _OTHER_NAME.search(head):
            return [whole]
    return []


def _has_parts(town: Town | None) -> TypeGuard[Town]:
    return town is not None and town.population >= _DISTRICT_INHABITANTS


def _smaller_neighbour(heads: list[Town], tails: list[Town]) -> Town | None:
    """Of two towns side by side, the smaller is the one that is meant, as it says more."""
    pairs = ((apart_km(a.point, b.point), a, b) for a in heads for b in tails)
    apart, a, b = min(pairs, key=lambda pair: pair[0])
    return min(a, b, key=lambda town: town.population) if apart <= _NEIGHBOURHOOD_KM else None


def _is_street(text: str) -> bool:
    return _STREET.search(text) is not None
