"""A listing in words: what a card and a home's page say of it.

The client writes the same words into the same markup (client/src/card.ts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote, urlsplit

from vacancies.listings import local_date
from vacancies.models import CareForm, Freshness, Listing, Room, Sex, Vacancy
from web import words
from web.language import Language
from web.lasting import Line, lasting_lines
from web.state import state


@dataclass(frozen=True, slots=True)
class Offer:
    """Places of one care form that are free from and until the same day."""

    count: str
    form: str
    when: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything is text that is ready to be shown, or empty."""

    id: str = ""
    revision: int = 0
    name: str = ""
    distance: str = ""
    town: str = ""
    offers: list[Offer] = field(default_factory=list)
    no_offer: str = ""
    freshness: str = "unknown"
    freshness_text: str = ""
    said_at: str = ""
    lasting: list[Line] = field(default_factory=list)
    attributes: str = ""
    cost: str = ""
    stop: str = ""
    waiting: str = ""
    phone: str = ""
    phone_href: str = ""
    mail_href: str = ""
    website: str = ""
    origin: str = ""


EMPTY = Card()  # for the template that the client fills


def phone_href(phone: str | None) -> str:
    """A `tel:` address from whatever was written, or nothing."""
    digits = re.sub(r"[^0-9+]", "", (phone or "").replace("(0)", ""))
    return f"tel:{digits}" if len(digits.strip("+")) >= 3 else ""


def safe_website(address: str | None) -> str:
    """The address if it is one of the web: a provider could write `javascript:` there."""
    try:
        parts = urlsplit((address or "").strip())
    except ValueError:
        return ""
    return parts.geturl() if parts.scheme in ("http", "https") and parts.netloc else ""


def when(line: Vacancy, language: Language, today: date) -> str:
    """From when, and until when if that is limited."""
    start, end = line.available_from, line.available_until
    text = (
        language.gettext("from %(day)s", day=language.day(start, today))
        if start and start > today
        else language.gettext("from now")
    )
    if end:
        text += " " + language.gettext("until %(day)s", day=language.day(end, today))
    return text


def offers(
    listing: Listing, language: Language, today: date, first: Iterable[CareForm] = ()
) -> list[Offer]:
    """The public lines, summed where form and days agree; the forms searched for first."""
    summed: dict[tuple[CareForm, date | None, date | None], tuple[int, Vacancy]] = {}
    for line in listing.vacancies:
        key = (line.care_form, line.available_from, line.available_until)
        summed[key] = (summed.get(key, (0, line))[0] + line.count, line)
    order = list(dict.fromkeys((*first, *CareForm)))
    lines = sorted(
        (entry for entry in summed.values() if entry[0] > 0),
        key=lambda entry: (
            order.index(entry[1].care_form),
            entry[1].available_from or date.min,
            entry[1].available_until or date.max,
        ),
    )
    return [
        Offer(
            count=language.ngettext("%(num)s free", "%(num)s free", count),
            form=language.gettext(words.CARE_FORMS[line.care_form]),
            when=when(line, language, today),
        )
        for count, line in lines
    ]


def ruled_text(listing: Listing, language: Language) -> str:
    """What the municipality says of a home of which no report holds; else nothing."""
    holds = listing.freshness not in (Freshness.STALE, Freshness.UNKNOWN)
    said = words.STANDINGS.get(listing.standing)
    return language.gettext(said) if said and not holds else ""


def freshness_text(listing: Listing, language: Language, now: datetime) -> str:
    if ruled := ruled_text(listing, language):
        return ruled
    said_at = last_said_at(listing)
    age = language.age(said_at, now) if said_at else ""
    return language.gettext(words.FRESHNESS[listing.freshness], age=age)


def origin_text(listing: Listing, language: Language) -> str:
    """Whose home it is where it is not ours, and since when nothing has come from there."""
    origin = listing.origin
    if origin is None:
        return ""
    said = language.gettext("Taken over from %(name)s", name=origin.name)
    if origin.silent_since is None:
        return said
    moment = language.moment(origin.silent_since)
    return f"{said}. " + language.gettext("No news from there since %(moment)s.", moment=moment)


def last_said_at(listing: Listing) -> datetime | None:
    observed, confirmed = listing.observed_at, listing.confirmed_at
    if observed is None or confirmed is None:
        return observed or confirmed
    return max(observed, confirmed)


