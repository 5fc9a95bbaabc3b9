"""The mail with which a municipality asks its homes to report."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage

from providers.post import make_mail
from providers.signin import INVITATION_LIVES
from web.language import DEFAULT, Language
from web.signin_mail import greeting

# Whoever reads the mail of a home may not read German.
_IN_ENGLISH = (
    "In English: {name} asks your home to report its free places. Open the link to accept;"
    " you need no password. The page is in several languages."
)


def home_mail(
    sender: str,
    recipient: str,
    municipality: str,
    homes: Sequence[tuple[str, str]],
    finder: str,
    language: Language,
) -> EmailMessage:
    """`homes` are the names of those to report for, each with the address of its link; `finder` is
    the address of the page on which everybody sees what is free."""
    _ = language.gettext
    shows = _("%(name)s shows which care homes have a free place: %(finder)s")
    days = language.number(INVITATION_LIVES.days)
    if len(homes) == 1:
        accept = _("Open this link to accept. You need no password:")
    else:
        accept = _("It is about several homes. Open each link to accept. You need no password:")
    lines = [
        greeting("", language),
        shows % {"name": municipality, "finder": finder},
        _("Families and hospitals look there before they call. Only you know what is free."),
        _("Reporting takes ten seconds a day, on any phone. It costs nothing."),
        accept,
        *(f"{name}\n{address}" for name, address in homes),
        _("It is good for %(days)s days, and once.", days=days),
        _("Somebody else in your home will report? Pass this mail on to that person."),
        *([_IN_ENGLISH.format(name=municipality)] if language.code == DEFAULT else []),
        _("You do not know what this is about? Then you need not do anything."),
    ]
    what = homes[0][0] if len(homes) == 1 else municipality
    subject = _("Report free places: %(what)s", what=what)
    return make_mail(sender, recipient, subject, "\n\n".join(lines) + "\n")
