"""What a municipality decides itself: how its pages look, what they say, and when homes are to
report."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.desks import insert_act
from providers.reporting_policy import record_policy, select_policies
from vacancies.database import borrowed
from vacancies.errors import InvalidInput
from vacancies.looks import Look, record_logo, record_look, select_look
from web.contrast import code, parse_colour
from web.desk.access import AtDesk, require_desk
from web.desk.pages import desk_page
from web.numbers import whole_number
from web.pages import current_language, link
from web.staff import check_form, redirect_to
from web.state import state

settings = Blueprint("desk_settings", __name__)

_MOST_GREETING, _MOST_TEXT = 1000, 10_000


@settings.get("/desk/<key>/settings")
async def show(key: str) -> Response:
    return await _show(await require_desk(key, admin=True))


async def _show(at: AtDesk, status: int = 200, wrong: str = "") -> Response:
    async with at.reading() as connection:
        found = await select_look(connection, at.key)
    policies = await select_policies(state().deployment.pool)
    look = found or Look(municipality=at.key, name=at.desk.name)
    return await desk_page(
        "desk_settings.html",
        at,
        status,
        own=look,
        address=_address(look),
        policy=policies.of(at.key),
        wrong=wrong,
    )


def _address(look: Look) -> str:
    """Where its pages are."""
    if look.host:
        return f"https://{look.host}/"
    return f"{(state().settings.public_url or '').rstrip('/')}/{look.path}" if look.path else ""


@settings.post("/desk/<key>/settings/look")
async def change_look(key: str) -> Response:
    """Colour, picture and texts. What is wrong changes nothing."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    _ = current_language().gettext
    accent = parse_colour(form["accent"].strip()) if form.get("accent", "").strip() else None
    if form.get("accent", "").strip() and accent is None:
        return await _show(at, 422, _("A colour looks like #0a6e4f."))
    chosen = (await request.files).get("logo")
    content = chosen.read() if chosen is not None and chosen.filename else None
    try:
        async with at.writing() as connection:
            if content is not None or "no_logo" in form:
                await record_logo(connection, at.key, content)
            await record_look(
                connection,
                at.key,
                accent=code(accent) if accent else None,
                greeting=_text(form, "greeting", _MOST_GREETING),
                imprint=_text(form, "imprint", _MOST_TEXT),
                privacy=_text(form, "privacy", _MOST_TEXT),
            )
            await insert_act(connection, at.desk, "look_changed")
    except InvalidInput:
        return await _show(at, 422, _("The picture must be PNG or SVG, up to 200 kB."))
    state().looks.forget()
    return redirect_to(link(f"/desk/{key}/settings"))


def _text(form: MultiDict[str, str], name: str, most: int) -> str:
    """What can be seen of a text, and line ends."""
    text = form.get(name, "").replace("\r\n", "\n").strip()
    return "".join(c for c in text if c.isprintable() or c == "\n")[:most]


@settings.post("/desk/<key>/settings/policy")
async def change_policy(key: str) -> Response:
    """How long reports hold, and who is told. The rest of the policy stays as it is."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    _ = current_language().gettext
    fresh, ageing = (
        whole_number(form.get(name, "").strip(), 5) for name in ("fresh_hours", "ageing_hours")
    )
    if fresh is None or ageing is None:
        return await _show(at, 422, _("Hours are whole numbers, at least 1."))
    email = form.get("municipality_email", "").strip() or None
    try:
        await _record(at, fresh_hours=fresh, ageing_hours=ageing, municipality_email=email)
    except InvalidInput as error:
        said = {
            "email": _("This is no e-mail address."),
            "ageing_hours": _("Reports cannot end before they begin to age."),
        }
        words = said.get(error.field or "", _("Hours are whole numbers, at least 1."))
        return await _show(at, 422, words)
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "policy_changed", fresh=fresh, ageing=ageing)
    return redirect_to(link(f"/desk/{key}/settings"))


@settings.post("/desk/<key>/settings/listing")
async def change_listing(key: str) -> Response:
    """From which size on homes show details, and whether new ones wait for approval. Homes that
    wait are shown within ten seconds when that is taken back."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    places = whole_number(form.get("detail_places", "").strip(), 5)
    approves = "approve_new" in form
    try:
        if places is None:
            raise InvalidInput("No whole number.", field="detail_places")
        await _record(at, detail_places=places, approve_new=approves)
    except InvalidInput:
        _ = current_language().gettext
        return await _show(at, 422, _("Places are a whole number, from 0 to 1000."))
    act = "listing_policy_changed_approving" if approves else "listing_policy_changed"
    async with at.writing() as connection:
        await insert_act(connection, at.desk, act, places=places)
    return redirect_to(link(f"/desk/{key}/settings"))


async def _record(at: AtDesk, **changes: Any) -> None:
    """Change the policy that holds for the municipality. Raises `InvalidInput`."""
    async with borrowed(state().deployment.pool) as connection:
        before = (await select_policies(connection)).of(at.key)
        await record_policy(connection, at.key, replace(before, **changes))
