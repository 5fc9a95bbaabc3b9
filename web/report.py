"""The report page: what a home has free, said in ten seconds by whoever holds a one-tap link, or
is signed in (`report_home.py`).

A GET changes nothing: scanners of mail open every link. What a link wants to say is filled in,
and one button says it. A client may send the same as JSON, with an `Idempotency-Key`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from quart import Blueprint, Response, g, request
from werkzeug.datastructures import MultiDict

from providers.decoding import decode
from providers.links import LinkExpired
from providers.post import open_mail_sender
from providers.report_form import Doubtful, PageReport, by_our_clock, commands_for, read_form
from providers.staff import claim_link_mail
from vacancies.batch import Settled
from vacancies.command import Command
from vacancies.commands import Undo
from vacancies.errors import (
    ChangedSince,
    FreiplatzError,
    InvalidInput,
    OutdatedReport,
    UnknownHome,
)
from vacancies.homes import select_homes
from vacancies.idempotency import Remembered
from vacancies.reports import select_told
from web.language import choose
from web.link_mail import link_mail
from web.origin import sign_in_origin
from web.pages import current_language, link, message_page, page
from web.report_answers import client_time, in_words, problem, remembered, taken
from web.report_page import UNDO_SECONDS, report_page
from web.reporter import Reporter, as_it_is_now, home_report_path, private, reporter_by_link
from web.staff import is_by_script, open_to_programs, sign_in_address
from web.state import state

report_pages = Blueprint("report", __name__, url_prefix="/report")

# The button is shown for a minute; who pressed it in time must not lose to a slow network.
_UNDO_LIMIT = timedelta(seconds=UNDO_SECONDS + 30)


@report_pages.get("/link/<token>")
async def show(token: str) -> Response:
    """The page of a link. `?short_term=2` fills in a count, `?unchanged=1` the last report."""
    try:
        reporter = await reporter_by_link(token)
    except FreiplatzError as error:
        return await _dead(error, token)
    return await report_page(reporter)


# These two change something, and their forms cannot name our pages as their origin: a page whose
# address must go nowhere (`no-referrer`) sends `Origin: null`. The proof is the signed token in the
# path: whoever has it needs no browser to borrow, and no cookie counts here.
@report_pages.post("/link/<token>")
@open_to_programs
async def send(token: str) -> Response:
    """Report, confirm or undo; a form is answered by a page, JSON by JSON."""
    try:
        reporter = await reporter_by_link(token)
    except FreiplatzError as error:
        return problem(error) if is_by_script() else await _dead(error, token)
    return await answer(reporter)


@report_pages.post("/link/<token>/renew")
@open_to_programs
async def renew(token: str) -> Response:
    """Send a new link to the address for which the old one was."""
    pool = state().deployment.pool
    try:
        await reporter_by_link(token)
    except LinkExpired as error:
        g.language = choose(request.args.get("lang") or error.membership.staff.language)
        _ = current_language().gettext
        if await claim_link_mail(pool, error.membership.id):
            (home,) = await select_homes(pool, [error.home_id])
            await open_mail_sender(state().settings).send(
                link_mail(state().settings, error.membership, home)
            )
        title, text = _("Look into your mail"), _("A new link is on its way, good for 48 hours.")
        return private(await message_page(200, title, text))
    except FreiplatzError as error:
        return await _dead(error, token)
    return _see(f"/report/link/{quote(token)}")


async def _dead(error: FreiplatzError, token: str) -> Response:
    """A link that opens nothing: why, and what to do next."""
    if isinstance(error, LinkExpired):
        g.language = choose(
            request.args.get("lang") or error.membership.staff.language, reporting=True
        )
        renew_address = f"/report/link/{quote(token)}/renew"
        sign_in = sign_in_address(home_report_path(error.home_id)) if sign_in_origin() else ""
        return private(await page("report_expired.html", 410, renew=renew_address, sign_in=sign_in))
    _ = current_language().gettext
    if isinstance(error, UnknownHome):
        title, text = _("This home is closed"), _("Nothing more can be reported for it.")
    else:
        title = _("This link does not work")
        text = _("It was revoked, or is not complete. Use the newest mail.")
    return private(await message_page(404, title, text, [(_("To the search"), link("/"))]))


async def answer(reporter: Reporter) -> Response:
    """Do what was sent, and say what became of it: by a page, or by JSON."""
    return await (_send_json(reporter) if is_by_script() else _send_form(reporter))


async def _send_json(reporter: Reporter) -> Response:
    content: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    try:
        report = by_our_clock(decode(content, PageReport), client_time())
        commands = commands_for(reporter.home, report, reporter.actor)
        settled = await _submit(commands, remembered(reporter, content))
    except FreiplatzError as error:
        return problem(error, (await as_it_is_now(reporter)).home)
    return taken(settled, state().audience)


async def _send_form(reporter: Reporter) -> Response:
    fields = (await request.form).to_dict()
    try:
        if fields.get("do") == "undo":
            outcomes = (await _submit([await _undo(reporter, fields.get("if_match", ""))])).outcomes
        else:
            report = read_form(reporter.home, fields)
            commands = commands_for(reporter.home, report, reporter.actor)
            outcomes = (await _submit(commands)).outcomes
    except (ChangedSince, OutdatedReport):
        _ = current_language().gettext
        why = _("Somebody else has reported in between. This is the new state. Is it right?")
        return await report_page(await as_it_is_now(reporter), 409, problem=why)
    except Doubtful as error:
        return await report_page(reporter, 422, question=in_words(error), typed=fields)
    except FreiplatzError as error:
        return await report_page(reporter, 422, problem=in_words(error), typed=fields)
    revision = outcomes[0].home.revision if outcomes[0].home else 0
    return _see(f"{link(reporter.address, MultiDict({'done': str(revision)}))}#done")


async def _submit(commands: Sequence[Command], call: Remembered | None = None) -> Settled:
    """Raises what the writer raises, and what the commands refuse."""
    settled = await state().deployment.writer.submit(commands, remembered=call)
    for outcome in settled.outcomes:
        if outcome.error is not None:
            raise outcome.error
    return settled


async def _undo(reporter: Reporter, if_match: str) -> Undo:
    """Back to what was said before the last report, if that was this person's, a minute ago."""
    told = await select_told(state().deployment.pool, reporter.home.id, 2)
    mine = bool(told) and told[0].staff_id == reporter.staff_id and told[0].kind != "undo"
    is_late = not mine or told[0].reported_at < datetime.now(UTC) - _UNDO_LIMIT
    if is_late or if_match != str(told[0].revision):
        # The page has words of its own for this (`report_answers.in_words`).
        raise InvalidInput("This can no longer be undone. Report the right state.", field="do")
    before = told[1] if len(told) > 1 else None
    return Undo(
        home_id=reporter.home.id,
        vacancies=before.vacancies if before else (),
        said_at=before.said_at if before else None,
        if_match=frozenset({reporter.home.revision}),
        actor=reporter.actor,
    )


def _see(address: str) -> Response:
    return private(Response("", status=303, headers={"Location": address}))
