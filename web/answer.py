"""The answer in one sentence."""

from __future__ import annotations

from vacancies.page import Page
from vacancies.search import Query
from web import words
from web.language import Language


def asks_for_details(query: Query) -> bool:
    """Whether homes are counted instead of places: a home matches with one line that fits,
    so its other places may not be for this person."""
    return bool(query.sex or query.room or query.care_grade or query.focuses or query.available_by)


def free_places(query: Query, found: Page) -> int:
    """The free places of all homes found, of the care forms asked for."""
    forms = query.care_forms or tuple(found.free_total)
    return sum(found.free_total.get(form, 0) for form in set(forms))


def answer(query: Query, found: Page, place: str, language: Language) -> str:
    """One sentence: how much is free, where, and how near. `place` is what was searched around, or
    the town of the filter. `found` holds homes with free places only. The client builds the same
    sentence (client/src/answer.ts)."""
    _ = language.gettext
    by_home = asks_for_details(query)
    count = found.total if by_home else free_places(query, found)
    what = _what(query, count, by_home, language)
    where = _where(query, place, language)
    nearest = found.hits[0].distance_km if found.hits else None
    if not count or nearest is None:
        return _("%(what)s %(where)s.", what=what, where=where)
    distance = language.distance(nearest)
    if count == 1:
        how_near = _("%(distance)s away", distance=distance)
    elif by_home:
        how_near = _("the nearest home %(distance)s away", distance=distance)
    else:
        how_near = _("the nearest %(distance)s away", distance=distance)
    return _("%(what)s %(where)s, %(nearest)s.", what=what, where=where, nearest=how_near)


def _what(query: Query, count: int, by_home: bool, language: Language) -> str:
    _ = language.gettext
    if by_home and count:
        what = language.ngettext(
            "%(num)s home with a suitable free place",
            "%(num)s homes with a suitable free place",
            count,
        )
    elif by_home:
        what = _("No home with a suitable free place")
    elif count:
        what = language.ngettext("%(num)s free place", "%(num)s free places", count)
    else:
        what = _("No free place")
    if not query.care_forms:
        return what
    names = [_(words.CARE_FORMS[form]) for form in query.care_forms]
    either = f" {_('or')} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return _("%(places)s in %(forms)s", places=what, forms=either)


def _where(query: Query, place: str, language: Language) -> str:
    if query.bbox is not None:
        return language.gettext("in this part of the map")
    if query.centres:
        radius = f"{language.number(query.radius_km)}\u00a0km"
        return language.gettext("within %(radius)s of %(place)s", radius=radius, place=place)
    if place:
        return language.gettext("in the area of %(place)s", place=place)
    return language.gettext("in the whole region")
