"""How likely a place is still free, in words; nothing where no number can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vacancies.lasting import Chance, Curves, size_of
from vacancies.models import CareForm, Listing
from web import words
from web.language import Language
from web.words import N_

HOUR = timedelta(hours=1)
# Words from this share on.
VERY_LIKELY = 0.85
RATHER = 0.6


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one care form, with and without its name. It holds `until` then (ISO):
    later the report is too old for it."""

    text: str
    named_text: str
    until: str


def lasting_lines(
    listing: Listing,
    said_at: datetime | None,
    language: Language,
    now: datetime,
    curves: Curves,
    first: Iterable[CareForm] = (),
) -> list[Line]:
    """One line for each care form with free places for which there is a number; the forms
    searched for first."""
    if not curves or not listing.free or said_at is None:
        return []
    size = size_of(sum(listing.profile.capacity.values()))
    age_hours = (now - said_at) / HOUR
    lines = []
    for form in dict.fromkeys((*first, *CareForm)):
        if (places := listing.free.get(form, 0)) > 0:
            chance = curves.chance(form, size, places, age_hours)
            if chance is not None and (not chance.at_least or chance.share >= RATHER):
                until = said_at + chance.until_hours * HOUR
                lines.append(_line(chance, form, until, language))
    return lines


def _line(chance: Chance, form: CareForm, until: datetime, language: Language) -> Line:
    word, share = language.gettext(_word(chance.share)), _share(chance, language)
    name = language.gettext(words.CARE_FORMS[form])
    return Line(f"{word} ({share})", f"{word} ({name}: {share})", until.isoformat())


def _word(share: float) -> str:
    if share >= VERY_LIKELY:
        return N_("Very likely still free")
    return N_("Rather still free") if share >= RATHER else N_("Uncertain, please call")


def _share(chance: Chance, language: Language) -> str:
    """Tenths: more would pretend to know more."""
    if chance.at_least:
        count = language.number(int(chance.share * 10 + 1e-9))
        return language.gettext("at least %(count)s of 10", count=count)
    tenths = round(chance.share * 10)
    if tenths == 10:
        return language.gettext("more than 9 of 10")
    if tenths == 0:
        return language.gettext("fewer than 1 of 10")
    return language.gettext("about %(count)s of 10", count=language.number(tenths))
