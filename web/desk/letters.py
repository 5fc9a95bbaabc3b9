"""Letters to homes, ready to be printed: an A4 sheet each, with a code that leads to /letter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import segno
from quart import Blueprint, Response, g
from werkzeug.exceptions import Forbidden, NotFound

from providers.desks import insert_act
from providers.home_invitations import Candidate, select_candidates
from providers.letters import (
    LETTER_LIVES,
    MOST_LETTERS_AT_ONCE,
    in_groups,
    insert_letters,
    revoke_letters,
)
from vacancies.homes import select_homes
from vacancies.listings import local_date
from vacancies.models import Profile
from web.desk.access import AtDesk, require_desk
from web.desk.invitations import chosen_homes
from web.desk.pages import desk_page
from web.language import DEFAULT, choose
from web.numbers import whole_number
from web.open_form import visible_text
from web.origin import sign_in_origin
from web.pages import current_language, link, message_page
from web.staff import check_form, redirect_to
from web.state import state

letters = Blueprint("desk_letters", __name__)

_MOST_IN_A_LINE = 120


class Sheet(NamedTuple):
    """One letter: `qr` is a picture of `address`, which ends in the `code`."""

    home: Profile
    code: str
    address: str
    qr: str


@letters.post("/desk/<key>/invitations/letters")
async def make(key: str) -> Response:
    """The letters themselves: their codes are stored nowhere, so they are shown this once. Sent
    again, the form makes no new ones, and says so."""
    form = await check_form()
    at = await require_desk(key)
    origin = sign_in_origin()
    if origin is None:
        raise Forbidden
    seen = whole_number(form.get("seen_letters", "")) or 0
    async with at.writing() as connection:
        homes = await select_candidates(connection, at.desk)
        if form.get("which") == "unreachable":
            chosen = [home for home in homes if not home.email and home.letter_at is None]
        else:
            chosen = chosen_homes(form, homes)
        ids = [home.id for home in chosen[:MOST_LETTERS_AT_ONCE]]
        secret = state().settings.secret_key
        codes = await insert_letters(connection, at.desk, ids, seen, secret)
        if codes:
            await insert_act(connection, at.desk, "letters_printed", count=len(codes))
    if not codes:
        return await _nothing(at)
    sender, contact = (_line(form.get(name, "")) for name in ("sender", "contact"))
    return await _show(at, chosen, codes, origin, sender, contact)


async def _show(
    at: AtDesk,
    chosen: Sequence[Candidate],
    codes: dict[str, str],
    origin: str,
    sender: str,
    contact: str,
) -> Response:
    """In German, whatever the language of the desk: that is what goes into the letter box."""
    g.language = choose(DEFAULT)
    now = datetime.now(UTC)
    profiles = {
        home.id: home.profile for home in await select_homes(state().deployment.pool, [*codes])
    }
    addresses = [f"{origin}/letter/{in_groups(code)}" for code in codes.values()]
    pictures = await asyncio.to_thread(lambda: list(map(qr_code, addresses)))
    made = dict(zip(codes, zip(addresses, pictures, strict=True), strict=True))
    sheets = [
        Sheet(profiles[home.id], in_groups(codes[home.id]), *made[home.id])
        for home in chosen
        if home.id in codes
    ]
    response = await desk_page(
        "desk_letters.html",
        at,
        sheets=sheets,
        origin=origin,
        sender=sender or at.desk.name,
        contact=contact,
        dated=_full_day(now),
        until=_full_day(now + LETTER_LIVES),
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _full_day(at: datetime) -> str:
    day = local_date(at)
    return current_language().day(day, today=date.min)  # with the year


def qr_code(address: str) -> str:
    """As SVG for HTML. M: a sixth of it may be smudged or folded."""
    return segno.make(address, micro=False, error="m").svg_inline(omitsize=True, light="#fff")


@letters.get("/desk/<key>/invitations/letters")
async def again(key: str) -> Response:
    """They cannot be shown again: back to where they are made."""
    await require_desk(key)
    return redirect_to(link(f"/desk/{key}/invitations"))


async def _nothing(at: AtDesk) -> Response:
    _ = current_language().gettext
    return await message_page(
        409,
        _("No new letters were made"),
        _("No home was chosen, or its letter was made just now. It can be shown only once."),
        [(_("Back to the homes"), link(f"/desk/{at.key}/invitations"))],
    )


@letters.post("/desk/<key>/invitations/letters/<home_id>/revoke")
async def revoke(key: str, home_id: str) -> Response:
    await check_form()
    at = await require_desk(key)
    async with at.reading() as connection:
        homes = await select_candidates(connection, at.desk)
    if home_id not in {home.id for home in homes}:
        raise NotFound
    await revoke_letters(state().deployment.pool, home_id)
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "letter_revoked", home_id)
    return redirect_to(link(f"/desk/{key}/invitations"))


def _line(text: str) -> str:
    return " ".join(visible_text(text).split())[:_MOST_IN_A_LINE]
