"""Asking for an alert: the search that is kept, and how often one may ask."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from msgspec.structs import replace
from werkzeug.datastructures import MultiDict

from providers.limits import Limit
from vacancies.database import borrowed
from vacancies.listings import local_date
from vacancies.search import Query
from web.alerts.alerts import AskedTooOften, Contents, SearchTooWide, insert_alert
from web.alerts.service import alerts
from web.centres import in_words, names_of
from web.choices import Choices
from web.form import Form, api_parameters
from web.language import Language
from web.origin import client_network
from web.parameters import parse_query
from web.state import state
from web.webhooks.sending import utc_now

MOST_SEARCH_CHARACTERS = 2000
# Where so many homes match already nobody waits for one more.
MOST_HOMES = 500
# A hospital has one address on the internet.
ASKING = Limit("alerts", most=20, seconds=600)


def read_form(search: str) -> Form:
    """The search form with what `search` says, which came back from a page."""
    try:
        pairs = parse_qsl(search[:MOST_SEARCH_CHARACTERS], max_num_fields=50)
    except ValueError:
        pairs = []
    return Form.read(MultiDict(pairs))


async def wanted_query(form: Form) -> Query:
    """The search to watch: full homes are never news. Raises what a search raises, and
    `SearchTooWide`."""
    geocoder = state().geocoder
    query = replace(await parse_query(await form.for_api(geocoder), geocoder), include_full=False)
    if len(state().board.match(query)[0]) > MOST_HOMES:
        raise SearchTooWide(f"More than {MOST_HOMES} homes match. Narrow the search.")
    return query


def kept_search(query: Query) -> str:
    """The parameters with which the stream would be asked for the same."""
    return urlencode(api_parameters(query), safe=",")


def form_of(search: str, place: str) -> Form:
    """The finder's form for a search that was kept, its first centre under the name `place`."""
    named = [("place", place), ("label", place)] if place else []
    return Form.read(MultiDict([*parse_qsl(search), *named]))


async def check_limit() -> None:
    """Raises `AskedTooOften`."""
    if not await state().limiter.allows(ASKING, client_network()):
        raise AskedTooOften("Too many alerts were asked for. Try again in ten minutes.")


async def ask(contents: Contents, language: str) -> None:
    """Note the wish, and let the reader be asked to confirm it. Says nothing of whether the
    address is known, or was asked too often."""
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        await insert_alert(connection, alerts().seal, contents, language, utc_now())
    alerts().matcher.wake()
    alerts().teller.wake()


async def wishes_in_words(form: Form, query: Query, language: Language) -> list[str]:
    """What is searched for in words, the place first."""
    _ = language.gettext
    place = in_words(names_of(form.entered), language) if query.centres else ""
    today, board = local_date(datetime.now(UTC)), state().board
    names = await state().municipalities.all()
    choices = Choices(form, board.facets(query), language, names).by_name(board)
    towns = {choice.value: choice.label for choice in choices["municipality"]}
    radius = language.distance(query.radius_km)
    where = _("%(place)s and %(radius)s around it", place=place, radius=radius) if place else ""
    return [
        where or _("the whole region"),
        *(c.label for c in form.chips(query, language, today, towns)),
    ]
