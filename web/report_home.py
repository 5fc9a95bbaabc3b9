"""The report page of people who are signed in: the page that is behind a link, for their homes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from providers.sessions import FormRefused, NotSignedIn
from vacancies.errors import ForeignHome, FreiplatzError, UnknownHome
from vacancies.models import CareForm
from web.numbers import whole_number
from web.pages import current_language, link, message_page
from web.report import answer
from web.report_answers import problem
from web.report_page import report_page
from web.reporter import Reporter, home_report_path, reporter_signed_in, unshared
from web.staff import check_form, is_by_script, redirect_to, sign_in_address

home_report_pages = Blueprint("report_home", __name__, url_prefix="/report")

_MOST_DIGITS = 4
_FORMS = {form.value: form for form in CareForm}


@home_report_pages.get("/home/<home_id>")
async def show(home_id: str) -> Response:
    """The page of a home. `?short_term=2` fills in a count, `?unchanged=1` the last report."""
    try:
        return await report_page(await reporter_signed_in(home_id))
    except (ForeignHome, UnknownHome) as error:
        return await _closed(error)


@home_report_pages.post("/home/<home_id>")
async def send(home_id: str) -> Response:
    """Report, confirm or undo; a form is answered by a page, JSON by JSON. Who was signed out
    meanwhile finds the numbers again after signing in."""
    try:
        reporter = await reporter_signed_in(home_id)
        await check_form()
    except FreiplatzError as error:
        if is_by_script():
            return problem(error)
        if isinstance(error, NotSignedIn):
            counts = {form.value: count for form, count in (await _counts()).items()}
            back = f"{home_report_path(home_id)}?{urlencode(counts)}"
            return redirect_to(sign_in_address(back))
        if isinstance(error, FormRefused):
            return await _out_of_date(reporter)
        return await _closed(error)
    return await answer(reporter)


async def _counts() -> Mapping[CareForm, int]:
    """The numbers in the form that was sent, by care form; what is no count is passed over."""
    found: dict[CareForm, int] = {}
    for name, text in (await request.form).items():
        kind, _, row = name.partition(".")
        form = _FORMS.get(row.partition(".")[0]) if kind == "count" else None
        if form and (number := whole_number(text, _MOST_DIGITS)) is not None:
            found[form] = found.get(form, 0) + number
    return found


async def _out_of_date(reporter: Reporter) -> Response:
    """The form was made for an earlier session: the same numbers in a new one."""
    _ = current_language().gettext
    why = _("The page was out of date, nothing was stored. Please check the numbers and send them.")
    return await report_page(reporter, 403, problem=why, wanted=await _counts())


async def _closed(error: FreiplatzError) -> Response:
    """No page for this home: why, and the way on. The same for homes that do not exist."""
    _ = current_language().gettext
    if isinstance(error, UnknownHome):
        status, title = 404, _("This home is closed")
        text = _("Nothing more can be reported for it.")
    else:
        status, title = 403, _("You may not report for this home")
        text = _("Ask an admin of its provider to invite you.")
    steps = [(_("To your account"), link("/account"))]
    return unshared(await message_page(status, title, text, steps))
