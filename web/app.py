"""The app of one web process: what it holds, how it starts and stops, how errors look."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

import structlog
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from providers.api import api as provider_api
from providers.auth import KeyRing
from providers.call_questions import ask_for_ever
from providers.federation.following import Following
from providers.leaving import leave_for_ever
from providers.limits import Limiter
from providers.portals.pulling import Puller
from providers.post import open_mail_sender, sender_address
from providers.reminder_scheduler import Scheduler, remind_for_ever
from vacancies.advice import AdviceOffices
from vacancies.audience import Audience
from vacancies.board import Board, Change
from vacancies.database import is_connection_error
from vacancies.deployment import Deployment
from vacancies.errors import FreiplatzError, Unavailable
from vacancies.feed import Follower, channel_name
from vacancies.geocoding import open_geocoder
from vacancies.looks import Looks
from vacancies.municipalities import Names
from vacancies.outbound import Outbound, outbound_of
from vacancies.rollups import roll_up_for_ever
from vacancies.servers import revive
from vacancies.sweeper import sweep_for_ever
from vacancies.tasks import stop_tasks
from vacancies.tracing import exporting
from web.account import account
from web.alerts.asking import alert_asking
from web.alerts.pages import alert_pages
from web.alerts.service import Alerts, open_alerts
from web.api import api as reader_api
from web.assets import init_assets
from web.barrier import barrier
from web.basemap import basemap
from web.changes import changes
from web.connections import Connections
from web.corrections import corrections, forget_for_ever
from web.desk import DESK_PAGES
from web.desk.inviter import Inviter
from web.door import Door
from web.embed import ancestors, embed, is_embedded
from web.farewell import Farewell
from web.feedback import feedback
from web.feedback_mail import open_asker
from web.figures import Figures
from web.finder import finder
from web.home import home_pages
from web.legal import legal
from web.letter import letter_pages
from web.live import LiveStreams
from web.looks import LookDoor
from web.looks import looks as look_files
from web.measuring import count_error, init_measuring
from web.metrics import PUSH_TO_VIEWER
from web.openapi import openapi
from web.opendata.archive_pages import archive
from web.opendata.archiving import Archiver
from web.opendata.pages import opendata
from web.opendata.terms import terms_of
from web.operations import operations
from web.pages import error_page, init_pages
from web.passkeys import passkeys
from web.people import people
from web.planning.pages import planning
from web.points import points
from web.portals.desk import portals_desk
from web.problems import Problem, problem_of, problem_response, retry_after, status_of
from web.reminder_mail import open_post
from web.report import report_pages
from web.report_files import report_files
from web.report_home import home_report_pages
from web.security_txt import security_txt
from web.shortlist import init_shortlist, shortlist
from web.signin import signin
from web.staff import init_staff
from web.standards.errors import error_in_standard
from web.standards.fhir import fhir
from web.standards.hsds import hsds
from web.standards.ngsi_ld import ngsi_ld
from web.standards.ngsi_ld_subscribing import subscribing
from web.state import State, state
from web.status_page import status_page
from web.trail import trail
from web.upload import upload
from web.webhooks.api import api as webhooks_api
from web.webhooks.deliverer import Deliverer
from web.webhooks.desk import desk as webhooks_desk
from web.webhooks.notes import Notes
from web.webhooks.tidying import tidy_for_ever

log = structlog.get_logger()

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 60  # a file of 2 MB over a slow telephone
REVIVE_SECONDS = 2.0
STANDARDS = (fhir, hsds, ngsi_ld, subscribing)
STAFF_PAGES = (
    *(signin, passkeys, account, people, trail, home_report_pages, upload),
    *(webhooks_desk, portals_desk),
)


def create_app(
    deployment: Deployment,
    figures: Figures | None = None,
    outbound: Outbound | None = None,
    connections: Connections | None = None,
) -> Quart:
    """The app that serves `deployment`, which must stay open as long; `figures` are those of
    all processes that serve it on one port, `outbound` calls webhooks, `connections` are those of
    the server before it."""
    settings = deployment.settings
    app = Quart(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["BODY_TIMEOUT"] = BODY_SECONDS
    app.json.sort_keys = False  # type: ignore[attr-defined]
    figures = figures or Figures()
    board = Board()
    audience = Audience(board)
    geocoder = open_geocoder(settings.geocoder)
    limiter = Limiter(deployment.redis, lambda: board.epoch, settings.secret_key)
    rest = Farewell(app.asgi_app)  # type: ignore[arg-type]
    live = LiveStreams(rest, board, audience, geocoder, settings)
    live.delivery.observe = partial(figures.observe, PUSH_TO_VIEWER)
    door = Door(live, limiter, settings)
    looks = Looks(deployment.pool)
    outbound = outbound or outbound_of(settings)
    webhooks = Deliverer(deployment.pool, board, outbound, geocoder, settings)
    mail = open_mail_sender(settings)
    alerts = open_alerts(deployment, board, geocoder, outbound, mail)
    inviter = Inviter(deployment.pool, mail, settings)
    app.extensions.update(
        alerts=alerts,
        deployment=deployment,
        keys=KeyRing(deployment.pool),
        live=live,
        limiter=limiter,
        geocoder=geocoder,
        inviter=inviter,
        status_of=status_of,
        outbound=outbound,
        webhooks=webhooks,
        mail=mail,
    )
    for blueprint in (
        provider_api,
        webhooks_api,
        reader_api,
        points,
        openapi,
        changes,
        operations,
        finder,
        basemap,
        home_pages,
        corrections,
        legal,
        status_page,
        security_txt,
        opendata,
        archive,
        barrier,
        shortlist,
        feedback,
        embed,
        look_files,
        alert_asking,
        alert_pages,
        report_pages,
        report_files,
        letter_pages,
        *STANDARDS,
        *STAFF_PAGES,
        *DESK_PAGES,
        planning,
    ):
        app.register_blueprint(blueprint)
    init_measuring(app, figures)
    app.asgi_app = LookDoor(door, looks, app.url_map, settings.public_url)  # type: ignore[assignment]
    app.before_request(_raise_refusal)
    init_shortlist(app)
    init_pages(app)
    init_staff(app)
    init_assets(app)
    app.register_error_handler(Exception, _handle_error)
    app.after_request(_secure)

    @app.while_serving
    async def lifespan() -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(exporting(settings.traces_url))
            follower = await _follow(stack, deployment, board, live, webhooks, alerts)
            live.delivery.start()
            stack.push_async_callback(live.close)
            app.extensions["state"] = State(
                settings,
                deployment,
                board,
                audience,
                follower,
                geocoder,
                live,
                figures,
                await deployment.is_demo(),
                AdviceOffices(deployment.pool),
                Names(deployment.pool),
                looks,
                limiter,
                door,
                Connections() if connections is None else connections,
            )
            stack.push_async_callback(limiter.aclose)
            await stack.enter_async_context(outbound)
            archiver = Archiver(
                deployment.pool,
                board,
                follower,
                terms_of(settings, is_demo=state().demo),
                settings.open_data.archive_years,
            )
            background = [
                state().lasting.run_for_ever(deployment.pool),
                asyncio.to_thread(geocoder.prepare),
                sweep_for_ever(deployment.pool, deployment.writer),
                Following(deployment.pool, deployment.writer, outbound).run_for_ever(),
                roll_up_for_ever(deployment.pool),
                state().unmet.run_for_ever(deployment.pool, board),
                webhooks.run_for_ever(),
                Puller(deployment.pool, deployment.writer, outbound).run_for_ever(),
                forget_for_ever(deployment.pool),
                alerts.matcher.run_for_ever(),
                alerts.teller.run_for_ever(),
                tidy_for_ever(deployment.pool, _notes(deployment)),
                archiver.run_for_ever(),
                remind_for_ever(Scheduler(deployment.pool, open_post(settings))),
                inviter.run_for_ever(),
                leave_for_ever(deployment.pool, deployment.writer),
                ask_for_ever(open_asker(settings, deployment.pool)),
            ]
            if deployment.servers is not None:
                background.append(_keep_servers(deployment))
            for work in background:
                run_in_background(stack, work)
            stack.push_async_callback(geocoder.aclose)
            yield

    return app


def _notes(deployment: Deployment) -> Notes:
    settings = deployment.settings
    return Notes(deployment.pool, open_mail_sender(settings), sender_address(settings))


async def _follow(
    stack: AsyncExitStack,
    deployment: Deployment,
    board: Board,
    live: LiveStreams,
    webhooks: Deliverer,
    alerts: Alerts,
) -> Follower:
    def pass_on(changes: Sequence[Change], age_seconds: float | None) -> None:
        live.delivery.on_changes(changes, age_seconds)
        webhooks.wake(changes)
        alerts.matcher.wake()

    def restart() -> None:
        deployment.doorbell.channel = channel_name(board.epoch)
        live.delivery.on_restart()
        webhooks.wake()
        alerts.matcher.wake()

    follower = Follower(
        deployment.following,
        deployment.redis,
        board,
        on_changes=pass_on,
        on_restart=restart,
    )
    await stack.enter_async_context(follower)
    # Our own commits are on the board before their callers have the answer.
    deployment.listeners.append(follower.receive)
    live.follower = follower
    return follower


def run_in_background(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Run `work` until the stack is closed."""
    task = asyncio.create_task(work)
    stack.push_async_callback(stop_tasks, [task])


