"""The way in: which desks somebody works at."""

from __future__ import annotations

from quart import Blueprint, Response

from web.desk.access import AtDesk, desks_of, require_desk
from web.desk.pages import desk_page
from web.pages import current_language, link, message_page, page
from web.staff import redirect_to, require_staff

entrance = Blueprint("desk", __name__)


@entrance.get("/desk/")
async def choose() -> Response:
    """On to the only desk; else a list of them."""
    found = await require_staff()
    desks = await desks_of(found)
    if len(desks) == 1:
        return redirect_to(link(f"/desk/{desks[0].key}"))
    if not desks:
        _ = current_language().gettext
        return await message_page(
            403,
            _("You do not work at a desk"),
            _("Ask an admin of your municipality to invite you."),
            [(_("To your account"), link("/account"))],
        )
    return await page("desk_choice.html", is_private=True, staff=found.staff, desks=desks)


@entrance.get("/desk/<key>")
async def show(key: str) -> Response:
    """What this municipality has, and what waits for somebody."""
    at = await require_desk(key)
    return await desk_page("desk.html", at, counts=await _counts(at))


async def _counts(at: AtDesk) -> dict[str, int]:
    async with at.reading() as connection:
        row = await connection.fetchrow(
            "SELECT count(*) FILTER (WHERE h.status = 'open') AS homes,"
            " count(*) FILTER (WHERE h.status = 'open' AND greatest(s.observed_at, s.confirmed_at)"
            "   > now() - make_interval(hours => h.ageing_hours)) AS reporting,"
            " (SELECT count(*) FROM correction c WHERE c.done_at IS NULL) AS corrections"
            " FROM care_home h JOIN home_state s ON s.home_id = h.id"
        )
    assert row is not None
    return dict(row)
