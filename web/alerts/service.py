"""What serves alerts in one web process."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from quart import current_app

from providers.post import MailSender, sender_address
from vacancies.board import Board
from vacancies.deployment import Deployment
from vacancies.geocoding import Geocoder
from vacancies.outbound import Outbound
from web.alerts.letters import Writer
from web.alerts.matching import Matcher
from web.alerts.push import Pusher
from web.alerts.sealing import Seal
from web.alerts.telling import Teller


@dataclass(frozen=True)
class Alerts:
    seal: Seal
    pusher: Pusher
    matcher: Matcher
    teller: Teller


def open_alerts(
    deployment: Deployment, board: Board, geocoder: Geocoder, outbound: Outbound, mail: MailSender
) -> Alerts:
    settings, pool = deployment.settings, deployment.pool
    seal = Seal(settings.secret_key)
    _, contact = parseaddr(sender_address(settings))
    pusher = Pusher(outbound, seal, f"mailto:{contact}")
    matcher = Matcher(pool, board, geocoder, seal)
    teller = Teller(pool, seal, Writer(settings, seal), mail, pusher)
    return Alerts(seal, pusher, matcher, teller)


def alerts() -> Alerts:
    """Those of the app that serves the current request."""
    found: Alerts = current_app.extensions["alerts"]
    return found