async def _keep_servers(deployment: Deployment) -> None:
    """The data folder's own servers have no other supervisor than us."""
    assert deployment.servers is not None
    while True:
        await asyncio.sleep(REVIVE_SECONDS)
        try:
            await asyncio.to_thread(revive, deployment.servers)
        except Exception:
            log.exception("a server of the data folder could not be started again")


async def _raise_refusal() -> None:
    """What the door has not let in is told like any other error, in a page or in a standard."""
    refused: FreiplatzError | None = request.scope.get("refused")  # type: ignore[assignment]
    if refused is not None:
        raise refused


async def _handle_error(error: Exception) -> Response:
    """Problems for the API, pages for people."""
    if isinstance(error, FreiplatzError):
        problem = problem_of(error)
    elif isinstance(error, HTTPException):
        problem = _http_problem(error)
    elif is_connection_error(error):
        log.warning("the database does not answer", route=_route(), error=type(error).__name__)
        problem = problem_of(Unavailable("The database does not answer. Try again soon."))
    else:
        where = "".join(traceback.format_tb(error.__traceback__)[-5:])
        log.error("unexpected error", route=_route(), error=type(error).__name__, where=where)
        problem = Problem(
            title="Internal Server Error",
            status=500,
            code="internal_error",
            detail="Something went wrong on our side. Nothing was changed; try again.",
        )
    count_error(state().figures, problem.code)
    response = error_in_standard(request.path, problem)
    if response is None and (request.path.startswith("/api/") or not _is_for_a_person()):
        body, status, headers = problem_response(problem)
        response = Response(body, status=status, headers=headers)
    if response is not None:
        if isinstance(error, HTTPException) and problem.status == 405:
            allow = dict(error.get_headers()).get("Allow")
            if allow:
                response.headers["Allow"] = allow
        return response
    page = await error_page(problem.status)
    if wait := retry_after(problem):
        page.headers["Retry-After"] = wait
    return page


