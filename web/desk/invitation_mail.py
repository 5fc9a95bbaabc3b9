"""The mail with which somebody is invited to a desk."""

from __future__ import annotations

from email.message import EmailMessage

from providers.post import make_mail
from providers.signin import INVITATION_LIVES
from web.language import Language
from web.signin_mail import greeting


def invitation_mail(
    sender: str, recipient: str, address: str, municipality: str, inviter: str, language: Language
) -> EmailMessage:
    """`municipality` is the name of that to whose desk `inviter` (or nobody) asks."""
    _ = language.gettext
    days = language.number(INVITATION_LIVES.days)
    lines = [
        greeting("", language),
        _("You are asked to look after the care homes of %(name)s.", name=municipality),
        *([_("%(inviter)s asks you.", inviter=inviter)] if inviter else []),
        _("Open this link to accept. You need no password:"),
        address,
        _("It is good for %(days)s days, and once.", days=days),
        _("You do not know what this is about? Then you need not do anything."),
    ]
    subject = _("Care places: the desk of %(name)s", name=municipality)
    return make_mail(sender, recipient, subject, "\n\n".join(lines) + "\n")
