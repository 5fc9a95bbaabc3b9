"""What a desk does about a home. Each act is a command of the desk's actor and an entry in its
audit trail; what is wrong is said on the page of the home, and nothing has changed then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from quart import Blueprint, Response
from werkzeug.exceptions import Forbidden, NotFound

from providers.desk_homes import DeskHome
from providers.desks import insert_act
from providers.payloads import AddressBody, ContactBody, CoordinatesBody, Name
from vacancies.command import Command
from vacancies.commands import Amend
from vacancies.corrections import record_done, select_corrections
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.geo import apart_km
from vacancies.models import HIDDEN, CareHome, Precision, Standing
from vacancies.rulings import Close, Rate, Reopen
from web.desk.access import AtDesk, require_desk
from web.desk.area import own_area
from web.desk.home import find_home, home_response, to_home
from web.desk.homes import home_page
from web.open_form import visible_text
from web.pages import current_language, link, message_page
from web.problems import status_of
from web.staff import check_form, redirect_to
from web.state import state
from web.words import N_

acts = Blueprint("desk_acts", __name__)

MOST_LETTERS = 300
_PATH = "/desk/<key>/homes/<home_id>"
# By the code of the error, or the field that is wrong.
WRONG = {
    "home_closed": N_("This home is closed already."),
    "changed_since": N_("Somebody has decided about this home meanwhile. Look at it again."),
    "reason": N_("Please say why, in at most 300 letters."),
    "latitude": N_("This is no position. Enter degrees such as 51.9058, or choose it on the map."),
    "address": N_("One of these entries cannot be. Please check name, address and contact."),
    "unavailable": N_("The server does not answer. Nothing was stored. Please try again."),
}
WITH_REASON = (Standing.FROZEN, Standing.DECLINED, Standing.REFUSED)


async def own_home(key: str, home_id: str) -> tuple[AtDesk, DeskHome, Mapping[str, str]]:
    """The desk, a home that is its own to change, and the form that was sent."""
    form = await check_form()
    at = await require_desk(key)
    return at, await find_home(at, home_id, to_change=True), form


async def done(
    at: AtDesk, found: DeskHome, command: Command | None, act: str, **detail: Any
) -> Response:
    """Do it, enter it into the trail, and show the home again. Raises what the command raises. What
    changes nothing is no act."""
    if command is not None:
        (outcome,) = (await state().deployment.writer.submit([command])).outcomes
        if outcome.error is not None:
            raise outcome.error
        if not outcome.changed:
            return redirect_to(link(home_page(at.key, found.home.id)))
    async with at.writing() as connection:
        await insert_act(connection, at.desk, act, found.home.id, **detail)
    return redirect_to(to_home(at, found.home.id))


async def refused(
    at: AtDesk, found: DeskHome, error: FreiplatzError, typed: Mapping[str, str]
) -> Response:
    """The home's page, which says what is wrong."""
    words = WRONG.get(error.code) or WRONG.get(error.field or "")
    said = current_language().gettext(words) if words else error.detail
    return await home_response(at, found, status_of(error), wrong=said, typed=typed)


@acts.post(f"{_PATH}/standing")
async def rate(key: str, home_id: str) -> Response:
    """`standing` frozen, declined or refused, with a `reason`; or normal: approved, or as it was
    before."""
    at, found, form = await own_home(key, home_id)
    standing = next((each for each in Standing if each == form.get("standing")), None)
    if standing in (None, Standing.WAITING):
        raise Forbidden  # no form of ours
    try:
        reason = said_why(form) if standing in WITH_REASON else ""
        command = Rate(home_id=home_id, standing=standing, actor=at.actor)
        approves = standing is Standing.NORMAL and found.home.standing in HIDDEN
        act = "home_approved" if approves else f"home_{standing}"
        return await done(at, found, command, act, reason=reason)
    except FreiplatzError as error:
        return await refused(at, found, error, form)


@acts.post(f"{_PATH}/close")
async def close(key: str, home_id: str) -> Response:
    at, found, form = await own_home(key, home_id)
    try:
        reason = said_why(form)
        command = Close(home_id=home_id, actor=at.actor)
        return await done(at, found, command, "home_closed", reason=reason)
    except FreiplatzError as error:
        return await refused(at, found, error, form)


