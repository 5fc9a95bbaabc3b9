"""Where reports are passed on to, as pages: admins of a provider look after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden

from providers.staff import Membership, Staff, select_homes_of_provider
from vacancies.database import PoolConnection, borrowed
from vacancies.errors import FreiplatzError, InvalidInput
from web.alerts.sealing import Seal
from web.in_charge import address_for, chosen_of, in_charge_of
from web.pages import current_language, link, message_page, page
from web.portals import links
from web.portals.asking import read_address, read_ids, read_key
from web.portals.copies import select_copies
from web.portals.links import Link
from web.portals.words import fault_words, link_row
from web.problems import status_of
from web.report_copies import copy_words
from web.staff import check_form, redirect_to, require_staff
from web.state import state
from web.webhooks import endpoints
from web.webhooks.deliveries import select_deliveries
from web.webhooks.endpoints import UnknownWebhook
from web.webhooks.sending import utc_now
from web.webhooks.wishes import outbound, wake
from web.webhooks.words import delivery_words

# Below the pages of webhooks: both tell others.
portals_desk = Blueprint("portals_desk", __name__, url_prefix="/webhooks/portals")

_TRIES_SHOWN = 20
_HOMES_SHOWN = 300


@portals_desk.get("")
async def show() -> Response:
    """All places that a provider reports to; whoever is in charge of several chooses."""
    return await _show()


async def _show(error: FreiplatzError | None = None, address: str = "") -> Response:
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        mine = await in_charge_of(connection, found)
        chosen = chosen_of(mine)
        stored = await links.select_links(connection, chosen.provider_id)
    language = current_language()
    return await _page(
        "portals.html",
        found.staff,
        200 if error is None else status_of(error),
        chosen=chosen,
        others=[m for m in mine if m is not chosen],
        rows=[link_row(each, language) for each in stored],
        fault=fault_words(error, language) if error else None,
        address=address,
        address_of=address_for,
        most=links.MOST_LINKS,
    )


@portals_desk.post("/add")
async def add() -> Response:
    """Report there too. What is wrong is said on the page; the key is never on it."""
    form = await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        chosen = chosen_of(await in_charge_of(connection, found))
    entered = form.get("address", "").strip()
    try:
        address = read_address(entered, outbound(), state().settings)
        key = read_key(form.get("key", ""))
        async with borrowed(state().deployment.pool) as connection, connection.transaction():
            made = await links.insert_link(
                connection, _seal(), chosen.provider_id, address, key, utc_now()
            )
    except FreiplatzError as error:
        return await _show(error, entered)
    wake()
    return redirect_to(_path(made))


@portals_desk.get("/<webhook_id>")
async def show_one(webhook_id: str) -> Response:
    """One of them: how it goes, what became of each home's report, and what one can do."""
    async with _own(webhook_id) as (connection, staff, member, found):
        return await _show_one(connection, staff, member, found)


async def _show_one(
    connection: PoolConnection,
    staff: Staff,
    member: Membership,
    found: Link,
    error: FreiplatzError | None = None,
    entered: Mapping[str, str] | None = None,
) -> Response:
    language, board = current_language(), state().board
    homes = await select_homes_of_provider(connection, member.provider_id)
    ids = await links.select_ids(connection, found.webhook.id)
    deliveries = await select_deliveries(connection, found.webhook.id, _TRIES_SHOWN)
    return await _page(
        "portal.html",
        staff,
        200 if error is None else status_of(error),
        row=link_row(found, language),
        webhook=found.webhook,
        homes=await _homes(connection, found, homes),
        fault=fault_words(error, language) if error else None,
        ids=(entered or {}).get("ids", "\n".join(f"{a} = {b}" for a, b in ids.items())),
        deliveries=[delivery_words(delivery, board, language) for delivery in deliveries],
        back=address_for("/webhooks/portals", member),
    )


