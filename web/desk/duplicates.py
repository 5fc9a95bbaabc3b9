"""Homes that may be one, side by side: merge them, or say that they are two."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, NotFound

from providers.desk_homes import DeskHome, select_desk_home
from providers.desks import insert_act
from providers.duplicates import (
    Pair,
    Reason,
    filled_gaps,
    find_pairs,
    insert_different,
    move_members,
    select_different,
    select_open_homes,
)
from vacancies.command import Command
from vacancies.commands import Amend
from vacancies.database import PoolConnection, borrowed
from vacancies.listings import own_listing
from vacancies.models import HIDDEN, CareHome, HomeStatus
from vacancies.rulings import Close
from web.cards import freshness_text
from web.desk.access import AtDesk, require_desk
from web.desk.acts import not_ours
from web.desk.home import place_of, to_home
from web.desk.homes import free_words, home_page
from web.desk.pages import desk_page
from web.language import Language
from web.pages import current_language, link
from web.staff import check_form, redirect_to
from web.state import state
from web.words import N_

duplicates = Blueprint("desk_duplicates", __name__)

SHOWN = 30
# Two clerks who merge a pair both ways at the same time must not close both homes.
_MERGE_LOCK = 0x6D657267  # "merg"
_REASONS: dict[Reason, str] = {
    "name": N_("similar name"),
    "street": N_("same street"),
    "phone": N_("same telephone number"),
    "near": N_("same place"),
}


@duplicates.get("/desk/<key>/duplicates")
async def show(key: str) -> Response:
    """The likeliest pairs, at most `SHOWN` at a time."""
    return await _show(await require_desk(key))


async def _show(at: AtDesk, status: int = 200, wrong: str = "") -> Response:
    async with at.reading() as connection:
        homes = await select_open_homes(connection)
        different = await select_different(connection)
    ours = [home for home in homes if at.desk.owns(home.profile.municipality)]
    # In a thread: a large district has some ten thousand pairs to compare.
    pairs = await asyncio.to_thread(find_pairs, ours, different)
    language, now = current_language(), datetime.now(UTC)
    return await desk_page(
        "desk_duplicates.html",
        at,
        status,
        pairs=[_side_by_side(at, pair, language, now) for pair in pairs[:SHOWN]],
        total=len(pairs),
        wrong=wrong,
        base=f"/desk/{at.key}/duplicates",
    )


def _side_by_side(at: AtDesk, pair: Pair, language: Language, now: datetime) -> dict[str, Any]:
    return {
        "reasons": ", ".join(language.gettext(_REASONS[reason]) for reason in pair.reasons),
        "homes": [_column(at, home, language, now) for home in (pair.one, pair.two)],
        "other_provider": pair.one.provider_id != pair.two.provider_id,
    }


def _column(at: AtDesk, home: CareHome, language: Language, now: datetime) -> dict[str, str]:
    return {
        "id": home.id,
        "name": home.profile.name,
        "href": link(home_page(at.key, home.id)),
        "place": place_of(home),
        "phone": home.profile.contact.phone or "",
        "provider": home.provider,
        "freshness": freshness_text(own_listing(home), language, now),
        "free": free_words(home, language),
    }


@duplicates.post("/desk/<key>/duplicates/merge")
async def merge(key: str) -> Response:
    """The home `keep` stays, with what only the other one knows; `drop` becomes a tombstone that
    leads to it, and the people who report for it report for the one that stays."""
    form = await check_form()
    at = await require_desk(key)
    async with at.writing() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MERGE_LOCK)
        keep, drop = await _both(at, connection, form, ("keep", "drop"))
        are_open = _is_open(keep) and _is_open(drop)
        # Else readers would lose the one, and not see the other.
        if are_open and keep.home.standing in HIDDEN:
            wrong = current_language().gettext("Approve the home that is to stay first.")
            return await _show(at, 409, wrong)
        if are_open:
            await _merge(at, connection, keep.home, drop.home)
    # Whoever tries again after a break finds them merged, and the people may not have moved yet.
    is_done = drop.home.profile.merged_into == keep.home.id
    if not are_open and not is_done:
        wrong = current_language().gettext("One of these homes is closed by now.")
        return await _show(at, 409, wrong)
    async with borrowed(state().deployment.pool) as connection:
        await move_members(connection, drop.home.id, keep.home.id)
    return redirect_to(to_home(at, keep.home.id))


async def _merge(at: AtDesk, connection: PoolConnection, keep: CareHome, drop: CareHome) -> None:
    commands: list[Command] = []
    if changes := filled_gaps(keep, drop):
        commands.append(Amend(home_id=keep.id, changes=changes, actor=at.actor))
    commands.append(Close(home_id=drop.id, merged_into=keep.id, actor=at.actor))
    for outcome in (await state().deployment.writer.submit(commands)).outcomes:
        if outcome.error is not None:
            raise outcome.error
    name = drop.profile.name
    await insert_act(connection, at.desk, "home_merged", keep.id, name=name, other=drop.id)


@duplicates.post("/desk/<key>/duplicates/differ")
async def differ(key: str) -> Response:
    """These are two homes: they are not shown as a pair again."""
    form = await check_form()
    at = await require_desk(key)
    async with at.writing() as connection:
        one, two = await _both(at, connection, form, ("one", "two"))
        await insert_different(connection, one.home.id, two.home.id)
        name = two.home.profile.name
        await insert_act(
            connection, at.desk, "homes_differ", one.home.id, name=name, other=two.home.id
        )
    return redirect_to(link(f"/desk/{key}/duplicates", MultiDict()))


def _is_open(found: DeskHome) -> bool:
    return found.home.profile.status is HomeStatus.OPEN


async def _both(
    at: AtDesk, connection: PoolConnection, form: Mapping[str, str], names: tuple[str, str]
) -> list[DeskHome]:
    """Two homes that the form names; both must be the desk's own."""
    found = [await select_desk_home(connection, form.get(name, "")) for name in names]
    homes = [home for home in found if home is not None]
    if len({home.home.id for home in homes}) < len(names):
        raise NotFound
    if not all(at.desk.owns(home.home.profile.municipality) for home in homes):
        raise Forbidden
    return homes


duplicates.register_error_handler(Forbidden, not_ours)
