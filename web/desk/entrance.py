"""The way in: which desks somebody works at."""

from __future__ import annotations

from quart import Blueprint, Response

from web.desk.access import desks_of
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