async def _homes(
    connection: PoolConnection, found: Link, homes: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """How it stands with each home there; those that need somebody first."""
    names = dict(homes)
    copies = await select_copies(connection, found.webhook.id, list(names))
    language, now = current_language(), datetime.now(UTC)
    pairs = [
        (copy, words)
        for copy in copies
        if (words := copy_words(found, copy, language, now)) is not None
    ]
    order = ["refused", "", "well"]
    pairs.sort(key=lambda pair: order.index(pair[1].mood))
    return [
        {"name": names[copy.home_id], "id_there": copy.id_there, "words": words}
        for copy, words in pairs[:_HOMES_SHOWN]
    ]


@portals_desk.post("/<webhook_id>/key")
async def renew_key(webhook_id: str) -> Response:
    """Another key, which is tried at once."""
    form = await check_form()
    async with _own(webhook_id) as (connection, staff, member, found):
        try:
            key = read_key(form.get("key", ""))
        except InvalidInput as error:
            return await _show_one(connection, staff, member, found, error)
        await links.record_key(connection, _seal(), webhook_id, key, utc_now())
    wake()
    return redirect_to(_path(webhook_id))


@portals_desk.post("/<webhook_id>/ids")
async def change_ids(webhook_id: str) -> Response:
    """Which homes have another id there."""
    form = await check_form()
    entered = form.get("ids", "")
    async with _own(webhook_id) as (connection, staff, member, found):
        homes = await select_homes_of_provider(connection, member.provider_id)
        try:
            ids = read_ids(entered, [home_id for home_id, _ in homes])
        except InvalidInput as error:
            return await _show_one(connection, staff, member, found, error, {"ids": entered})
        await links.record_ids(connection, webhook_id, ids)
    wake()
    return redirect_to(_path(webhook_id))


@portals_desk.post("/<webhook_id>/retry")
async def retry(webhook_id: str) -> Response:
    """Send now what waits or was refused; it also ends a pause."""
    await check_form()
    async with _own(webhook_id) as (connection, *_):
        await links.retry_link(connection, webhook_id, utc_now())
    wake()
    return redirect_to(_path(webhook_id))


@portals_desk.post("/<webhook_id>/pause")
async def pause(webhook_id: str) -> Response:
    await check_form()
    async with _own(webhook_id) as (connection, *_):
        await endpoints.pause_webhook(connection, webhook_id)
    return redirect_to(_path(webhook_id))


@portals_desk.post("/<webhook_id>/remove")
async def remove(webhook_id: str) -> Response:
    """Report there no more. What stands there stays: it is the other side's."""
    await check_form()
    async with _own(webhook_id) as (connection, _staff, member, _found):
        await endpoints.delete_webhook(connection, webhook_id)
    return redirect_to(link("/webhooks/portals", MultiDict({"provider": member.provider})))


@asynccontextmanager
async def _own(
    webhook_id: str,
) -> AsyncIterator[tuple[PoolConnection, Staff, Membership, Link]]:
    """A link of a provider that the person is in charge of, in a transaction. Raises
    `Forbidden` for who is in charge of none, and `UnknownWebhook` also for those of others."""
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        mine = {m.provider: m for m in await in_charge_of(connection, found)}
        stored = await links.select_link(connection, webhook_id)
        member = mine.get(stored.webhook.provider or "")
        if member is None:
            raise UnknownWebhook("There is no webhook with that id. The list shows all.")
        yield connection, found.staff, member, stored


@portals_desk.errorhandler(Forbidden)
async def _not_in_charge(error: Forbidden) -> Response:
    _ = current_language().gettext
    return await message_page(
        403,
        _("You are not in charge of this"),
        _("Only an admin of the provider chooses where else is reported."),
        [(_("To your account"), link("/account"))],
    )


@portals_desk.errorhandler(UnknownWebhook)
async def _unknown(error: UnknownWebhook) -> Response:
    _ = current_language().gettext
    return await message_page(
        404,
        _("Nothing is reported there"),
        _("It was removed, or is not among yours."),
        [(_("To the list"), link("/webhooks/portals"))],
    )


def _seal() -> Seal:
    return Seal(state().settings.secret_key)


def _path(webhook_id: str) -> str:
    return link(f"/webhooks/portals/{webhook_id}")


async def _page(template: str, staff: Staff, status: int = 200, **values: Any) -> Response:
    return await page(template, status, is_private=True, is_admin=True, staff=staff, **values)
