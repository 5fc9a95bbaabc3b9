"""What the report page shows: the home's rows, what was said last, and what can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from quart import Response, request
from werkzeug.datastructures import MultiDict

from providers.call_feedback import select_calls
from providers.report_form import rows_of, typed_profile, typed_rows
from vacancies.listings import local_date, public_listing
from vacancies.models import CareForm
from vacancies.reports import Told, select_told
from web import words
from web.numbers import whole_number
from web.pages import current_language, page
from web.report_client import client_start
from web.report_copies import copies_of
from web.report_words import summary, way_words
from web.reporter import Reporter, other_homes, private, unshared
from web.state import state

UNDO_SECONDS = 60


async def report_page(
    reporter: Reporter,
    status: int = 200,
    *,
    problem: str = "",
    question: str = "",
    typed: Mapping[str, str] | None = None,
    wanted: Mapping[CareForm, int] | None = None,
) -> Response:
    """The page of `reporter`'s home. `problem` says why what was sent is not stored, `question`
    asks whether it is right; it is filled in as it was `typed`. `wanted` fills in counts, as the
    address of a link can."""
    language, now, home = current_language(), datetime.now(UTC), reporter.home
    wanted = wanted or _wanted(request.args)
    told = await select_told(state().deployment.pool, home.id, 1)
    rows = rows_of(home, wanted) if typed is None else typed_rows(home, typed)
    homes = await other_homes(reporter)
    # "Unchanged" must not stand below numbers that are not the stored ones.
    can_confirm = home.observed_at is not None and not wanted and typed is None
    finish = unshared if reporter.is_signed_in else private
    return finish(
        await page(
            "report.html",
            status,
            is_private=reporter.is_signed_in,
            reporter=reporter,
            address=reporter.address,
            home=home,
            rows=[row for row in rows if not row.is_more],
            more_rows=[row for row in rows if row.is_more],
            profile=home.profile if typed is None else typed_profile(home.profile, typed),
            problem=problem,
            question=question,
            done=_done(reporter, told, now),
            last=_last(told, now),
            summary=summary(rows, language),
            can_confirm=can_confirm,
            asks_to_confirm=can_confirm and request.args.get("unchanged") == "1",
            homes=homes,
            copies=await copies_of(home),
            calls=await select_calls(state().deployment.pool, home.id),
            forms=words.CARE_FORMS,
            sexes=words.SEXES,
            rooms=words.ROOMS,
            stops=words.STOP_REASONS,
            today=local_date(now).isoformat(),
            client=client_start(
                reporter, rows, homes, UNDO_SECONDS, language, is_typed=typed is not None
            ),
        )
    )


def _wanted(args: MultiDict[str, str]) -> dict[CareForm, int]:
    """The counts that a link fills in; what is no count is passed over."""
    return {
        form: number
        for form in CareForm
        if (number := whole_number(args.get(form.value, ""), 4)) is not None
    }


def _last(told: Sequence[Told], now: datetime) -> dict[str, str]:
    """When the home was last reported, and by which way; empty if never."""
    if not told or told[0].said_at is None:
        return {}
    language = current_language()
    return {
        "at": told[0].said_at.isoformat(),
        "moment": language.moment(told[0].said_at),
        "age": language.age(told[0].said_at, now),
        "via": way_words(told[0].via, told[0].portal, language),
    }


def _done(reporter: Reporter, told: Sequence[Told], now: datetime) -> dict[str, Any] | None:
    """What stands above the form right after a report, while it can be undone."""
    if not told or request.args.get("done") != str(told[0].revision):
        return None
    seconds = UNDO_SECONDS - int((now - told[0].reported_at).total_seconds())
    can_undo = told[0].staff_id == reporter.staff_id and told[0].kind != "undo" and seconds > 0
    return {
        "revision": told[0].revision,
        "at": current_language().clock(told[0].reported_at),
        "is_undone": told[0].kind == "undo",
        # Just now, and on this server.
        "watching": state().audience.watching(public_listing(reporter.home)),
        "undo_seconds": seconds if can_undo else 0,
    }
