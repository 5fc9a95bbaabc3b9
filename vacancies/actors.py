"""Who asks for a change, and which homes are theirs to change."""

from __future__ import annotations

from typing import Literal

import msgspec

from vacancies.errors import ForeignHome
from vacancies.models import CareHome

_NEIGHBOUR = "This home belongs to a neighbouring service. It is reported and changed there."
OTHER_HOME = "Your key is for another home of this provider."

Via = Literal["api", "link", "page", "import", "desk", "portal", "operator"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and by which way: a provider's key, a member of its staff, somebody at the desk of
    a `municipality`, or (all None) an operator of the deployment. With `home_id` it is that home
    only. A desk changes nothing in the municipalities within it that take part themselves
    (`but_not_in`). `portal` is the name of the portal from which a report was passed on."""

    provider_id: int | None = None
    home_id: str | None = None
    api_key_id: int | None = None
    staff_id: int | None = None
    municipality: str | None = None
    but_not_in: tuple[str, ...] = ()
    via: Via = "operator"
    portal: str | None = None


OPERATOR = Actor()


def check_owner(home: CareHome, actor: Actor) -> None:
    """Raise `ForeignHome` unless the home is the actor's to change."""
    if home.origin is not None:
        raise ForeignHome(_NEIGHBOUR)
    if actor.provider_id is not None and actor.provider_id != home.provider_id:
        raise ForeignHome("This home belongs to another provider than your key.")
    if actor.home_id is not None and actor.home_id != home.id:
        raise ForeignHome(OTHER_HOME)
    if actor.municipality is not None:
        check_desk(home.profile.municipality or "", actor)


def check_desk(municipality: str, actor: Actor) -> None:
    assert actor.municipality is not None
    if not municipality.startswith(actor.municipality) or municipality.startswith(actor.but_not_in):
        raise ForeignHome("This home belongs to another municipality than your desk.")
