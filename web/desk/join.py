"""What is still missing until a municipality really takes part."""

from __future__ import annotations

from typing import Literal

import msgspec
from quart import Blueprint, Response

from providers.home_invitations import select_candidates
from web.desk.access import AtDesk, require_desk
from web.desk.pages import desk_page
from web.language import Language
from web.pages import current_language

join = Blueprint("desk_join", __name__)

State = Literal["done", "missing", "advised"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it is, how far it is in words, and the page of the desk that does it."""

    state: State
    title: str
    said: str
    path: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a municipality, counted."""

    has_boundary: bool
    admins: int
    homes: int
    unstaffed: int
    silent: int
    vague: int
    unreachable: int
    has_policy: bool


@join.get("/desk/<key>/join")
async def show(key: str) -> Response:
    at = await require_desk(key)
    steps = steps_of(await _standing(at), current_language())
    done = sum(step.state == "done" for step in steps)
    return await desk_page("desk_join.html", at, steps=steps, done=done)


async def _standing(at: AtDesk) -> Standing:
    async with at.reading() as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT boundary IS NOT NULL FROM municipality WHERE key = $1) AS has_boundary,"
            " (SELECT count(*) FROM municipality_member WHERE role = 'admin') AS admins,"
            " count(*) AS homes,"
            " count(*) FILTER (WHERE s.observed_at IS NULL) AS silent,"
            " count(*) FILTER (WHERE h.point_precision <> 'exact') AS vague,"
            " count(*) FILTER (WHERE h.phone IS NULL) AS unreachable,"
            " EXISTS (SELECT FROM reporting_policy WHERE municipality_email IS NOT NULL)"
            "   AS has_policy"
            " FROM care_home h JOIN home_state s ON s.home_id = h.id WHERE h.status = 'open'",
            at.key,
        )
        unstaffed = len(await select_candidates(connection, at.desk))
    return msgspec.convert({**(row or {}), "unstaffed": unstaffed}, Standing)


def steps_of(standing: Standing, language: Language) -> list[Step]:
    """The steps in the order in which they are best done."""
    _, ngettext = language.gettext, language.ngettext
    homes, unstaffed, silent = standing.homes, standing.unstaffed, standing.silent
    no_home = _("There is no home yet.")
    unbounded = _("Without it, only homes whose provider says so are yours.")
    unlisted = _("Send the list that you have: Excel, CSV, or from your map service.")
    alone = _("You are alone. Invite a second admin, for holidays and illness.")
    return [
        _step(
            _("Boundary"),
            "/boundary",
            "" if standing.has_boundary else unbounded,
            _("Homes are found by their position."),
        ),
        _step(
            _("People"),
            "/people",
            "" if standing.admins > 1 else alone,
            _("Several people can do everything."),
            otherwise="advised",
        ),
        _step(
            _("List of homes"),
            "/list",
            "" if homes else unlisted,
            ngettext("%(num)s home is known.", "%(num)s homes are known.", homes),
        ),
        _step(
            _("Invite homes"),
            "/invitations",
            ngettext(
                "For %(num)s home nobody can report yet.",
                "For %(num)s homes nobody can report yet.",
                unstaffed,
            )
            if unstaffed
            else ""
            if homes
            else no_home,
            _("Somebody can report for every home."),
        ),
        _step(
            _("First reports"),
            "",
            ngettext(
                "%(num)s home has never reported.", "%(num)s homes have never reported.", silent
            )
            if silent
            else ""
            if homes
            else no_home,
            _("Every home has reported."),
        ),
        *_advised(standing, language),
    ]


def _advised(standing: Standing, language: Language) -> list[Step]:
    """What it goes without, but better with."""
    _, ngettext = language.gettext, language.ngettext
    vague, unreachable = standing.vague, standing.unreachable
    return [
        _step(
            _("Addresses"),
            "",
            ngettext(
                "%(num)s home is shown by its postcode only.",
                "%(num)s homes are shown by their postcode only.",
                vague,
            )
            if vague
            else "",
            _("The position of every home is known."),
            otherwise="advised",
        ),
        _step(
            _("Telephone numbers"),
            "",
            ngettext(
                "%(num)s home has no telephone number.",
                "%(num)s homes have no telephone number.",
                unreachable,
            )
            if unreachable
            else "",
            _("Every home can be called."),
            otherwise="advised",
        ),
        _step(
            _("Who is told when a home stays silent"),
            "/settings",
            "" if standing.has_policy else _("Nobody in your office yet."),
            _("Your office gets a mail."),
            otherwise="advised",
        ),
    ]


def _step(title: str, path: str, missing: str, done: str, *, otherwise: State = "missing") -> Step:
    """It is done if nothing is `missing`."""
    return Step(
        state=otherwise if missing else "done", title=title, said=missing or done, path=path
    )
