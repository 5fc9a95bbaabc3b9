"""Where exported homes come from: what every document says of itself."""

from __future__ import annotations

from typing import NamedTuple

from vacancies.config import Settings
from vacancies.licences import Licence
from vacancies.models import Listing
from web.home import home_path
from web.link_mail import public_address
from web.opendata.terms import terms_of
from web.state import state


class Source(NamedTuple):
    """`address` is that of this deployment, without a slash at the end."""

    address: str
    licence: Licence
    attribution: str

    def page_of(self, listing: Listing) -> str:
        """The address of the home's page."""
        return self.address + home_path(listing.id)


def source() -> Source:
    """Looked up once for a document, not for each of its homes."""
    return source_of(state().settings, is_demo=state().demo)


def source_of(settings: Settings, *, is_demo: bool) -> Source:
    terms = terms_of(settings, is_demo=is_demo)
    return Source(terms.base, terms.licence, terms.attribution)


def own_address() -> str:
    """The public address, under which exported things have their names. The `Host` of a request
    has no say in it: the same answer goes to all."""
    return public_address(state().settings)


def is_there(value: object) -> bool:
    """Whether a member is worth writing: 0 and false are."""
    return value is not None and value not in ("", [], {}, ())
