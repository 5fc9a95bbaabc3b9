"""Webhooks as pages: admins of a provider look after those of its homes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden

from providers.decoding import decode
from providers.staff import Staff
from vacancies.database import PoolConnection, borrowed
from vacancies.errors import FreiplatzError
from web.form import Form
from web.in_charge import address_for, chosen_of, in_charge_of
from web.pages import current_language, link, message_page, page
from web.problems import status_of
from web.staff import check_form, redirect_to, require_staff
from web.state import state
from web.webhooks import endpoints
from web.webhooks.deliveries import select_deliveries
from web.webhooks.endpoints import TestedJustNow, UnknownWebhook, Webhook, WebhookWithSecret
from web.webhooks.ping import send_test
from web.webhooks.sending import utc_now
from web.webhooks.wishes import NewWebhook, make_webhook, outbound, wake
from web.webhooks.words import delivery_words, fault_words, host_of, state_icon, state_words

desk = Blueprint("webhooks_desk", __name__, url_prefix="/webhooks")

_SHOWN = 50


@desk.get("")
async def show() -> Response:
    """All webhooks of the provider; whoever is in charge of several chooses."""
    return await _show()


async def _show(
    error: FreiplatzError | None = None, entered: Mapping[str, str] | None = None
) -> Response:
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        mine = await in_charge_of(connection, found)
        chosen = chosen_of(mine)
        webhooks = await endpoints.select_webhooks(connection, chosen.provider_id)
    language = current_language()
    return await _page(
        "webhooks.html",
        found.staff,
        200 if error is None else status_of(error),
        chosen=chosen,
        others=[m for m in mine if m is not chosen],
        webhooks=[_row(webhook) for webhook in webhooks],
        fault=fault_words(error, language) if error else None,
        entered=entered or {},
        address_of=address_for,
        most=endpoints.MOST_WEBHOOKS,
    )


@desk.post("/add")
async def add() -> Response:
    """Make a webhook; its secret is shown this once. What is wrong is said on the page."""
    form = await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        chosen = chosen_of(await in_charge_of(connection, found))
    entered = {name: form.get(name, "").strip() for name in ("address", "search", "contact")}
    wish = {name: text for name, text in entered.items() if text}
    try:
        if "search" in wish:
            wish["search"] = await _parameters(wish["search"])
        made = await make_webhook(decode(msgspec.json.encode(wish), NewWebhook), chosen.provider_id)
    except FreiplatzError as error:
        return await _show(error, entered)
    return await _secret(found.staff, made, is_new=True)


async def _parameters(text: str) -> str:
    """Of a search that was copied as an address of ours: its parameters as the API has them."""
    if "://" not in text:
        return text
    args = MultiDict(parse_qsl(urlsplit(text).query, max_num_fields=50))
    api = await Form.read(args).for_api(state().geocoder)
    return urlencode(list(api.items(multi=True)))


@desk.get("/<webhook_id>")
async def show_one(webhook_id: str) -> Response:
    """One webhook, what was sent lately, and what one can do; `?tested=` names the test whose
    outcome stands on top."""
    async with _own(webhook_id) as (_connection, staff, webhook):
        pass
    return await _show_one(staff, webhook)


async def _show_one(staff: Staff, webhook: Webhook, status: int = 200, wrong: str = "") -> Response:
    async with borrowed(state().deployment.pool) as connection:
        deliveries = await select_deliveries(connection, webhook.id, _SHOWN)
    language, board = current_language(), state().board
    tested = request.args.get("tested", "")
    return await _page(
        "webhook.html",
        staff,
        status,
        webhook=webhook,
        row=_row(webhook),
        wrong=wrong,
        tested=next(
            (delivery_words(d, board, language) for d in deliveries if d.message_id == tested), None
        ),
        deliveries=[delivery_words(delivery, board, language) for delivery in deliveries],
    )


@desk.post("/<webhook_id>/test")
async def test(webhook_id: str) -> Response:
    """Send a ping now, and say how it went."""
    await check_form()
    async with _own(webhook_id) as (connection, staff, webhook):
        try:
            await endpoints.claim_test(connection, webhook.id, utc_now())
        except TestedJustNow as error:
            refused: FreiplatzError | None = error
        else:
            refused = None
    if refused is not None:
        wrong = current_language().gettext("This was tested just now. Wait ten seconds.")
        return await _show_one(staff, webhook, status_of(refused), wrong)
    delivery = await send_test(state().deployment, outbound(), webhook)
    return _to(webhook, tested=delivery.message_id)


@desk.post("/<webhook_id>/pause")
async def pause(webhook_id: str) -> Response:
    await check_form()
    async with _own(webhook_id) as (connection, _staff, webhook):
        await endpoints.pause_webhook(connection, webhook.id)
    return _to(webhook)


@desk.post("/<webhook_id>/resume")
async def resume(webhook_id: str) -> Response:
    await check_form()
    async with _own(webhook_id) as (connection, _staff, webhook):
        await endpoints.resume_webhook(connection, webhook.id, utc_now())
    wake()
    return _to(webhook)


@desk.post("/<webhook_id>/secret")
async def rotate(webhook_id: str) -> Response:
    """A new secret, shown this once; the old one signs too for a day."""
    await check_form()
    async with _own(webhook_id) as (connection, staff, webhook):
        secret = await endpoints.rotate_secret(
            connection, webhook.id, state().settings.secret_key, utc_now()
        )
    return await _secret(staff, endpoints.with_secret(webhook, secret), is_new=False)


@desk.get("/<webhook_id>/remove")
async def ask_to_remove(webhook_id: str) -> Response:
    """Whether that is meant: it cannot be taken back."""
    async with _own(webhook_id) as (_connection, staff, webhook):
        pass
    return await _page("webhook_remove.html", staff, webhook=webhook, row=_row(webhook))


@desk.post("/<webhook_id>/remove")
async def remove(webhook_id: str) -> Response:
    await check_form()
    async with _own(webhook_id) as (connection, _staff, webhook):
        await endpoints.delete_webhook(connection, webhook.id)
    return redirect_to(link("/webhooks", MultiDict({"provider": webhook.provider or ""})))


@asynccontextmanager
async def _own(webhook_id: str) -> AsyncIterator[tuple[PoolConnection, Staff, Webhook]]:
    """A webhook of a provider that the person is in charge of, in a transaction. Raises
    `Forbidden` for who is in charge of none, and `UnknownWebhook` also for those of others."""
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        mine = {m.provider for m in await in_charge_of(connection, found)}
        webhook = await endpoints.select_webhook(connection, webhook_id)
        if webhook.provider not in mine:
            raise UnknownWebhook("There is no webhook with that id. The list shows all.")
        yield connection, found.staff, webhook


@desk.errorhandler(Forbidden)
async def _not_in_charge(error: Forbidden) -> Response:
    _ = current_language().gettext
    return await message_page(
        403,
        _("You are not in charge of this"),
        _("Only an admin of the provider chooses which programs are notified."),
        [(_("To your account"), link("/account"))],
    )


@desk.errorhandler(UnknownWebhook)
async def _unknown(error: UnknownWebhook) -> Response:
    _ = current_language().gettext
    return await message_page(
        404,
        _("This address is not notified"),
        _("It was removed, or is not among yours."),
        [(_("To the list"), link("/webhooks"))],
    )


def _row(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "host": host_of(webhook),
        "state": state_words(webhook, current_language()),
        "icon": state_icon(webhook),
        "mood": {"fresh": "well", "stale": "refused"}.get(state_icon(webhook), ""),
        "search": webhook.search,
    }


async def _secret(staff: Staff, made: WebhookWithSecret, *, is_new: bool) -> Response:
    return await _page("webhook_secret.html", staff, made=made, row=_row(made), is_new=is_new)


def _to(webhook: Webhook, **args: str) -> Response:
    return redirect_to(link(f"/webhooks/{webhook.id}", MultiDict(args)))


async def _page(template: str, staff: Staff, status: int = 200, **values: Any) -> Response:
    return await page(template, status, is_private=True, is_admin=True, staff=staff, **values)
