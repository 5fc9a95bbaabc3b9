"""What alerts say, by mail and by push.

Never what somebody searches for: no care form, grade, sex, focus or need, and no name of a home,
since "Hospiz" says enough. The place comes from the gazetteer: nothing that a stranger has typed
goes out to an address that the same stranger has typed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache, lru_cache
from urllib.parse import parse_qsl

import msgspec
from jinja2 import Environment, PackageLoader, Template, select_autoescape

from providers.post import make_mail, sender_address
from vacancies.config import Settings
from vacancies.gazetteer import load_gazetteer
from vacancies.models import Point
from web.alerts.alerts import Contents
from web.alerts.claims import Claim, Kind
from web.alerts.sealing import Seal
from web.language import Language, choose
from web.link_mail import public_address
from web.pages import in_language


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What both parts of a mail say, and a push message the first of it. `ways` are links
    that stand below."""

    subject: str
    lead: str
    more: list[str]
    button: str
    address: str
    notes: list[str]
    ways: list[tuple[str, str]]


class PushAction(msgspec.Struct, frozen=True):
    """A button of a notification: pressing it posts to `path`."""

    action: str
    title: str
    path: str


class PushMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What the service worker reads (client/src/alert-worker.ts). A tap posts to `confirm`, if
    there is one, and opens `path`."""

    title: str
    body: str
    tag: str
    language: str
    direction: str
    path: str
    confirm: str | None
    actions: list[PushAction]


class Writer:
    """Writes for the deployment of `settings`. To load the gazetteer takes 0.2 s once: in a
    thread."""

    def __init__(self, settings: Settings, seal: Seal) -> None:
        self._url = public_address(settings)
        self._sender = sender_address(settings)
        self._seal = seal

    def mail(self, claim: Claim, kind: Kind, contents: Contents) -> EmailMessage:
        assert contents.email is not None
        language = choose(claim.language)
        content = self._content(claim, kind, contents, language)
        stop = f"{self._url}/alerts/{self._seal.token(claim.id)}/stop"
        message = make_mail(
            self._sender,
            contents.email,
            content.subject,
            "\n".join(_lines(content)),
            html=_template().render(language=language, content=content),
            # RFC 8058: mail programs show a button, and press it with one POST.
            headers={
                "List-Unsubscribe": f"<{stop}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        domain = self._sender.rpartition("@")[2].rstrip(">") or "localhost"
        message.replace_header("Message-ID", f"<{identity(claim)}@{domain}>")
        return message

    def push(self, claim: Claim, kind: Kind, contents: Contents) -> bytes:
        language = choose(claim.language)
        _ = language.gettext
        content = self._content(claim, kind, contents, language)
        path = f"/alerts/{self._seal.token(claim.id)}"
        stop = PushAction("stop", _("Stop"), f"{path}/stop")
        keep = PushAction("renew", _("Keep it on"), f"{path}/renew")
        return msgspec.json.encode(
            PushMessage(
                title=content.subject,
                body=content.lead,
                tag=identity(claim),
                language=language.code,
                direction=language.direction,
                path=content.address.removeprefix(self._url),
                confirm=f"{path}/confirm" if kind == "confirmation" else None,
                actions=[keep, stop] if kind == "renewal" else [stop],
            )
        )

    def _content(self, claim: Claim, kind: Kind, contents: Contents, language: Language) -> Content:
        ways = _Ways(self._url, self._seal.token(claim.id), language.code)
        if kind == "confirmation":
            return _confirmation(claim, ways, language)
        if kind == "renewal":
            return _renewal(claim, ways, language)
        return _news(claim, place_of(contents.search), ways, language)


class _Ways(msgspec.Struct, frozen=True):
    """Addresses of one alert, in its language."""

    url: str
    token: str
    language: str

    def to(self, what: str = "") -> str:
        return self.url + in_language(f"/alerts/{self.token}{what}", self.language)


def _confirmation(claim: Claim, ways: _Ways, language: Language) -> Content:
    _ = language.gettext
    by_mail = _("Somebody wants to be told at this address when there is news of a search.")
    by_push = _("Tap here, and we tell you on this device.")
    return Content(
        subject=_("Please confirm: news of your search"),
        lead=by_push if claim.channel == "push" else by_mail,
        more=[_("Was that you? Then open this page and confirm it:")],
        button=_("Confirm"),
        address=ways.to(),
        notes=[
            _("The link is good for 24 hours."),
            _("Was it not you? Then do nothing. We write no more, and forget the address."),
        ],
        ways=[],
    )


def _renewal(claim: Claim, ways: _Ways, language: Language) -> Content:
    _ = language.gettext
    until = language.moment(claim.expires_at)
    return Content(
        subject=_("Shall we go on telling you?"),
        lead=_("You get news of your search until %(moment)s.", moment=until),
        more=[_("Do you still need it? Then keep it on for 90 more days:")],
        button=_("Keep it on"),
        address=ways.to(),
        notes=[_("If you do nothing, it ends and we forget your address.")],
        ways=[(_("Stop now"), ways.to("/stop"))],
    )


def _news(claim: Claim, place: str, ways: _Ways, language: Language) -> Content:
    _ = language.gettext
    subject = _("News of your search in %(place)s", place=place) if place else ""
    return Content(
        subject=subject or _("News of your search"),
        lead=language.ngettext(
            "%(num)s home fits your search now.",
            "%(num)s homes fit your search now.",
            len(claim.homes),
        ),
        more=[_("Call soon: places go fast.")],
        button=_("Look at it"),
        address=ways.to("/search"),
        notes=[_("For your protection this message does not say what you are looking for.")],
        ways=[
            (_("Change when we write"), ways.to()),
            (_("Stop"), ways.to("/stop")),
        ],
    )


def _lines(content: Content) -> Iterator[str]:
    yield from (content.lead, "", *content.more, content.address, "", *content.notes, "")
    yield from (f"{label}: {address}" for label, address in content.ways)


def identity(claim: Claim) -> str:
    """Tells the same message from another, and nothing else: 32 letters and digits. Short, since
    a long Message-ID would be folded, which some mail servers cannot read."""
    return hashlib.sha256(claim.name.encode()).hexdigest()[:32]


def place_of(search: str) -> str:
    """The town that people would name for the first centre of a search; nothing without one."""
    near = next((value for name, value in parse_qsl(search) if name == "near"), "")
    latitude, comma, longitude = near.partition(",")
    return _town_at(float(latitude), float(longitude)) if comma else ""


@lru_cache(maxsize=1_000)
def _town_at(latitude: float, longitude: float) -> str:
    point, gazetteer = Point(latitude, longitude), load_gazetteer()
    return (gazetteer.town_at(point) or gazetteer.nearest_town(point)).name


@cache
def _template() -> Template:
    """Outside of any request. Its texts are translated already."""
    found = Environment(
        loader=PackageLoader("web"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return found.get_template("mail_alert.html")
