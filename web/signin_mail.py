"""The mails with which people sign in, and are invited: short, plain, one link each."""

from __future__ import annotations

from email.message import EmailMessage
from urllib.parse import urlencode

from providers.post import make_mail
from providers.signin import INVITATION_LIVES, LINK_LIVES
from providers.staff import Staff
from web.language import DEFAULT, Language


def offer_address(origin: str, token: str, language: Language, back: str | None = None) -> str:
    """The address of the page that redeems `token`; `back` is where it leads then."""
    pairs = [("next", back)] if back else []
    if language.code != DEFAULT:
        pairs.append(("lang", language.code))
    return f"{origin}/signin/{token}" + (f"?{urlencode(pairs)}" if pairs else "")


def signin_mail(sender: str, staff: Staff, address: str, language: Language) -> EmailMessage:
    _ = language.gettext
    minutes = language.number(LINK_LIVES.total_seconds() // 60)
    lines = [
        greeting(staff.name, language),
        _("Open this link to sign in. Use the browser in which you asked for it:"),
        address,
        _("It is good for %(minutes)s minutes, and once.", minutes=minutes),
        _("You did not ask for it? Then you need not do anything. Pass it on to nobody."),
    ]
    return make_mail(sender, staff.email, _("Sign in to Freiplatz"), "\n\n".join(lines) + "\n")


def invitation_mail(
    sender: str, recipient: str, address: str, what: str, inviter: str, language: Language
) -> EmailMessage:
    """`what` is the home or the provider for which to report, `inviter` who asks, or nothing."""
    _ = language.gettext
    days = language.number(INVITATION_LIVES.days)
    asked = _("%(inviter)s asks you to report free care places.", inviter=inviter)
    lines = [
        greeting("", language),
        asked if inviter else _("You are asked to report free care places."),
        _("It is about: %(what)s.", what=what),
        _("Open this link to accept. You need no password:"),
        address,
        _("It is good for %(days)s days, and once.", days=days),
        _("You do not know what this is about? Then you need not do anything."),
    ]
    subject = _("Report free places: %(what)s", what=what)
    return make_mail(sender, recipient, subject, "\n\n".join(lines) + "\n")


def passkey_mail(
    sender: str, staff: Staff, device: str, account: str, language: Language
) -> EmailMessage:
    """That somebody has made a passkey, on that `device`; `account` is the address of the page on
    which it can be removed."""
    _ = language.gettext
    where = device or _("Unknown browser")
    lines = [
        greeting(staff.name, language),
        _(
            "It was made on: %(device)s. Whoever has that device unlocked can sign in as you.",
            device=where,
        ),
        _("That was not you? Remove it in your account, and sign out everywhere:"),
        account,
    ]
    subject = _("A passkey was made for your account")
    return make_mail(sender, staff.email, subject, "\n\n".join(lines) + "\n")


def greeting(name: str, language: Language) -> str:
    _ = language.gettext
    return _("Good day %(name)s,", name=name) if name else _("Good day,")
