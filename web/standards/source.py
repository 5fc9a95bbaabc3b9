"""Where exported homes come from: what every document says of itself."""

from __future__ import annotations

from typing import NamedTuple

from vacancies.models import Listing
from web.home import home_path
from web.standards.addresses import public_address
from web.standards.licence import Licence, attribution, licence


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
    return Source(public_address(), licence(), attribution())


def is_there(value: object) -> bool:
    """Whether a member is worth writing: 0 and false are."""
    return value is not None and value not in ("", [], {}, ())