@acts.post(f"{_PATH}/reopen")
async def reopen(key: str, home_id: str) -> Response:
    at, found, form = await own_home(key, home_id)
    try:
        return await done(at, found, Reopen(home_id=home_id, actor=at.actor), "home_reopened")
    except FreiplatzError as error:
        return await refused(at, found, error, form)


@acts.post(f"{_PATH}/position")
async def move(key: str, home_id: str) -> Response:
    """Where the home really is, within the area of the desk: nobody puts homes into that of others.
    Then the sweeper looks in which municipality that lies."""
    at, found, form = await own_home(key, home_id)
    before = found.home.profile.point
    try:
        point = _coordinates(form).point()
        if not (await own_area(at))(point):
            _ = current_language().gettext
            wrong = _("There it belongs to another municipality, or to none.")
            return await home_response(at, found, 409, wrong=wrong)
        changes = {"point": point, "precision": Precision.EXACT}
        command = Amend(home_id=home_id, changes=changes, actor=at.actor)
        metres = round(apart_km(before, point) * 1000)
        return await done(at, found, command, "home_moved", metres=metres)
    except FreiplatzError as error:
        return await refused(at, found, error, form)


@acts.post(f"{_PATH}/address")
async def correct(key: str, home_id: str) -> Response:
    """Name, address, and how to reach the home; an empty field empties it."""
    at, found, form = await own_home(key, home_id)
    try:
        changes = _described(found.home, form)
        command = Amend(home_id=home_id, changes=changes, actor=at.actor)
        return await done(at, found, command, "home_corrected")
    except FreiplatzError as error:
        return await refused(at, found, error, form)


@acts.post(f"{_PATH}/corrections/<number>/done")
async def settle(key: str, home_id: str, number: str) -> Response:
    """Somebody has dealt with what a reader said."""
    at, found, _form = await own_home(key, home_id)
    async with at.writing() as connection:
        known = await select_corrections(connection, home_id=home_id)
        chosen = next((each.id for each in known if str(each.id) == number), None)
        if chosen is None:
            raise NotFound
        await record_done(connection, chosen)
    return await done(at, found, None, "correction_done", number=chosen)


def said_why(form: Mapping[str, str]) -> str:
    """What stands in `reason`; raises `InvalidInput` if it is missing or too long."""
    reason = visible_text(form.get("reason", ""))
    if not 0 < len(reason) <= MOST_LETTERS:
        raise InvalidInput("Say why, in at most 300 letters.", field="reason")
    return reason


def _coordinates(form: Mapping[str, str]) -> CoordinatesBody:
    fields = {
        name: form.get(name, "").strip().replace(",", ".") for name in ("latitude", "longitude")
    }
    try:
        return msgspec.convert(fields, CoordinatesBody, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput("This is no position.", field="latitude") from error


def _described(home: CareHome, form: Mapping[str, str]) -> dict[str, Any]:
    """The members of the profile as the form has them; what is not in it stays."""

    def fields(*names: str) -> dict[str, str | None]:
        return {name: form.get(name, "").strip() or None for name in names}

    address, contact = home.profile.address, home.profile.contact
    try:
        name = msgspec.convert(form.get("name", "").strip(), Name)
        where = msgspec.convert(
            {**fields("street", "postcode", "city"), "country": address.country}, AddressBody
        )
        how = msgspec.convert(
            {
                **fields("phone", "email", "website"),
                "person": contact.person,
                "hours": contact.hours,
            },
            ContactBody,
        )
    except msgspec.ValidationError as error:
        raise InvalidInput("One of the entries cannot be.", field="address") from error
    return {"name": name, "address": where.address(), "contact": how.contact()}


@acts.errorhandler(Forbidden)
async def not_ours(error: Forbidden) -> Response:
    """A district sees homes of municipalities that take part themselves, and leaves them alone."""
    _ = current_language().gettext
    return await message_page(
        403,
        _("This home is not yours to change"),
        _("Its own municipality takes part. Ask there."),
        [(_("To the desk"), link("/desk/"))],
    )