def attributes(listing: Listing, language: Language) -> list[str]:
    """Rooms and sexes of the free places, then the focuses of the home and its places."""
    lines = [line for line in listing.vacancies if line.count > 0]
    rooms = [words.ROOMS[r] for r in words.ROOMS if any(line.room is r for line in lines)]
    sexes = [words.SEXES[s] for s in words.SEXES if any(line.sex is s for line in lines)]
    if len(sexes) == len(words.SEXES) or any(line.sex is Sex.ANY for line in lines):
        sexes = []  # somebody of either sex finds a place: nothing to warn of
    known = {*listing.profile.focuses, *(f for line in lines for f in line.focuses)}
    focuses = [words.FOCUSES[f] for f in words.FOCUSES if f in known]
    return [language.gettext(word) for word in (*rooms, *sexes, *focuses)]


def line_details(line: Vacancy, language: Language) -> list[str]:
    """Whom one line is for."""
    details = []
    if line.room is not Room.ANY:
        details.append(language.gettext(words.ROOMS[line.room]))
    if line.sex is not Sex.ANY:
        details.append(language.gettext(words.SEXES[line.sex]))
    if line.care_grades:
        grades = ", ".join(str(grade) for grade in sorted(set(line.care_grades)))
        details.append(language.gettext("care grade %(grades)s", grades=grades))
    details += [language.gettext(words.FOCUSES[f]) for f in line.focuses]
    return details


def line_text(line: Vacancy, language: Language, today: date) -> str:
    """All that a line of a report says, for those who report."""
    return " · ".join(
        (
            language.ngettext("%(num)s free", "%(num)s free", line.count),
            language.gettext(words.CARE_FORMS[line.care_form]),
            when(line, language, today),
            *line_details(line, language),
            *filter(None, [line.note]),
        )
    )


def stop_text(listing: Listing, language: Language, today: date) -> str:
    stop = listing.admission_stop
    if stop is None:
        return ""
    reason = language.gettext(words.STOP_REASONS[stop.reason])
    if stop.until is None:
        return language.gettext("No admissions: %(reason)s", reason=reason)
    day = language.day(stop.until, today)
    return language.gettext("No admissions until %(day)s: %(reason)s", day=day, reason=reason)


def no_offer_text(listing: Listing, language: Language) -> str:
    """What stands in the place of the free places when there is none to show."""
    if listing.free or listing.admission_stop:
        return ""
    if listing.freshness in (Freshness.STALE, Freshness.UNKNOWN):
        return language.gettext("Not known whether a place is free")
    return language.gettext("No free place at present")


def card(
    listing: Listing,
    distance_km: float | None,
    language: Language,
    now: datetime,
    forms: Iterable[CareForm] = (),
) -> Card:
    profile, today = listing.profile, local_date(now)
    # With a time the client would say the age again.
    said_at = None if ruled_text(listing, language) else last_said_at(listing)
    total = profile.costs.total_eur()
    address, phone = profile.address, profile.contact.phone or ""
    waiting = profile.waiting_list
    return Card(
        id=listing.id,
        revision=listing.revision,
        name=profile.name,
        distance="" if distance_km is None else language.distance(distance_km),
        town=" ".join(filter(None, (address.postcode, address.city))),
        offers=offers(listing, language, today, forms),
        no_offer=no_offer_text(listing, language),
        freshness=listing.freshness.value,
        freshness_text=freshness_text(listing, language, now),
        said_at=said_at.isoformat() if said_at else "",
        # Fitted to what our homes report.
        lasting=[]
        if listing.origin
        else lasting_lines(listing, said_at, language, now, state().lasting.curves, forms),
        attributes=" · ".join(attributes(listing, language)),
        cost=language.gettext("about %(amount)s own share a month", amount=language.euros(total))
        if total is not None
        else "",
        stop=stop_text(listing, language, today),
        waiting=language.gettext(words.WAITING_LISTS[waiting]) if waiting else "",
        phone=phone,
        phone_href=phone_href(phone),
        mail_href=f"mailto:{quote(profile.contact.email, safe='@')}"
        if profile.contact.email
        else "",
        website=safe_website(profile.contact.website),
        origin=origin_text(listing, language),
    )
