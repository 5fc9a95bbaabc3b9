"""What every HTML page needs: language, links that keep it, and error pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from quart import Quart, Response, current_app, g, has_request_context, request
from werkzeug.datastructures import MultiDict

from web.embed import EMBED, accent, full_address, is_embedded
from web.language import DEFAULT, Language, choose, languages
from web.looks import current_look, in_look, is_own_host
from web.packing import accepted, pack, packed_response
from web.state import state

# Of a page with secrets: RFC 9111, section 5.2.2. Caddy and others pack what comes from here.
NO_TRACE = "no-store, no-transform"
# On these paths pages are in all languages that carers speak.
REPORTING_PAGES = ("/report/", "/signin", "/signout", "/account", "/letter")
# And these are for those who answer for homes, or write programs: not in Leichte Sprache.
DESK_PAGES = ("/desk", "/people", "/upload", "/webhooks", "/api/")
_TRAIL = "/trail"


def current_language() -> Language:
    """The language that the address asks for; German without a wish."""
    if not has_request_context():
        return choose(None)
    if "language" not in g:
        g.language = _chosen(request.args.get("lang"))
    language: Language = g.language
    return language


def prefer_language(code: str) -> None:
    """Answer this request in the language of the person who is signed in, unless its address
    asks for another."""
    if "lang" not in request.args:
        g.language = _chosen(code)


def _chosen(code: str | None) -> Language:
    """The language with that code, if the page of this request is in it."""
    path = request.path
    return choose(code, reporting=_is_reporting(path), desk=_is_desk(path))


def _is_reporting(path: str) -> bool:
    """Pages on which homes report, and the way there."""
    return path.startswith(REPORTING_PAGES)


def _is_desk(path: str) -> bool:
    return path.startswith(DESK_PAGES) or path.endswith(_TRAIL)


def link(path: str, args: MultiDict[str, str] | None = None) -> str:
    """An address of ours with these parameters, in the language of this page and in its look. A
    search that starts in a frame stays in it, with its colour."""
    pairs = [(key, value) for key, value in (args or MultiDict()).items(multi=True) if value]
    if path == "/" and is_embedded():
        path, pairs = EMBED, pairs + [("accent", accent())] * bool(accent())
    language = current_language()
    # German must be said too where a person may have chosen another language for good.
    said = has_request_context() and _is_reporting(path) and "lang" in request.args
    if language.code != DEFAULT or said:
        pairs.append(("lang", language.code))
    return in_look(f"{path}?{urlencode(pairs)}" if pairs else path)


def _in_other_language(code: str) -> str:
    """This very page in another language."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "lang" and v]
    if code != DEFAULT or _is_reporting(request.path):
        pairs.append(("lang", code))
    # What was asked for may be /%5Cevil.example: browsers take \ for /, and // for another host.
    path = "/" + quote(request.path.lstrip("/\\"))
    return in_look(f"{path}?{urlencode(pairs)}" if pairs else path)


def _languages_here() -> list[Language]:
    """Every language of this page."""
    path = request.path
    return list(languages(reporting=_is_reporting(path), desk=_is_desk(path)).values())


def _alternates() -> list[tuple[str, str]]:
    """For search engines: the languages of a page that everybody reads, each with the address of
    the page in it, in full as far as we know it."""
    if _is_reporting(request.path) or _is_desk(request.path):
        return []
    base = (state().settings.public_url or "").rstrip("/")
    return [(each.code, base + _in_other_language(each.code)) for each in _languages_here()]


def in_language(path: str, code: str) -> str:
    """A path of ours in the language with that code."""
    parts = urlsplit(path)
    pairs = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "lang"]
    if code != DEFAULT:
        pairs.append(("lang", code))
    return f"{parts.path}?{urlencode(pairs)}" if pairs else parts.path


async def page(
    template: str, status: int = 200, *, is_private: bool = False, **values: Any
) -> Response:
    """A rendered page as a response that no cache keeps: it is about now. A private one is for
    whoever asks alone; it holds secrets, so nobody may pack it, a proxy neither (see
    `packing.py`)."""
    found = current_app.jinja_env.get_template(template)
    html = found.render(language=current_language(), is_private=is_private, **values).encode()
    packed = {"gzip": pack(html)} if "gzip" in accepted() and not is_private else {}
    response = packed_response(html, packed, "text/html; charset=utf-8")
    response.status_code = status
    response.headers["Cache-Control"] = NO_TRACE if is_private else "no-cache"
    response.headers["Content-Language"] = current_language().code
    return response


async def message_page(
    status: int, title: str, text: str, steps: list[tuple[str, str]] | None = None
) -> Response:
    """A page that says one thing and offers next steps, as (label, address)."""
    return await page("message.html", status, title=title, text=text, steps=steps or [])


async def too_often_page(text: str, seconds: int, step: tuple[str, str]) -> Response:
    """For who must wait; `text` says for what and how long, `seconds` tells it to programs."""
    title = current_language().gettext("Please wait a little")
    response = await message_page(429, title, text, [step])
    response.headers["Retry-After"] = str(seconds)
    return response


async def error_page(status: int) -> Response:
    """The page for an error that no view has put into words itself."""
    _ = current_language().gettext
    home = [(_("To the search"), link("/"))]
    if status == 404:
        title, text = _("There is no such page"), _("The link is old or mistyped.")
    elif status == 429:
        title = _("Please wait a little")
        text = _("Very much was asked from your network. Try again in a few seconds.")
    elif status < 500:
        title, text = _("That did not work"), _("The address of this page is not complete.")
    elif status == 503:
        title = _("Please try again in a moment")
        text = _("Freiplatz cannot answer just now.")
    else:
        title, text = _("Something went wrong"), _("The fault is ours. Please try again.")
    return await message_page(status, title, text, home)


def init_pages(app: Quart) -> None:
    """Make `app` able to render the templates."""
    env = app.jinja_env
    # Quart would render with coroutines. No template of ours waits for anything, and a page
    # with 50 cards takes half as long again that way.
    env.is_async = False
    env.add_extension("jinja2.ext.i18n")
    env.trim_blocks = env.lstrip_blocks = True
    # The order of codes is the order in which they are shown, in the client too.
    env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: current_language().gettext(text),
        lambda one, other, num: current_language().translations.ungettext(one, other, num),
        newstyle=True,
    )
    env.globals.update(
        link=link,
        languages=_languages_here,
        in_other_language=_in_other_language,
        alternates=_alternates,
        is_demo=lambda: state().demo,
        is_reporting=lambda: _is_reporting(request.path),
        is_embedded=is_embedded,
        accent=accent,
        full_address=full_address,
        current_look=current_look,
        is_own_host=is_own_host,
    )
    # Now, and not while the first reader waits.
    languages()
    for name in env.list_templates(extensions=["html"]):
        env.get_template(name)
