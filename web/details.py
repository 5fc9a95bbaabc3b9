"""What a home's own page says beyond its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from vacancies.listings import REGION, local_date
from vacancies.models import Freshness, Listing, Ownership, Profile
from vacancies.reliability import Currency, Reliability, Rhythm
from web import words
from web.cards import Card, line_details, safe_website, when
from web.language import Language
from web.words import N_

_DAY = timedelta(days=1)
_RUN_BY = {
    Ownership.PUBLIC: N_("Run by a town, a district or the state"),
    Ownership.NONPROFIT: N_("Run by a church or a welfare association"),
    Ownership.PRIVATE: N_("Run by a private company"),
}
_CURRENCIES = {
    Currency.MOSTLY: N_("The reports of this home are nearly always current."),
    Currency.OFTEN: N_("The reports of this home are mostly current."),
    Currency.SELDOM: N_("The reports of this home are often out of date. Please call."),
}
_RHYTHMS = {
    Rhythm.DAILY: N_("It reports almost every day."),
    Rhythm.SOMETIMES: N_("It reports several times a week."),
    Rhythm.WEEKLY: N_("It reports about once a week."),
    Rhythm.RARELY: N_("It reports less than once a week."),
}


def labellers(language: Language) -> dict[str, Callable[[str], str]]:
    """Functions from code to label, by kind of code, for the template."""

    def labeller(table: Mapping[Any, str]) -> Callable[[str], str]:
        return lambda code: language.gettext(table[code])

    return {
        "form": labeller(words.CARE_FORMS),
        "focus": labeller(words.FOCUSES),
        "need": labeller(words.NEEDS),
    }


def free_lines(listing: Listing, language: Language, now: datetime) -> list[dict[str, str]]:
    """Every free line in words."""
    today = local_date(now)
    return [
        {
            "count": language.number(line.count),
            "form": language.gettext(words.CARE_FORMS[line.care_form]),
            "when": when(line, language, today),
            "details": " · ".join(line_details(line, language)),
            "note": line.note or "",
        }
        for line in listing.vacancies
        if line.count > 0
    ]


def summary(listing: Listing, view: Card, language: Language) -> str:
    """What is free, in a line: the client compares it with the next one, and says it."""
    free = [
        f"{language.gettext(words.CARE_FORMS[form])}: "
        + language.ngettext("%(num)s free", "%(num)s free", listing.free[form])
        for form in words.CARE_FORMS
        if form in listing.free
    ]
    return ", ".join(free) or view.no_offer or view.stop


def validity_text(listing: Listing, language: Language, now: datetime) -> str:
    """Until when the last report holds; empty where it holds no more, or says nothing."""
    until = listing.valid_until
    if until is None:
        return ""
    moment = soon(until, language, now)
    if listing.freshness is Freshness.FRESH:
        return language.gettext("valid until %(moment)s", moment=moment)
    return language.gettext("counts until %(moment)s", moment=moment)


def soon(at: datetime, language: Language, now: datetime) -> str:
    """A moment to come: "today 14:32", "tomorrow 14:32", else with its day."""
    day, today, time = local_date(at), local_date(now), language.clock(at)
    if day == today:
        return language.gettext("today %(time)s", time=time)
    if day == today + _DAY:
        return language.gettext("tomorrow %(time)s", time=time)
    return language.gettext("%(day)s, %(time)s", day=language.day(day, today), time=time)


def reliability_text(found: Reliability | None, language: Language, today: date) -> str:
    """How reliable the reports have been; empty where the history is too short to say."""
    if found is None:
        return ""
    sentences = [
        language.gettext(_CURRENCIES[found.currency]),
        language.gettext(
            "Current on %(current)s of the last %(days)s days.",
            current=language.number(found.current_days),
            days=language.number(found.days),
        ),
        language.gettext(_RHYTHMS[found.rhythm]),
    ]
    if found.undone_at is not None:
        day = language.day(found.undone_at.astimezone(REGION).date(), today)
        sentences.append(language.gettext("It last corrected itself on %(day)s.", day=day))
    return " ".join(sentences)


def spoken(listing: Listing, language: Language) -> list[str]:
    """Languages that are spoken in the home, by their names (CLDR), in alphabetical order."""
    return sorted(map(language.spoken, listing.profile.languages), key=str.casefold)


def run_by(listing: Listing, language: Language) -> str:
    ownership = listing.profile.ownership
    return language.gettext(_RUN_BY[ownership]) if ownership else ""


@dataclass(frozen=True, slots=True)
class Directions:
    """Addresses that lead there: the telephone's own map, and a route on a page of others, of
    which nothing is loaded here. `quality` is where the home's quality results are."""

    geo: str
    route: str
    quality: str


def directions(profile: Profile) -> Directions:
    """`geo:` as RFC 5870 has it, with the name for a mark, as map programs understand it."""
    place = f"{profile.point.latitude:.6f},{profile.point.longitude:.6f}"
    target = urlencode({"from": "", "to": place}, safe=",")
    return Directions(
        geo=f"geo:{place}?q={place}({quote(profile.name, safe='')})",
        route=f"https://www.openstreetmap.org/directions?{target}",
        quality=safe_website(profile.quality_url),
    )
