"""What the routes of one web process share."""

from __future__ import annotations

from dataclasses import dataclass, field

from quart import current_app

from providers.limits import Limiter
from vacancies.advice import AdviceOffices
from vacancies.audience import Audience
from vacancies.board import Board
from vacancies.config import Settings
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from vacancies.geocoding import Geocoder
from vacancies.lasting_fit import Lasting
from vacancies.looks import Looks
from vacancies.municipalities import Names
from vacancies.unmet import Unmet
from web.connections import Connections
from web.door import Door
from web.figures import Figures
from web.live import LiveStreams
from web.opendata.served import Exports
from web.status import Status


@dataclass
class State:
    settings: Settings
    deployment: Deployment
    board: Board
    audience: Audience
    follower: Follower
    geocoder: Geocoder
    live: LiveStreams
    figures: Figures
    demo: bool
    advice: AdviceOffices
    municipalities: Names
    looks: Looks
    limiter: Limiter
    door: Door
    connections: Connections
    lasting: Lasting = field(default_factory=Lasting)
    unmet: Unmet = field(default_factory=Unmet)
    exports: Exports = field(default_factory=Exports)
    status: Status = field(default_factory=Status)


def state() -> State:
    """The state of the app that serves the current request."""
    found: State = current_app.extensions["state"]
    return found
