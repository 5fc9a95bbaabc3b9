"""The texts of the browser client of the finder, from the same catalogue as the pages."""

from __future__ import annotations

from typing import Any

from web.language import Language
from web.words import (
    CARE_FORMS,
    FOCUSES,
    FRESHNESS,
    N_,
    ROOMS,
    SEXES,
    STANDINGS,
    STOP_REASONS,
    WAITING_LISTS,
    labels,
)

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
    "origin": N_("Taken over from %(name)s"),
    "originSilent": N_("No news from there since %(moment)s."),
    "grades": N_("care grade %(grades)s"),
    "website": N_("Website"),
    "justNow": N_("just now"),
    "none": N_("No free place"),
    "noneSuitable": N_("No home with a suitable free place"),
    "inForms": N_("%(places)s in %(forms)s"),
    "or": N_("or"),
    "around": N_("within %(radius)s of %(place)s"),
    "region": N_("in the whole region"),
    "town": N_("in the area of %(place)s"),
    "section": N_("in this part of the map"),
    "answer": N_("%(what)s %(where)s."),
    "answerNearest": N_("%(what)s %(where)s, %(nearest)s."),
    "fromCentre": N_("%(distance)s from %(place)s"),
    "nearestPlace": N_("the nearest %(distance)s away"),
    "nearestHome": N_("the nearest home %(distance)s away"),
    "onlyOne": N_("%(distance)s away"),
    "live": N_("live, as of %(time)s"),
    "connecting": N_("connecting, as of %(time)s"),
    "lost": N_("not connected, as of %(time)s, trying again …"),
    "restored": N_("connected again, live, as of %(time)s"),
    "lostSaid": N_("The connection is lost. You see the state of %(time)s. A new attempt follows."),
    "restoredSaid": N_("Connected again."),
    "goneSince": N_("No longer reported free since %(time)s"),
    "showChanges": N_("Update the list"),
    "more": N_("Show more"),
    "shown": N_("%(shown)s of %(total)s homes"),
    "clusterZoom": N_("zoom in"),
    "mapSearched": N_("The list now shows this part of the map."),
    "markUnknown": N_("unknown"),
    "markLabel": N_("%(name)s: %(free)s, %(freshness)s"),
    "mapFailed": N_("The map cannot be loaded. The list still works."),
    "zoomIn": N_("Zoom in"),
    "zoomOut": N_("Zoom out"),
    "hereSearched": N_("Here you are searching"),
    "showPlaces": N_("Show places"),
    "homeNews": N_("New report at %(time)s: %(what)s."),
    "homeSame": N_("Reported again at %(time)s: nothing has changed."),
}

_PLACE_TEXTS = {
    "besideTown": N_("near %(town)s"),
    "locating": N_("Looking for your position …"),
    "locationFailed": N_("Your position cannot be found. Please enter a place."),
    "locationRefused": N_(
        "Your browser keeps your position to itself. Allow it in its settings, or enter a place."
    ),
    "myPosition": N_("My position"),
}


def plurals(language: Language) -> dict[str, dict[str, str]]:
    """The forms of each text that counts something, by their name in CLDR."""
    ngettext = language.plural_forms  # the name by which the extraction finds the texts
    return {
        "minutes": ngettext("%(num)s minute ago", "%(num)s minutes ago"),
        "hours": ngettext("%(num)s hour ago", "%(num)s hours ago"),
        "days": ngettext("%(num)s day ago", "%(num)s days ago"),
        "free": ngettext("%(num)s free", "%(num)s free"),
        "places": ngettext("%(num)s free place", "%(num)s free places"),
        "suitable": ngettext(
            "%(num)s home with a suitable free place", "%(num)s homes with a suitable free place"
        ),
        "homes": ngettext("%(num)s home", "%(num)s homes"),
        "showHomes": ngettext("Show %(num)s home", "Show %(num)s homes"),
        "newPlaces": ngettext("Show %(num)s new place", "Show %(num)s new places"),
        "newSaid": ngettext("%(num)s new place.", "%(num)s new places."),
        "goneSaid": ngettext("%(num)s place is gone.", "%(num)s places are gone."),
        "cluster": ngettext("%(num)s free place here", "%(num)s free places here"),
    }


def place_words(language: Language) -> dict[str, Any]:
    """What the place fields say, on every page that has the form of the search."""
    ngettext = language.plural_forms
    return {
        "tag": language.tag,
        "careForms": {},
        "texts": {name: language.gettext(text) for name, text in _PLACE_TEXTS.items()},
        "plurals": {
            "suggestions": ngettext(
                "%(num)s suggestion. Choose with the arrow keys.",
                "%(num)s suggestions. Choose with the arrow keys.",
            )
        },
    }


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
        "standings": labels(language, STANDINGS),
        "texts": {name: language.gettext(text) for name, text in _CLIENT_TEXTS.items()},
        "plurals": plurals(language),
    }
