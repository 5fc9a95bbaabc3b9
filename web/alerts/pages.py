"""The pages of alerts that a link in a message opens.

A link proves that its message was received; nobody signs in, and there is no cookie. Opening one
changes nothing: mail scanners open links too.
"""

from __future__ import annotations

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from vacancies.database import borrowed
from vacancies.errors import InvalidInput
from web.alerts.alerts import (
    Alert,
    AlertUnknown,
    delete_alerts,
    record_confirmed,
    record_hours,
    record_renewed,
    select_alert,
)
from web.alerts.hours import MOST_A_DAY_RANGE, Hours
from web.alerts.letters import place_of
from web.alerts.service import alerts
from web.alerts.wishes import form_of, wishes_in_words
from web.numbers import whole_number
from web.pages import NO_TRACE, current_language, link, message_page, page
from web.staff import open_to_programs, redirect_to
from web.state import state
from web.webhooks.searches import read_search
from web.webhooks.sending import utc_now

alert_pages = Blueprint("alerts", __name__, url_prefix="/alerts")


@alert_pages.get("/<token>")
async def show(token: str) -> Response:
    """What this alert is, and what can be done: confirm it first."""
    found = await _find(token)
    return await _show(token, found) if found else await _over()


async def _show(token: str, alert: Alert, *, wrong: bool = False) -> Response:
    search = alert.contents.search
    form = form_of(search, place_of(search))
    query = await read_search(search, state().geocoder)
    least, most = MOST_A_DAY_RANGE
    return _private(
        await page(
            "alert.html",
            422 if wrong else 200,
            is_private=True,
            alert=alert,
            address=lambda what: link(f"/alerts/{token}/{what}"),
            wishes=await wishes_in_words(form, query, current_language()),
            hours=range(24),
            counts=[(n, n) for n in range(least, most + 1)],
            clock=lambda minute: f"{minute // 60:02}:{minute % 60:02}",
            done=request.args.get("done", ""),
            wrong=wrong,
        )
    )


@alert_pages.get("/<token>/search")
async def search(token: str) -> Response:
    """On to the finder: what is searched for stands in no message."""
    if (found := await _find(token)) is None:
        return await _over()
    kept = found.contents.search
    response = redirect_to(link("/", form_of(kept, place_of(kept)).entered))
    return _private(response)


@alert_pages.post("/<token>/confirm")
@open_to_programs
async def confirm(token: str) -> Response:
    """From now on the reader is told."""
    if (found := await _find(token)) is None:
        return await _over()
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        await record_confirmed(connection, alerts().seal, found, utc_now())
    alerts().teller.wake()
    return _to(token, "confirmed")


@alert_pages.post("/<token>/renew")
@open_to_programs
async def renew(token: str) -> Response:
    if (found := await _find(token)) is None:
        return await _over()
    await record_renewed(state().deployment.pool, found.id, utc_now())
    return _to(token, "renewed")


@alert_pages.post("/<token>/hours")
@open_to_programs
async def hours(token: str) -> Response:
    """Quiet hours and messages a day."""
    if (found := await _find(token)) is None:
        return await _over()
    fields = await _fields()
    try:
        wanted = Hours(
            quiet_from_minute=_number(fields, "quiet_from"),
            quiet_until_minute=_number(fields, "quiet_until"),
            most_a_day=_number(fields, "most_a_day"),
        )
        await record_hours(state().deployment.pool, found.id, wanted, utc_now())
    except InvalidInput:
        return await _show(token, found, wrong=True)
    alerts().teller.wake()
    return _to(token, "changed")


@alert_pages.get("/<token>/stop")
async def ask_to_stop(token: str) -> Response:
    """One button: mail programs that know no other way open this."""
    if await _find(token) is None:
        return await _over()
    return _private(
        await page("alert_stop.html", is_private=True, action=link(f"/alerts/{token}/stop"))
    )


@alert_pages.post("/<token>/stop")
@open_to_programs
async def stop(token: str) -> Response:
    """End it. Mail programs press this by themselves (RFC 8058), notifications too."""
    if found := await _find(token):
        await delete_alerts(state().deployment.pool, [found.id])
    return await _over(200)


async def _find(token: str) -> Alert | None:
    try:
        return await select_alert(state().deployment.pool, alerts().seal, token, utc_now())
    except AlertUnknown:
        return None


async def _fields() -> MultiDict[str, str]:
    fields: MultiDict[str, str] = await request.form
    return fields


def _number(fields: MultiDict[str, str], name: str) -> int:
    number = whole_number(fields.get(name, ""), 4)
    if number is None:
        raise InvalidInput("Choose one of the values.", field=name)
    return number


def _to(token: str, done: str) -> Response:
    return _private(redirect_to(link(f"/alerts/{token}", MultiDict({"done": done}))))


def _private(response: Response) -> Response:
    """The address is a secret."""
    response.headers["Cache-Control"] = NO_TRACE
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _over(status: int = 404) -> Response:
    """The alert has ended, just now or before: the same words for both."""
    _ = current_language().gettext
    return _private(
        await message_page(
            status,
            _("This alert has ended"),
            _("We send nothing more, and have forgotten your address and your search."),
            [(_("To the search"), link("/"))],
        )
    )
