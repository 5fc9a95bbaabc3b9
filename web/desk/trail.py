"""The audit trail of a desk: who has done what, and when."""

from __future__ import annotations

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.desks import Act, select_acts
from web.desk.access import require_desk
from web.desk.pages import desk_page
from web.language import Language
from web.numbers import whole_number
from web.pages import current_language, link
from web.words import N_

trail = Blueprint("desk_trail", __name__)

_PAGE = 50
# By the code of the act; what stands in its detail can be named.
ACTS = {
    "member_invited": N_("%(email)s invited to this desk"),
    "member_removed": N_("%(email)s removed from this desk"),
    "look_changed": N_("Look or texts of the pages changed"),
    "policy_changed": N_("Reports are fresh for %(fresh)s hours now, and count for %(ageing)s"),
    "listing_policy_changed": N_("Details are public from %(places)s places on"),
    "listing_policy_changed_approving": N_(
        "Details are public from %(places)s places on, and new homes wait for approval"
    ),
    "boundary_changed": N_("Boundary changed"),
    "list_taken": N_("List %(file)s taken over: %(taken)s new homes, %(changed)s changed"),
    "home_reported": N_("Reported after a call with %(who)s"),
    "home_reminded": N_("Reminded by hand, people: %(people)s"),
    "home_approved": N_("Home approved: everybody sees it"),
    "home_refused": N_("Home not approved: %(reason)s"),
    "home_frozen": N_("Reports frozen: %(reason)s"),
    "home_declined": N_("Noted that it does not take part: %(reason)s"),
    "home_normal": N_("Reports are shown again, the home takes part"),
    "home_closed": N_("Home closed: %(reason)s"),
    "home_reopened": N_("Home opened again"),
    "home_merged": N_("%(name)s merged into it"),
    "homes_differ": N_("Is not the same home as %(name)s"),
    "home_moved": N_("Position corrected, by %(metres)s m"),
    "home_corrected": N_("Name, address or contact corrected"),
    "correction_done": N_("Correction no. %(number)s dealt with"),
    "exported": N_("Everything downloaded (export)"),
    "left": N_("This municipality left, with its homes: %(homes)s"),
    "homes_invited": N_("Homes asked by mail to report: %(count)s"),
    "letters_printed": N_("Letters to homes printed: %(count)s"),
    "letter_revoked": N_("Letter revoked"),
    "home_invitation_withdrawn": N_("Invitation of %(email)s withdrawn"),
    "home_person_removed": N_("%(email)s reports no more"),
}


@trail.get("/desk/<key>/trail")
async def show(key: str) -> Response:
    at = await require_desk(key)
    before = whole_number(request.args.get("before", ""))
    async with at.reading() as connection:
        acts = await select_acts(connection, before, _PAGE + 1)
    language = current_language()
    path = f"/desk/{key}/trail"
    more = MultiDict({"before": str(acts[_PAGE - 1].id)}) if len(acts) > _PAGE else None
    return await desk_page(
        "desk_trail.html",
        at,
        acts=[(act, act_in_words(act, language)) for act in acts[:_PAGE]],
        next_address=link(path, more) if more else "",
        first_address=link(path) if before else "",
    )


def act_in_words(act: Act, language: Language) -> str:
    """What an act was. One that this page does not know yet is shown by its code."""
    known = ACTS.get(act.act)
    return language.gettext(known, **act.detail) if known else act.act
