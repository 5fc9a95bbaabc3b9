"""The mail with one link to the report page, for whoever asked for a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

from providers.links import make_token
from providers.post import make_mail, sender_address
from providers.staff import Membership
from vacancies.config import Settings
from vacancies.models import CareHome
from web.language import choose


def link_mail(settings: Settings, member: Membership, home: CareHome) -> EmailMessage:
    """In the person's language."""
    _ = choose(member.staff.language, reporting=True).gettext
    token = make_token(settings.secret_key, member.id, home.id, datetime.now(UTC))
    address = link_address(settings, token)
    name = home.profile.name
    return make_mail(
        sender_address(settings),
        member.staff.email,
        _("Your link to report for %(name)s", name=name),
        "\n\n".join(
            [
                _("Here you report the free places of %(name)s:", name=name),
                address,
                _("The link is good for 48 hours. Whoever has it can report: keep it to yourself."),
                _("You did not ask for it? Then do nothing."),
            ]
        ),
    )


def link_address(settings: Settings, token: str) -> str:
    """Where the report page of a link is."""
    return f"{public_address(settings)}/report/link/{token}"


def public_address(settings: Settings) -> str:
    """Where people reach us, without a slash at the end."""
    return (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
