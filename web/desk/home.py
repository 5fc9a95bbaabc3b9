"""One home at the desk: what it says, who reports for it, and all that can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, NotFound

from providers.desk_homes import DeskHome, select_desk_home
from providers.desks import select_acts
from providers.reminder_plan import Reminder, select_reminder_of
from providers.staff import Membership, select_members_of
from providers.trail import Entry, select_trail
from vacancies.corrections import Correction, select_corrections
from vacancies.listings import local_date, own_listing
from vacancies.models import CareHome, HomeStatus
from web.cards import freshness_text, line_text, phone_href
from web.client_start import client_start
from web.corrections import MATTERS
from web.desk.access import AtDesk, require_desk
from web.desk.homes import home_page, notes
from web.desk.pages import desk_page
from web.desk.trail import act_in_words
from web.language import Language
from web.pages import current_language, link
from web.trail import in_words
from web.words import N_

home_pages = Blueprint("desk_home", __name__)

_ENTRIES = 10
_STEPS = {
    "staff": N_("to its staff"),
    "admins": N_("to the admins of its provider"),
    "municipality": N_("to the municipality"),
}


async def find_home(at: AtDesk, home_id: str, *, to_change: bool = False) -> DeskHome:
    """A home that the desk sees; else there is no such page. Raises `Forbidden` if the home is
    `to_change` and belongs to a municipality that takes part itself."""
    async with at.reading() as connection:
        found = await select_desk_home(connection, home_id)
    if found is None:
        raise NotFound
    if to_change and not at.desk.owns(found.home.profile.municipality):
        raise Forbidden
    return found


@home_pages.get("/desk/<key>/homes/<home_id>")
async def show(key: str, home_id: str) -> Response:
    """The page; with `?done=1` what was done last stands on top."""
    at = await require_desk(key)
    return await home_response(at, await find_home(at, home_id))


async def home_response(
    at: AtDesk,
    found: DeskHome,
    status: int = 200,
    *,
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a home. `wrong` says why nothing was done; fields are filled in as `typed`."""
    home, language, now = found.home, current_language(), datetime.now(UTC)
    async with at.reading() as connection:
        members = (await select_members_of(connection, [home.id]))[home.id]
        reminder = await select_reminder_of(connection, home.id)
        corrections = await select_corrections(connection, home_id=home.id)
        entries, _before = await select_trail(connection, home.id, with_keys=False)
        acts = await select_acts(connection, limit=_ENTRIES, home_id=home.id)
    profile, listing = home.profile, own_listing(home)
    done = request.args.get("done") == "1" and not wrong and acts
    point = profile.point
    return await desk_page(
        "desk_home.html",
        at,
        status,
        home=home,
        profile=profile,
        base=home_page(at.key, home.id),
        wrong=wrong,
        done=act_in_words(acts[0], language) if done else "",
        is_ours=at.desk.owns(profile.municipality),
        is_open=profile.status is HomeStatus.OPEN,
        is_hidden=listing.is_hidden,
        place=place_of(home),
        phone_href=phone_href(profile.contact.phone),
        freshness=listing.freshness.value,
        freshness_text=freshness_text(listing, language, now),
        notes=notes(found, language),
        lines=_lines(home, language, now),
        told=_told(entries, language),
        people=[_person(member, language) for member in members],
        reminded=_reminded(reminder, language),
        corrections=[_correction(each, language) for each in corrections],
        entries=[in_words(entry, language) for entry in entries[:_ENTRIES]],
        acts=[(act, act_in_words(act, language)) for act in acts],
        filled=_filled(home, typed or {}),
        into=_merged_into(at, home),
        map=link("/homes/" + quote(home.id)),
        evacuate=_evacuate(at, home),
        client={"centres": [(point.latitude, point.longitude)], **client_start(language)},
    )


def to_home(at: AtDesk, home_id: str) -> str:
    """Where one lands after an act."""
    return link(home_page(at.key, home_id), MultiDict({"done": "1"}))


def place_of(home: CareHome) -> str:
    """Its address in a line; empty if it is not known."""
    address = home.profile.address
    town = " ".join(filter(None, (address.postcode, address.city)))
    return ", ".join(filter(None, (address.street, town)))


def _evacuate(at: AtDesk, home: CareHome) -> str:
    places = str(sum(home.profile.capacity.values()) or "")
    return link(f"/desk/{at.key}/evacuation", MultiDict({"home": home.id, "places": places}))


def _merged_into(at: AtDesk, home: CareHome) -> str:
    into = home.profile.merged_into
    return link(home_page(at.key, into)) if into else ""


def _lines(home: CareHome, language: Language, now: datetime) -> list[str]:
    """Its last report as it came, also where the public does not see it."""
    lines = [line_text(line, language, local_date(now)) for line in home.vacancies if line.count]
    return lines or ([language.gettext("No free place")] if home.observed_at else [])


def _told(entries: list[Entry], language: Language) -> dict[str, Any] | None:
    """Who has said last what is free, when, and by which way."""
    said = (in_words(entry, language) for entry in entries if entry.kind != "amendment")
    return next(said, None)


def _person(member: Membership, language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "name": member.staff.name or member.staff.email,
        "email": member.staff.email,
        "role": _("for this home")
        if member.home_id
        else _("for all homes of %(provider)s", provider=member.provider_name),
        "reminders": "" if member.wants_reminders else _("wants no reminders"),
    }


def _reminded(reminder: Reminder | None, language: Language) -> list[str]:
    """What was sent by itself, and what comes next."""
    if reminder is None:
        return []
    said = []
    if reminder.reminded_at is not None:
        moment = language.moment(reminder.reminded_at)
        said.append(language.gettext("Reminded on %(moment)s.", moment=moment))
    if reminder.outcome is None:
        step = language.gettext(_STEPS[reminder.step])
        moment = language.moment(reminder.due_at)
        said.append(
            language.gettext("Next reminder %(moment)s, %(step)s.", moment=moment, step=step)
        )
    return said


def _correction(correction: Correction, language: Language) -> dict[str, Any]:
    return {
        "id": correction.id,
        "matter": language.gettext(MATTERS[correction.matter]),
        "said": correction.said,
        "email": correction.email or "",
        "at": language.moment(correction.created_at),
    }


def _filled(home: CareHome, typed: Mapping[str, str]) -> dict[str, str]:
    """The fields of the forms: as they were typed, else as they are stored."""
    profile = home.profile
    address, contact, point = profile.address, profile.contact, profile.point
    stored = {
        "latitude": f"{point.latitude:.6f}",
        "longitude": f"{point.longitude:.6f}",
        "name": profile.name,
        "street": address.street,
        "postcode": address.postcode,
        "city": address.city,
        "phone": contact.phone,
        "email": contact.email,
        "website": contact.website,
        "reason": "",
    }
    return {name: typed.get(name, value or "") for name, value in stored.items()}
