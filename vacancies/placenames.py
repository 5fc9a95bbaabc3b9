"""How people and lists write places: names compared, queries taken apart. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from vacancies.models import Point

LONGEST_QUERY = 200

Key = tuple[str, ...]

# GeoNames admin1 codes of the sixteen Länder.
LANDS = {
    "01": "Baden-Württemberg",
    "02": "Bayern",
    "03": "Bremen",
    "04": "Hamburg",
    "05": "Hessen",
    "06": "Niedersachsen",
    "07": "Nordrhein-Westfalen",
    "08": "Rheinland-Pfalz",
    "09": "Saarland",
    "10": "Schleswig-Holstein",
    "11": "Brandenburg",
    "12": "Mecklenburg-Vorpommern",
    "13": "Sachsen",
    "14": "Sachsen-Anhalt",
    "15": "Thüringen",
    "16": "Berlin",
}
# Regions and abbreviations that people add to a town's name, and the Land they point to.
LAND_HINTS = {
    "ruhr": ("07",),
    "westf": ("07",),
    "westfalen": ("07",),
    "nrw": ("07",),
    "rheinl": ("07", "08"),
    "rheinland": ("07", "08"),
    "rhld": ("07", "08"),
    "rlp": ("08",),
    "pfalz": ("08",),
    "oldb": ("06",),
    "oldenburg": ("06",),
    "leine": ("06",),
    "nds": ("06",),
    "hann": ("06",),
    "holst": ("10",),
    "holstein": ("10",),
    "wuertt": ("01",),
    "wuerttemberg": ("01",),
    "bay": ("02",),
    "oberbay": ("02",),
    "anhalt": ("14",),
    "meckl": ("12",),
    "vorpommern": ("12",),
    "thuer": ("15",),
    "mark": ("11",),
}
# Words that say how a river or a mountain belongs to a town: left out of comparisons.
_JOINING = frozenset(
    "a am an auf b bei d das dem den der die i im in o ob unter v vor".split()  # noqa: SIM905
)
_SHORT = {"st": "sankt", "skt": "sankt", "kr": "kreis"}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "\u00ad": "", "\u200b": ""})
_QUALIFIER = re.compile(
    r"\s*[(/,]\s*|\s+(?=(?:am|an|auf|bei|im|in|ob|vor|unter)\s)|\s+(?=[abiov]\.\s?\w)",
    re.IGNORECASE,
)

_NUMBER = r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)"
_COORDINATES = re.compile(rf"{_NUMBER}\s*[,;]\s*{_NUMBER}|{_NUMBER}\s+{_NUMBER}")
_POSTCODE = re.compile(r"(?<![0-9])(?:DE?\s?[-\u2013]?\s?)?([0-9]{5})(?![0-9])", re.IGNORECASE)
# As spreadsheets mangle it, "1067", or typed as "33 330": only in front, where it cannot
# be a house number.
_ODD_POSTCODE = re.compile(
    r"(?:DE?\s?[-\u2013]?\s?)?([0-9]{4}|[0-9]{2} [0-9]{3})(?=$|[\s,])", re.IGNORECASE
)
# "20 km um Gütersloh", "Gütersloh, 20km", "Gütersloh (20 km)", "im Umkreis von 20 km um …".
_RADIUS = re.compile(
    r"(?:\b(?:im\s+)?umkreis\s+(?:von\s+)?|\bradius\s+|[+±]\s*)?(?<![0-9.,])"
    r"([0-9]{1,4}(?:[.,][0-9]{1,2})?)\s*(?:km|kilometer[ns]?)\b\.?"
    r"(?:\s*(?:\bum(?:kreis)?\b|\brund\s+um\b|\bvon\b|\bnähe\b))?",
    re.IGNORECASE,
)
_COUNTRY = re.compile(r"[\s,(]+(?:deutschland|germany)\)?\s*$", re.IGNORECASE)


@lru_cache(maxsize=50_000)
def key_of(text: str) -> Key:
    """The words of a name, for comparison: case, umlauts, hyphens, brackets, soft hyphens,
    and joining words ("a.d. Ruhr", "am Main") make no difference."""
    plain = unicodedata.normalize("NFC", text).casefold().translate(_UMLAUTS)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    kept = [_SHORT.get(word, word) for word in words if word not in _JOINING]
    return tuple(kept or words)


def split_name(text: str) -> tuple[Key, Key]:
    """A name and what tells it from others of that name: "Essen, Ruhr", "Gronau (Westf.)"."""
    parts = _QUALIFIER.split(text.strip(), maxsplit=1)
    return key_of(parts[0]), key_of(parts[1]) if len(parts) > 1 else ()


def without_umlauts(key: Key) -> Key:
    """ "Guetersloh", "Gütersloh" and "Gutersloh" alike."""
    return tuple(re.sub(r"([aou])e", r"\1", word) for word in key)


class Wish(msgspec.Struct, frozen=True):
    """What a query consists of. `postcode` has five digits; `guessed` if one was added."""

    postcode: str | None = None
    guessed: bool = False
    town: str = ""
    point: Point | None = None


def parse(q: str) -> Wish:
    """Take a query apart; never fails."""
    text = clean(q)[:LONGEST_QUERY]
    point = _coordinates(text)
    if point is not None:
        return Wish(point=point)
    text = _COUNTRY.sub("", text)
    match = _POSTCODE.search(text) or _ODD_POSTCODE.match(text)
    if match is None:
        return Wish(town=text)
    digits = match[1].replace(" ", "")
    before = text[: match.start()].strip(" ,;-")
    after = text[match.end() :].strip(" ,;-")
    return Wish(
        postcode=digits.zfill(5),
        guessed=len(digits) < 5,
        town=after or before.rsplit(",", 1)[-1].strip(),
    )


def split_radius(text: str) -> tuple[str, float | None]:
    """A place and the kilometres around it that stand in one field: "Gütersloh 20 km"."""
    match = _RADIUS.search(text)
    if match is None:
        return text, None
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    return clean(rest).strip(" ,;()-+"), float(match[1].replace(",", "."))


def normal_postcode(text: str | None) -> str | None:
    """The five digits of a German postcode as lists write it (`1067`, "D-33330"), else None."""
    wish = parse(str(text)) if text else Wish()
    return wish.postcode if not wish.town else None


def clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text if c != "\u00ad")
    return " ".join(kept.split())


def _coordinates(text: str) -> Point | None:
    match = _COORDINATES.fullmatch(text)
    if match is None:
        return None
    latitude, longitude = (float(number) for number in match.groups() if number is not None)
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Point(latitude, longitude)
