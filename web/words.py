"""What the stable codes are called on the pages, and the texts that the client needs too.

Everything here is a message id (English) until a `Language` translates it.
"""

from __future__ import annotations

from typing import Any

from vacancies.models import CareForm, Focus, Freshness, Need, Room, Sex, StopReason, WaitingList
from web.language import Language


def N_(message: str) -> str:
    """Marks a message id for extraction; it is translated where it is shown."""
    return message


CARE_FORMS = {
    CareForm.LONG_TERM: N_("long-term care"),
    CareForm.SHORT_TERM: N_("short-term care"),
    CareForm.RESPITE: N_("respite care"),
    CareForm.DAY: N_("day care"),
    CareForm.NIGHT: N_("night care"),
    CareForm.ASSISTED_LIVING: N_("assisted living"),
    CareForm.SHARED_FLAT: N_("shared flat with care"),
    CareForm.HOSPICE: N_("hospice"),
}
CARE_FORM_HINTS = {
    CareForm.LONG_TERM: N_("Living in the home, with no end date."),
    CareForm.SHORT_TERM: N_("For up to eight weeks, for example after hospital."),
    CareForm.RESPITE: N_("While the person who cares at home is away or ill."),
    CareForm.DAY: N_("By day in the home, at night in one's own flat."),
    CareForm.NIGHT: N_("At night in the home, by day in one's own flat."),
    CareForm.ASSISTED_LIVING: N_("One's own flat, with help when needed."),
    CareForm.SHARED_FLAT: N_("A few people share a flat and their carers."),
    CareForm.HOSPICE: N_("Care in the last weeks of life."),
}
FOCUSES = {
    Focus.DEMENTIA: N_("dementia"),
    Focus.VENTILATION: N_("intensive care and ventilation"),
    Focus.PALLIATIVE: N_("palliative care"),
    Focus.YOUNG: N_("care for younger people"),
    Focus.PROTECTED: N_("protected area"),
    Focus.BARIATRIC: N_("severe overweight"),
}
NEEDS = {
    Need.MRSA: N_("resistant germs (MRSA)"),
    Need.DIALYSIS: N_("dialysis"),
    Need.TRACHEOSTOMY: N_("tracheostomy"),
    Need.WANDERING: N_("tendency to wander off"),
    Need.COUPLES: N_("couples together"),
    Need.SOCIAL_ASSISTANCE: N_("social assistance pays"),
    Need.WEEKEND_ADMISSION: N_("moving in at weekends"),
}
SEXES = {Sex.FEMALE: N_("for a woman"), Sex.MALE: N_("for a man")}
ROOMS = {Room.SINGLE: N_("single room"), Room.DOUBLE: N_("double room")}
STOP_REASONS = {
    StopReason.STAFF: N_("too few staff"),
    StopReason.ORDERED: N_("ordered by the authority"),
    StopReason.INFECTION: N_("infection in the home"),
    StopReason.BUILDING: N_("building works"),
    StopReason.OTHER: N_("other reason"),
}
WAITING_LISTS = {
    WaitingList.OPEN: N_("Waiting list open"),
    WaitingList.CLOSED: N_("Waiting list closed"),
}
FRESHNESS = {
    Freshness.FRESH: N_("Current: reported %(age)s"),
    Freshness.AGEING: N_("Older: reported %(age)s"),
    Freshness.STALE: N_("Out of date: reported %(age)s. Please call."),
    Freshness.UNKNOWN: N_("No report yet. Please call."),
}