def _route() -> str:
    """The pattern of the address, for logs: the address of a one-tap link is a secret."""
    return str(request.url_rule)


def _is_for_a_person() -> bool:
    """Whether a browser shows the answer as a page: forms ask for one by name."""
    return request.method in ("GET", "HEAD") or "text/html" in request.headers.get("Accept", "")


def _http_problem(error: HTTPException) -> Problem:
    """Errors that Quart raises by itself: no such path, method, or too large a body."""
    status = error.code or 500
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 408: "timeout"}
    return Problem(
        title=error.name,
        status=status,
        code=codes.get(status, "bad_request" if status < 500 else "internal_error"),
        detail=f"{error.description} See /api/v1/docs.",
    )


async def _secure(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    if response.status_code == 308:
        _stay_here(response)
    if response.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", _content_security_policy())
        place = "" if is_embedded() else "self"
        headers.setdefault("Permissions-Policy", f"geolocation=({place}), camera=(), microphone=()")
        if is_embedded():
            headers["X-Robots-Tag"] = "noindex"  # the finder itself is to be found
        else:
            headers["X-Frame-Options"] = "DENY"  # for what knows no frame-ancestors
    return response


def _stay_here(response: Response) -> None:
    """Werkzeug sends an address with a slash too few or too many on to the right one, and takes
    scheme and host from the request: behind a proxy with TLS that is plain http, and the `Host` is
    what its sender wants it to be. The path alone will do (RFC 9110, section 10.2.2)."""
    parts = urlsplit(response.headers["Location"])
    path = "/" + parts.path.lstrip("/\\")
    response.headers["Location"] = f"{path}?{parts.query}" if parts.query else path
    response.set_data(b"")


def _content_security_policy() -> str:
    """Everything from here, nothing inline; images also from the operator's tile server. Only
    the finder's page for frames may be framed, and only by the sites of the operator's list."""
    images = "'self' data:"
    basemap = state().settings.basemap
    if basemap and basemap.file:
        images += " blob:"  # tiles that the client has cut out of the file
    elif basemap:
        parts = urlsplit(basemap.address)
        images += f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    return (
        f"default-src 'self'; img-src {images}; style-src 'self'; script-src 'self';"
        " object-src 'none'; base-uri 'none'; form-action 'self';"
        f" frame-ancestors {ancestors()}"
    )
