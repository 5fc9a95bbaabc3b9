"""The search of a webhook: the text of its parameters, read by the code of the public API."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from vacancies.errors import InvalidParameter
from vacancies.geocoding import Geocoder
from vacancies.search import Query
from web.parameters import SEARCH, check_names, parse_query

MOST_LENGTH = 2000


async def normal_search(text: str, geocoder: Geocoder) -> str:
    """`text` (`place=33330&care_form=day`, with or without a question mark) as it is stored:
    checked, without what is empty, and with a place as the coordinates that it has now.
    Deliveries then do not hang on a geocoder.

    Raises what a search would.
    """
    if len(text) > MOST_LENGTH:
        raise InvalidParameter("This is too long for a search.", field="search")
    try:
        pairs = parse_qsl(text.strip().removeprefix("?"), max_num_fields=50)
    except ValueError:
        raise InvalidParameter("The search has too many parameters.", field="search") from None
    args = MultiDict(pairs)
    check_names(args, SEARCH)
    query = await parse_query(args, geocoder)
    kept = [(name, value) for name, value in pairs if name not in ("near", "place")]
    near = [("near", f"{p.latitude:.6f},{p.longitude:.6f}") for p in query.centres]
    return urlencode([*near, *kept], safe=",")


async def read_search(search: str, geocoder: Geocoder) -> Query:
    """The query of a stored search; the geocoder is not asked."""
    return await parse_query(MultiDict(parse_qsl(search)), geocoder)