# By the name under which the client asks for them (src/words.ts).
_CLIENT_TEXTS = {
    "now": N_("from now"),
    "from": N_("from %(day)s"),
    "until": N_("until %(day)s"),
    "full": N_("No free place at present"),
    "uncertain": N_("Not known whether a place is free"),
    "cost": N_("about %(amount)s own share a month"),
    "stop": N_("No admissions: %(reason)s"),
    "stopUntil": N_("No admissions until %(day)s: %(reason)s"),
    "grades": N_("care grade %(grades)s"),
    "call": N_("Call %(name)s on %(number)s"),
    "website": N_("Website"),
    "justNow": N_("just now"),
    "none": N_("No free place"),
    "noneSuitable": N_("No home with a suitable free place"),
    "inForms": N_("%(places)s in %(forms)s"),
    "or": N_("or"),
    "around": N_("within %(radius)s of %(place)s"),
    "region": N_("in the whole region"),
    "section": N_("in this part of the map"),
    "answer": N_("%(what)s %(where)s."),
    "answerNearest": N_("%(what)s %(where)s, %(nearest)s."),
    "nearestPlace": N_("the nearest %(distance)s away"),
    "nearestHome": N_("the nearest home %(distance)s away"),
    "onlyOne": N_("%(distance)s away"),
    "live": N_("live, as of %(time)s"),
    "connecting": N_("connecting, as of %(time)s"),
    "lost": N_("not connected, as of %(time)s, trying again …"),
    "goneSince": N_("No longer free since %(time)s"),
    "showChanges": N_("Update the list"),
    "more": N_("Show more"),
    "shown": N_("%(shown)s of %(total)s homes"),
    "clusterZoom": N_("zoom in"),
    "markUnknown": N_("unknown"),
    "markLabel": N_("%(name)s: %(free)s, %(freshness)s"),
    "mapFailed": N_("The map cannot be loaded. The list still works."),
    "locating": N_("Looking for your position …"),
    "locationFailed": N_("Your position cannot be found. Please enter a place."),
    "myPosition": N_("My position"),
    "zoomIn": N_("Zoom in"),
    "zoomOut": N_("Zoom out"),
    "hereSearched": N_("Here you are searching"),
    "changed": N_("This home has sent a new report."),
    "reload": N_("Show new report"),
}


def plurals(language: Language) -> dict[str, tuple[str, str]]:
    """The forms for one and for many, numbers left open. Both languages have just two."""

    def both(one: str, other: str) -> tuple[str, str]:
        forms = language.translations
        return forms.ungettext(one, other, 1), forms.ungettext(one, other, 2)

    ngettext = both  # the name by which the extraction finds the texts
    return {
        "minutes": ngettext("%(num)s minute ago", "%(num)s minutes ago"),
        "hours": ngettext("%(num)s hour ago", "%(num)s hours ago"),
        "days": ngettext("%(num)s day ago", "%(num)s days ago"),
        "free": ngettext("%(num)s free", "%(num)s free"),
        "places": ngettext("%(num)s free place", "%(num)s free places"),
        "suitable": ngettext(
            "%(num)s home with a suitable free place", "%(num)s homes with a suitable free place"
        ),
        "newPlaces": ngettext("Show %(num)s new place", "Show %(num)s new places"),
        "newSaid": ngettext("%(num)s new place.", "%(num)s new places."),
        "goneSaid": ngettext("%(num)s place is gone.", "%(num)s places are gone."),
        "cluster": ngettext("%(num)s free place here", "%(num)s free places here"),
    }


def labels(language: Language, words: dict[Any, str]) -> dict[str, str]:
    """Code to label in that language."""
    return {str(code): language.gettext(message) for code, message in words.items()}


def client_words(language: Language) -> dict[str, Any]:
    """All that the browser client says, from the same catalogue as the pages."""
    return {
        "tag": language.tag,
        "careForms": labels(language, CARE_FORMS),
        "focuses": labels(language, FOCUSES),
        "rooms": labels(language, ROOMS),
        "sexes": labels(language, SEXES),
        "stops": labels(language, STOP_REASONS),
        "waiting": labels(language, WAITING_LISTS),
        "freshness": labels(language, FRESHNESS),
        "texts": {name: language.gettext(text) for name, text in _CLIENT_TEXTS.items()},
        "plurals": plurals(language),
    }
