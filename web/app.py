"""The app of one web process: what it holds, how it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog
from quart import Quart

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
from vacancies.deployment import Deployment
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
from web.alerts.service import Alerts, open_alerts
from web.assets import init_assets
from web.connections import Connections
from web.corrections import forget_for_ever
from web.desk.inviter import Inviter
from web.door import Door
from web.farewell import Farewell
from web.faults import handle_error, raise_refusal
from web.feedback_mail import open_asker
from web.figures import Figures
from web.live import LiveStreams
from web.looks import LookDoor
from web.measuring import init_measuring
from web.metrics import PUSH_TO_VIEWER
from web.opendata.archiving import Archiver
from web.opendata.terms import terms_of
from web.pages import init_pages
from web.problems import status_of
from web.reminder_mail import open_post
from web.routes import BLUEPRINTS
from web.security_headers import secure
from web.shortlist import init_shortlist
from web.staff import init_staff
from web.state import State, state
from web.webhooks.deliverer import Deliverer
from web.webhooks.notes import Notes
from web.webhooks.tidying import tidy_for_ever

log = structlog.get_logger()

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 60  # a file of 2 MB over a slow telephone
REVIVE_SECONDS = 2.0


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
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    init_measuring(app, figures)
    app.asgi_app = LookDoor(door, looks, app.url_map, settings.public_url)  # type: ignore[assignment]
    app.before_request(raise_refusal)
    init_shortlist(app)
    init_pages(app)
    init_staff(app)
    init_assets(app)
    app.register_error_handler(Exception, handle_error)
    app.after_request(secure)

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
