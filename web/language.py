"""The languages of the pages: catalogues, the choice, and how numbers and times are written.

Message ids are English; German is the language unless the address says otherwise
(`?lang=en`). Neither a cookie nor the browser's wish decides: the same address shows
everyone the same page.

Three kinds of pages: those that everybody reads, those on which homes report, and the desk of
those who answer for homes. Some languages are for one kind only, and their catalogues hold the
texts of that kind (`scripts/texts.py` says which); what they lack is German.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from vacancies.listings import REGION

DEFAULT = "de"
TRANSLATIONS = Path(__file__).parent / "translations"

Pages = Literal["reading", "reporting", "desk"]
ALL_PAGES: frozenset[Pages] = frozenset(("reading", "reporting", "desk"))
_READING: frozenset[Pages] = frozenset(("reading",))
_REPORTING: frozenset[Pages] = frozenset(("reporting",))


class _Known(NamedTuple):
    own_name: str
    locale: str
    tag: str  # BCP 47: a browser formats by it as Babel does by the locale
    pages: frozenset[Pages] = ALL_PAGES
    is_reviewed: bool = True  # by somebody who grew up with the language, or by a test group


_KNOWN = {
    "de": _Known("Deutsch", "de_DE", "de-DE"),
    # `simple` is a registered variant (IANA Language Subtag Registry, RFC 5646). Neither CLDR nor
    # browsers have formats of its own for it: numbers and days are the German ones.
    "de-simple": _Known("Leichte Sprache", "de_DE", "de-DE", _READING, is_reviewed=False),
    "en": _Known("English", "en_GB", "en-GB"),
    "tr": _Known("Türkçe", "tr_TR", "tr-TR", is_reviewed=False),
    "ru": _Known("Русский", "ru_RU", "ru-RU", is_reviewed=False),
    "pl": _Known("Polski", "pl_PL", "pl-PL", _REPORTING, is_reviewed=False),
    # Most who speak Arabic here know the months by their Syrian names. The digits are those of
    # every other sign in a German home, and of number fields.
    "ar": _Known("العربية", "ar_SY", "ar-SY-u-nu-latn", _REPORTING, is_reviewed=False),
}
# The smallest numbers of all plural forms of the world's languages lie below (CLDR).
_PLURAL_SAMPLES = range(101)


# The same few numbers and days come up on every page, and Babel takes its time for each.
@lru_cache(maxsize=10_000)
def _decimal(value: float, digits: int, locale: Locale) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=locale)


@lru_cache(maxsize=1_000)
def _day(day: date, with_year: bool, locale: Locale) -> str:
    if with_year:
        return format_date(day, "long", locale=locale)
    return format_skeleton("MMMMd", day, locale=locale)


@lru_cache(maxsize=100)
def _plural_samples(locale: Locale) -> tuple[tuple[str, int], ...]:
    """Each plural form of whole numbers, and a number that takes it."""
    samples: dict[str, int] = {}
    for number in _PLURAL_SAMPLES:
        samples.setdefault(locale.plural_form(number), number)
    return tuple(samples.items())


@dataclass(frozen=True, slots=True)
class Language:
    """One language, with all that depends on it."""

    code: str
    own_name: str
    locale: Locale
    tag: str  # BCP 47, for the browser's own formats
    direction: str  # of the script, as HTML's `dir` wants it
    pages: frozenset[Pages]  # which are in it
    is_reviewed: bool  # by somebody who grew up with it, or by a test group
    translations: NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        """The translation of `message`, its `%(name)s` filled in from `values`."""
        text: str = self.translations.ugettext(message)
        return text % values if values else text

    def ngettext(self, one: str, other: str, num: int, **values: object) -> str:
        """The plural form for `num`; `%(num)s` in it is the number as it is written here."""
        text: str = self.translations.ungettext(one, other, num)
        return text % {"num": self.number(num), **values}

    def plural_forms(self, one: str, other: str) -> dict[str, str]:
        """All forms of a message, numbers left open, by their name in CLDR (`one`, `few` …), as
        the browser's `Intl.PluralRules` names them. Only forms of whole numbers."""
        forms = self.translations
        samples = _plural_samples(self.locale)
        return {name: forms.ungettext(one, other, number) for name, number in samples}

    def number(self, value: float, digits: int = 0) -> str:
        return _decimal(round(value, digits), digits, self.locale)

    def spoken(self, code: str) -> str:
        """What a language is called, by its ISO 639 code (CLDR, which lacks sign language)."""
        if code == "gsg":
            return self.gettext("German Sign Language")
        return str(self.locale.languages.get(code, code))

    def distance(self, km: float) -> str:
        """Kilometres: one digit after the point below ten, none from there."""
        return f"{self.number(km, 1 if round(km, 1) < 10 else 0)}\u00a0km"

    def euros(self, amount: float) -> str:
        return f"{self.number(amount)}\u00a0€"

    def day(self, day: date, today: date) -> str:
        """A calendar day in words; the year only if it is not this one."""
        return _day(day, day.year != today.year, self.locale)

    def coming_day(self, day: date, today: date) -> str:
        """The same; the day of the week within the next six days."""
        if timedelta() < day - today < timedelta(days=7):
            return format_date(day, "EEEE", locale=self.locale)
        return self.day(day, today)

    def clock(self, at: datetime) -> str:
        """Hours and minutes in the region."""
        return format_time(at, "HH:mm", tzinfo=REGION, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Day and time in the region."""
        day = format_date(at.astimezone(REGION).date(), "medium", locale=self.locale)
        return f"{day}, {self.clock(at)}"

    def age(self, at: datetime, now: datetime) -> str:
        """How long ago `at` was, in its largest whole unit: nothing looks younger."""
        minutes = int((now - at).total_seconds() // 60)
        if minutes < 1:
            return self.gettext("just now")
        if minutes < 60:
            return self.ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
        if minutes < 24 * 60:
            return self.ngettext("%(num)s hour ago", "%(num)s hours ago", minutes // 60)
        return self.ngettext("%(num)s day ago", "%(num)s days ago", minutes // (24 * 60))


def _read_catalogue(code: str) -> NullTranslations:
    """The catalogue straight from its .po: no compiled copy that could be out of date."""
    path = TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():  # English: the ids are the texts
        return NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=code.partition("-")[0])
    # A plural that nobody has translated yet would be an empty text, instead of what stands in.
    for message in [m for m in catalogue if m.pluralizable and not all(m.string or ())]:
        catalogue.delete(message.id, message.context)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(fp=compiled)


def _read(code: str, known: _Known) -> Language:
    locale = Locale.parse(known.locale)
    translations = _read_catalogue(code)
    if known.pages != ALL_PAGES:
        translations.add_fallback(_read_catalogue(DEFAULT))
    return Language(
        code=code,
        own_name=known.own_name,
        locale=locale,
        tag=known.tag,
        direction="rtl" if locale.text_direction == "rtl" else "ltr",
        pages=known.pages,
        is_reviewed=known.is_reviewed,
        translations=translations,
    )


@cache
def _all_languages() -> dict[str, Language]:
    return {code: _read(code, known) for code, known in _KNOWN.items()}


def languages(*, reporting: bool = False, desk: bool = False) -> Mapping[str, Language]:
    """Every language of a page by its code, the default one first; `reporting`: a page on which
    homes report; `desk`: one for those who answer for homes, or write programs."""
    kind: Pages = "reporting" if reporting else "desk" if desk else "reading"
    return {code: each for code, each in _all_languages().items() if kind in each.pages}


def choose(wanted: str | None, *, reporting: bool = False, desk: bool = False) -> Language:
    """The language with that code, or the default one where the page is not in it."""
    known = languages(reporting=reporting, desk=desk)
    return known.get(wanted or DEFAULT, known[DEFAULT])
