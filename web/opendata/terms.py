"""What every file says of itself: licence, source, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import msgspec

from vacancies.config import Settings
from vacancies.licences import Licence
from web.link_mail import public_address

# In the place of the source, so that nobody takes invented homes for real ones.
DEMO = "Freiplatz, Vorführung: erfundene Heime"


@dataclass(frozen=True)
class Terms:
    """`base` is the public address, without a slash at the end; `attribution` whom to name;
    `email` where to ask; `contributor` the name at GovData. The last two may be empty."""

    licence: Licence
    attribution: str
    base: str
    publisher: str
    email: str = ""
    contributor: str = ""

    @cached_property
    def members(self) -> bytes:
        """The members `licence` and `attribution` of a JSON object, without its brackets."""
        said = {"licence": self.licence.text_url, "attribution": self.attribution}
        return msgspec.json.encode(said)[1:-1]


def terms_of(settings: Settings, *, is_demo: bool = False) -> Terms:
    base, chosen, operator = public_address(settings), settings.open_data, settings.operator
    source = DEMO if is_demo else chosen.attribution or operator.name or base
    return Terms(
        licence=chosen.licence,
        attribution=source,
        base=base,
        publisher=operator.name or source,
        email=operator.email or settings.contact_email or "",
        contributor=chosen.contributor,
    )
