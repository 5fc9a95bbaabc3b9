"""What the stable codes are called on the pages.

Everything here is a message id (English) until a `Language` translates it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vacancies.models import (
    CareForm,
    Focus,
    Freshness,
    Need,
    Ownership,
    Room,
    Sex,
    Standing,
    StopReason,
    WaitingList,
)
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
OWNERSHIPS = {
    Ownership.NONPROFIT: N_("a charity or church"),
    Ownership.PUBLIC: N_("a town or district"),
    Ownership.PRIVATE: N_("a company"),
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

# In the place of the freshness, where nothing that the home has said holds.
STANDINGS = {
    Standing.FROZEN: N_("Is being checked. Please call."),
    Standing.DECLINED: N_("Does not report here. Please call."),
}


def labels(language: Language, words: Mapping[Any, str]) -> dict[str, str]:
    """Code to label in that language."""
    return {str(code): language.gettext(message) for code, message in words.items()}
