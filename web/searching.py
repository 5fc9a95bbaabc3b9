"""Whether a request for the finder is a search that somebody makes, and has not made just now."""

from __future__ import annotations

import re

from quart import request

# How nearly all programs that walk the web call themselves; the rest is not told from people.
_PROGRAM = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|curl|wget|python|java/|go-http", re.IGNORECASE
)
_RELOAD = ("max-age=0", "no-cache")


def is_new_search_of_a_person() -> bool:
    """By what a browser says by itself: no cookie, and nothing is kept. A page that is loaded
    again ("reload"), the next page of a list, and one that a browser fetches beforehand are none;
    a person who asks the same again later counts again."""
    headers = request.headers
    return (
        request.method == "GET"
        and not request.args.get("after")
        and not any(word in headers.get("Cache-Control", "") for word in _RELOAD)
        and "prefetch" not in (headers.get("Sec-Purpose") or headers.get("Purpose") or "")
        and bool(agent := headers.get("User-Agent", ""))
        and not _PROGRAM.search(agent)
    )
