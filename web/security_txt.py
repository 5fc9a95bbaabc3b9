"""Where to report a weakness: `/.well-known/security.txt` (RFC 9116), as the operator sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from quart import Blueprint, Response

from vacancies.config import Settings
from web.state import state

security_txt = Blueprint("security_txt", __name__)

# Less than a year, as section 2.5.5 wants it. Counted from each request: it never lies in the past.
HOLDS = timedelta(days=90)
PATH = "/.well-known/security.txt"


@security_txt.get(PATH)
async def show() -> Response:
    """The file; 404 while the operator has told no address at all."""
    settings = state().settings
    address = settings.operator.security or settings.operator.email or settings.contact_email
    if not address:
        return Response("The operator has set no address for this.\n", 404, mimetype="text/plain")
    text = "".join(f"{line}\r\n" for line in _lines(settings, address, datetime.now(UTC)))
    return Response(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "public, max-age=86400"},
    )


def _lines(settings: Settings, address: str, now: datetime) -> list[str]:
    lines = [
        f"Contact: mailto:{quote(address, safe='@+')}",
        f"Expires: {(now + HOLDS).replace(microsecond=0).isoformat().replace('+00:00', 'Z')}",
        "Preferred-Languages: de, en",
    ]
    if settings.public_url:
        lines.append(f"Canonical: {settings.public_url.rstrip('/')}{PATH}")
    return lines
