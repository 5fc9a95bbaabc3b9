"""Leaving: everything as one file, then the deletion. For admins of the desk."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import IO

import structlog
from quart import Blueprint, Response
from werkzeug.exceptions import Forbidden

from providers.desks import insert_act
from providers.leaving import (
    Departure,
    record_departure,
    record_export,
    select_departure,
    select_owned_homes,
)
from providers.municipality_export import write_export
from vacancies.deployment import Deployment
from vacancies.tasks import stop_tasks
from web.desk.access import AtDesk, require_desk
from web.desk.pages import desk_page
from web.pages import NO_TRACE, current_language, link, message_page
from web.staff import check_form, redirect_to
from web.state import state

leaving = Blueprint("desk_leave", __name__)

_PIECE = 256 * 1024
# Each holds a connection of the desks for minutes.
_MOST_AT_ONCE = 2
_running: set[str] = set()

log = structlog.get_logger()


@leaving.get("/desk/<key>/leave")
async def show(key: str) -> Response:
    return await _show(await require_desk(key, admin=True))


async def _show(at: AtDesk, status: int = 200, wrong: str = "") -> Response:
    departure, homes = await _standing(at)
    return await desk_page(
        "desk_leave.html", at, status, departure=departure, homes=homes, wrong=wrong
    )


async def _standing(at: AtDesk) -> tuple[Departure, int]:
    """How far it is, and how many homes are still there."""
    async with at.reading() as connection:
        departure = await select_departure(connection, at.key)
        homes = await select_owned_homes(connection, at.key, at.desk.parts)
        still = await connection.fetchval(
            "SELECT count(*) FROM care_home WHERE id = ANY($1) AND status = 'open'", homes
        )
    return departure, int(still)


@leaving.post("/desk/<key>/leave/export")
async def export(key: str) -> Response:
    """The ZIP, as it is being made. Once all of it was handed out, deleting is offered."""
    await check_form()
    at = await require_desk(key, admin=True)
    if key in _running or len(_running) >= _MOST_AT_ONCE:
        _ = current_language().gettext
        return await message_page(
            409,
            _("An export is being made already"),
            _("Wait until it has come, then try again."),
            [(_("To the desk"), link(f"/desk/{key}"))],
        )
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "exported")
    response = Response(_stream(state().deployment, key), mimetype="application/zip")
    response.timeout = None
    name = f"freiplatz-{key}-{datetime.now(UTC):%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = NO_TRACE
    return response


async def _stream(deployment: Deployment, key: str) -> AsyncIterator[bytes]:
    """Through a file: the database is read as fast as it gives, whoever reads slowly. What fails
    breaks the answer off, so that nobody takes a part for the whole."""
    folder = deployment.settings.data_dir
    # Again, with no await before: others may have begun since the page was asked for.
    if key in _running or len(_running) >= _MOST_AT_ONCE:
        raise ConnectionAbortedError("an export is being made already")
    _running.add(key)
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            growing = _Growing(file)
            task = asyncio.create_task(write_export(deployment.desks, key, growing))
            task.add_done_callback(lambda _: growing.news.set())
            try:
                async for piece in growing.pieces(task):
                    yield piece
                await task
            finally:
                await stop_tasks([task])
        await record_export(deployment.pool, key)
    except Exception as error:
        log.error("an export failed", municipality=key, error=type(error).__name__)
        # Not the error itself, which may hold rows: it is logged with its message.
        raise ConnectionAbortedError("the export is not whole") from None
    finally:
        _running.discard(key)


class _Growing:
    """A file that is read while it is being written, by another thread, and only ever grows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._size = 0
        self.news = asyncio.Event()

    def write(self, content: bytes) -> int:
        written = self._file.write(content)
        self._file.flush()
        self._size += written
        self._loop.call_soon_threadsafe(self.news.set)
        return written

    def flush(self) -> None:
        pass

    async def pieces(self, writing: asyncio.Task[object]) -> AsyncIterator[bytes]:
        """All of it, up to the end of `writing`."""
        sent = 0
        while True:
            self.news.clear()
            is_over = writing.done()
            while sent < self._size:
                size = min(_PIECE, self._size - sent)
                piece = await asyncio.to_thread(os.pread, self._file.fileno(), size, sent)
                sent += len(piece)
                yield piece
            if is_over:
                return
            await self.news.wait()


@leaving.post("/desk/<key>/leave/delete")
async def delete(key: str) -> Response:
    """From here on it is done in the background, and cannot be stopped."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    departure, _homes = await _standing(at)
    if not departure.has_export and departure.asked_at is None:
        raise Forbidden
    if " ".join(form.get("name", "").split()) != " ".join(at.desk.name.split()):
        _ = current_language().gettext
        return await _show(at, 422, _("That is not the name. Nothing was deleted."))
    await record_departure(state().deployment.pool, key, at.desk.staff_id)
    return redirect_to(link(f"/desk/{key}/leave"))


@leaving.errorhandler(Forbidden)
async def _not_now(error: Forbidden) -> Response:
    _ = current_language().gettext
    return await message_page(
        403,
        _("That cannot be done now"),
        _("Only admins of the desk can delete its data, and only after an export."),
        [(_("To the desk"), link("/desk/"))],
    )
