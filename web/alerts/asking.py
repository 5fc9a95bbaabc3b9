"""Asking for an alert: by mail, or on the device itself. No page of these sets a cookie."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.decoding import decode
from providers.signin import checked_email
from vacancies.errors import FreiplatzError, InvalidInput
from web.alerts.alerts import AskedTooOften, Contents, SearchTooWide, Subscription
from web.alerts.service import alerts
from web.alerts.wishes import (
    ASKING,
    ask,
    check_limit,
    kept_search,
    read_form,
    wanted_query,
    wishes_in_words,
)
from web.form import Form
from web.origin import require_our_page
from web.pages import current_language, link, message_page, page, too_often_page
from web.problems import problem_of, problem_response
from web.report_files import service_worker
from web.staff import open_to_programs, redirect_to

alert_asking = Blueprint("alert_asking", __name__, url_prefix="/alerts")


class NewPush(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client sends: the search as the page has it, and where the browser is reached."""

    search: str
    subscription: Subscription


@alert_asking.get("/new")
async def new() -> Response:
    """The form, for the search in the address."""
    return await _new(Form.read(request.args))


async def _new(form: Form, status: int = 200, **more: Any) -> Response:
    try:
        query = await wanted_query(form)
    except SearchTooWide:
        return await _too_wide(form)
    except FreiplatzError:
        # The finder says what is wrong with a search.
        return redirect_to(link("/", form.entered))
    return await page(
        "alert_new.html",
        status,
        form=form,
        search=urlencode(list(form.entered.items(multi=True))),
        wishes=await wishes_in_words(form, query, current_language()),
        client={"key": alerts().pusher.public_key, "path": link("/alerts/push")},
        **more,
    )


@alert_asking.post("/new")
@open_to_programs
async def send() -> Response:
    """Write to the address that was entered, so that its owner confirms. The answer is the same
    whether or not we know it."""
    fields: MultiDict[str, str] = await request.form
    require_our_page()
    form = read_form(fields.get("search", ""))
    try:
        email = checked_email(fields.get("email", ""))
    except InvalidInput:
        return await _new(form, 422, is_wrong=True, email=fields.get("email", "")[:254])
    try:
        query = await wanted_query(form)
        await check_limit()
    except SearchTooWide:
        return await _too_wide(form)
    except AskedTooOften:
        return await _too_often()
    except FreiplatzError:
        return redirect_to(link("/", form.entered))
    await ask(Contents(search=kept_search(query), email=email), current_language().code)
    _ = current_language().gettext
    return await message_page(
        200,
        _("Now look into your mail"),
        _("We have written to %(email)s. Confirm it there within 24 hours.", email=email)
        + " "
        + _("Nothing came? Look into the folder for unwanted mail."),
        [(_("Back to the search"), link("/", form.entered))],
    )


@alert_asking.post("/push")
@open_to_programs
async def push() -> Response:
    """The same for a browser that lets us notify it: what it shows first asks to confirm."""
    body: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    try:
        require_our_page()
        wish = decode(body, NewPush)
        subscription = alerts().pusher.check(wish.subscription)
        query = await wanted_query(read_form(wish.search))
        await check_limit()
    except FreiplatzError as error:
        content, status, headers = problem_response(problem_of(error))
        return Response(content, status=status, headers=headers)
    contents = Contents(search=kept_search(query), subscription=subscription)
    await ask(contents, current_language().code)
    return Response(b"", status=202, headers={"Cache-Control": "no-store"})


@alert_asking.get("/worker.js")
async def worker() -> Response:
    """The service worker that shows what is pushed: for these pages only."""
    return await service_worker("alert-worker.js")


async def _too_wide(form: Form) -> Response:
    _ = current_language().gettext
    return await message_page(
        422,
        _("So many homes fit already"),
        _("You need not wait for news. Or narrow your search, and come back."),
        [(_("Back to the search"), link("/", form.entered))],
    )


async def _too_often() -> Response:
    _ = current_language().gettext
    return await too_often_page(
        _("Too many messages were asked for from here. Try again in ten minutes."),
        ASKING.seconds,
        (_("To the search"), link("/")),
    )
