"""Reporting on a home's behalf, after a call. The history says that it came from the desk, and the
audit trail with whom somebody spoke."""

from __future__ import annotations

from collections.abc import Mapping

from quart import Blueprint, Response

from providers.desk_homes import DeskHome
from providers.desks import insert_act
from providers.report_form import (
    Doubtful,
    commands_for,
    read_form,
    rows_of,
    typed_profile,
    typed_rows,
)
from vacancies.errors import ChangedSince, FreiplatzError, OutdatedReport
from vacancies.models import HomeStatus
from web import words
from web.desk.access import AtDesk, require_desk
from web.desk.acts import own_home
from web.desk.home import find_home, home_response, to_home
from web.desk.homes import home_page
from web.desk.pages import desk_page
from web.open_form import visible_text
from web.pages import current_language
from web.report_answers import in_words
from web.report_words import summary
from web.staff import redirect_to
from web.state import state

phone_report = Blueprint("desk_phone_report", __name__)

_MOST_LETTERS = 100
_PATH = "/desk/<key>/homes/<home_id>/report"


@phone_report.get(_PATH)
async def ask(key: str, home_id: str) -> Response:
    """The form, filled in with the last report."""
    at = await require_desk(key)
    found = await find_home(at, home_id, to_change=True)
    if found.home.profile.status is not HomeStatus.OPEN:
        return await home_response(at, found, 409, wrong=_closed())
    return await _page(at, found)


@phone_report.post(_PATH)
async def send(key: str, home_id: str) -> Response:
    """Report or confirm what was said."""
    at, found, form = await own_home(key, home_id)
    if found.home.profile.status is not HomeStatus.OPEN:
        return await home_response(at, found, 409, wrong=_closed())
    _ = current_language().gettext
    who = visible_text(form.get("who", ""))
    if not 0 < len(who) <= _MOST_LETTERS:
        wrong = _("Please say with whom you spoke.")
        return await _page(at, found, 422, problem=wrong, typed=form, is_who_wrong=True)
    try:
        commands = commands_for(found.home, read_form(found.home, form), at.actor)
        settled = await state().deployment.writer.submit(commands)
        for outcome in settled.outcomes:
            if outcome.error is not None:
                raise outcome.error
    except (ChangedSince, OutdatedReport):
        why = _("Somebody else has reported in between. This is the new state. Is it right?")
        now = await find_home(at, home_id, to_change=True)
        return await _page(at, now, 409, problem=why, typed={"who": who}, is_new=True)
    except Doubtful as error:
        return await _page(at, found, 422, question=in_words(error), typed=form)
    except FreiplatzError as error:
        return await _page(at, found, 422, problem=in_words(error), typed=form)
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "home_reported", home_id, who=who)
    return redirect_to(to_home(at, home_id))


def _closed() -> str:
    return current_language().gettext("This home is closed already.")


async def _page(
    at: AtDesk,
    found: DeskHome,
    status: int = 200,
    *,
    problem: str = "",
    question: str = "",
    typed: Mapping[str, str] | None = None,
    is_who_wrong: bool = False,
    is_new: bool = False,
) -> Response:
    home = found.home
    typed = typed or {}
    was_typed = bool(typed) and not is_new
    rows = typed_rows(home, typed) if was_typed else rows_of(home)
    return await desk_page(
        "desk_report.html",
        at,
        status,
        home=home,
        base=home_page(at.key, home.id),
        rows=[row for row in rows if not row.is_more],
        more_rows=[row for row in rows if row.is_more],
        profile=typed_profile(home.profile, typed) if was_typed else home.profile,
        summary=summary(rows, current_language()),
        can_confirm=home.observed_at is not None and not was_typed,
        problem=problem,
        question=question,
        who=typed.get("who", ""),
        is_who_wrong=is_who_wrong,
        forms=words.CARE_FORMS,
        sexes=words.SEXES,
        rooms=words.ROOMS,
        stops=words.STOP_REASONS,
    )
