"""What stands in a cell, cleaned: text, telephone numbers, addresses on the web, words."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

import phonenumbers

from providers.imports.tables import fold
from vacancies.models import CareForm

_NOTHING = frozenset(
    {"null", "none", "nan", "na", "n/a", "nil", "k.a.", "k.a", "ka", "keineangabe", "unbekannt"}
    | {"-", "--", "---", ".", "/", "?"}
)
_TRUE = frozenset(["true", "wahr", "1", "ja", "j", "yes", "y", "x", "vorhanden", "oui", "vrai"])
_FALSE = frozenset(["false", "falsch", "0", "nein", "n", "no", "nichtvorhanden", "non", "faux"])
# Where a broken scraper lands, not homes.
_JUNK_HOSTS = frozenset({"browsehappy.com", "localhost", "example.com", "example.org"})
# Local numbers get the code of their city; elsewhere it is too uncertain.
_AREA_CODES = {"berlin": "030", "hamburg": "040", "muenchen": "089", "frankfurt": "069"}

_ASSISTED = (
    r"betreutes?wohn|servicewohn|assistedliving|wohneinrichtung|altenwohn|residenceautonomie"
    r"|residenceservice|logementprotege"
)
# In this order: "stationäres Hospiz" is a hospice, "Kurzzeitpflege" is not long-term.
_CARE_FORMS: tuple[tuple[CareForm, re.Pattern[str]], ...] = tuple(
    (form, re.compile(pattern))
    for form, pattern in (
        (CareForm.HOSPICE, r"hospi[zc]"),
        (CareForm.SHORT_TERM, r"kurzzeit|shortterm|^kzp|kzp$|temporaire|courtsejour"),
        (CareForm.RESPITE, r"verhinderung|respite|repit"),
        (CareForm.DAY, r"tagespflege|daycare|tagesstaette|teilstationaer|^day$|accueildejour"),
        (CareForm.NIGHT, r"nachtpflege|nightcare|^night$|accueildenuit"),
        (CareForm.ASSISTED_LIVING, _ASSISTED),
        (CareForm.SHARED_FLAT, r"wohngemeinschaft|pflegewg|sharedflat|wohngruppe"),
        (
            CareForm.LONG_TERM,
            r"vollstation|dauerpflege|langzeit|longterm|hebergementpermanent|longsejour",
        ),
    )
)
# Says long-term only where nothing else is said: "Tagespflege im Pflegeheim".
_HOME = re.compile(
    r"nursinghome|carehome|pflegeheim|altenheim|seniorenheim|stationaerepflege|stationaer$|ehpad"
    r"|maisonderetraite"
)
_COUNTRIES = {
    "deutschland": "DE", "germany": "DE", "d": "DE", "schweiz": "CH", "switzerland": "CH",
    "suisse": "CH", "oesterreich": "AT", "austria": "AT", "a": "AT", "niederlande": "NL",
    "belgien": "BE", "luxemburg": "LU", "daenemark": "DK", "polen": "PL", "frankreich": "FR",
}  # fmt: skip
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
# Where a second number begins; a slash also parts the area code from the rest.
_NEXT_NUMBER = re.compile(
    r"\s+oder\s+|\s+o\.\s+|;|,|\s\+\s|\s+bzw\.?\s+|\s+und\s+|\n", re.IGNORECASE
)
_SECOND_NUMBER = re.compile(r"/|\s{2,}(?=0\d)")
_SECOND_EXTENSION = re.compile(r"(?<=\d)\s*/\s*-.*")


def clean_text(value: str | None, longest: int = 200) -> str | None:
    """Without control characters, soft hyphens and doubled spaces; None for nothing."""
    if not value:
        return None
    kept = value if value.isascii() and value.isprintable() else _without_invisible(value)
    text = " ".join(kept.split())
    if not text or "".join(text.lower().split()) in _NOTHING:
        return None
    return text[:longest].rstrip()


def _without_invisible(text: str) -> str:
    return "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Zs") else c
        for c in unicodedata.normalize("NFC", text)
        if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")
    )


def read_flag(value: str | None) -> bool | None:
    """Yes or no, None if it says neither."""
    word = fold(value or "")
    return True if word in _TRUE else False if word in _FALSE else None


def read_care_forms(value: str | None) -> list[CareForm]:
    """All care forms that a text names ("Kurzzeit- und Tagespflege")."""
    word = fold(value or "")
    if word in {form.value.replace("_", "") for form in CareForm}:
        return [form for form in CareForm if form.value.replace("_", "") == word]
    found = [form for form, pattern in _CARE_FORMS if pattern.search(word)]
    return found or ([CareForm.LONG_TERM] if _HOME.search(word) else [])


def read_website(value: str | None) -> str | None:
    """The first http(s) address; None for other schemes, and for hosts known as junk."""
    for word in re.split(r"[\s;,<>\"]+", clean_text(value, 2_000) or ""):
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", word) is None and re.match(
            r"[a-z0-9.-]+\.[a-z]{2,}(/|$)", word, re.IGNORECASE
        ):
            word = "http://" + word
        try:
            parts = urlsplit(word)
            host = (parts.hostname or "").lower()
        except ValueError:
            continue
        if parts.scheme.lower() not in ("http", "https") or "." not in host or len(word) > 500:
            continue
        if host.removeprefix("www.") in _JUNK_HOSTS or parts.username is not None:
            continue
        return word
    return None


def read_email(value: str | None) -> str | None:
    match = _EMAIL.search(value or "")
    return match[0] if match and len(match[0]) <= 200 else None


def read_phone(value: str | None, country: str = "DE", city: str | None = None) -> str | None:
    """The first number, internationally written ("+49 5241 12345"). Text that is no valid
    number is kept if it has five digits or more: somebody may still make sense of it."""
    raw = (value or "").strip()[:200]
    text = clean_text(_first_number(raw))
    if text is None or sum(c.isdigit() for c in text) < 5:
        return None
    digits = re.sub(r"\D", "", text)
    if country == "DE" and not text.startswith("+") and not digits.startswith("0"):
        code = _AREA_CODES.get(fold(city or ""))
        if code is None:
            return text[:50]  # a local number: never to be read as one of another town
        text = f"{code} {text}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text[:50]
    if not phonenumbers.is_possible_number(number):
        return text[:50]
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _first_number(text: str) -> str:
    """Up to the second number, or to the words after the first ("Herr Muster", "(PDL)")."""
    text = _NEXT_NUMBER.split(text, maxsplit=1)[0]
    words = re.search(r"[^\W\d_]", text)
    if words and sum(c.isdigit() for c in text[: words.start()]) >= 5:
        text = text[: words.start()].rstrip(" (/")
    text = _SECOND_EXTENSION.sub("", text)
    for match in _SECOND_NUMBER.finditer(text):
        if sum(c.isdigit() for c in text[: match.start()]) >= 7:
            return text[: match.start()]
    return text


def fold_words(text: str) -> str:
    """For comparison: letters and digits only, in any script."""
    plain = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return "".join(c for c in plain if c.isalnum())


def fold_street(street: str | None) -> str:
    """For comparison: "Hauptstr. 5" is "Hauptstraße 5"."""
    return re.sub(r"strasse|str(?=\d|$)", "str", fold_words(street or ""))


def read_country(text: str) -> str | None:
    """An ISO 3166-1 code; None for what is none (a Land, for example)."""
    word = text.strip()
    if re.fullmatch(r"[A-Za-z]{2}", word):
        return word.upper()
    return _COUNTRIES.get(fold(word))
