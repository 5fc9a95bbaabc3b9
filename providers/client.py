"""A client for care software: push what is free, in three lines.

    from providers.client import Client
    client = Client("https://freiplatz.example", key)
    client.report("home-1", short_term=2)

This file stands alone: it needs Python 3.11 and nothing else, and may be copied.

Every write carries an `Idempotency-Key`, so it is sent again whenever no answer came: it has one
effect. It waits for as long as it tries; a program with other things to do calls it in a thread.
"""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
MOST_REPORTS = 1_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_BUSY = (429, 502, 503, 504)


class ClientError(Exception):
    """Anything that went wrong."""


class Unreachable(ClientError):
    """No answer, or none but "later", for as long as was tried. The report may or may not be
    stored: send it again with `idempotency_key=error.idempotency_key`."""

    def __init__(self, detail: str, idempotency_key: str) -> None:
        super().__init__(detail)
        self.idempotency_key = idempotency_key


class Refused(ClientError):
    """The server has refused the call, and nothing was changed. `code` is stable, `field` names
    the input at fault if there is one, `detail` says what to do."""

    def __init__(self, status: int, code: str, detail: str, field: str | None) -> None:
        super().__init__(f"{status} {code}: {detail}" + (f" ({field})" if field else ""))
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field


class KeyRejected(Refused):
    """401 or 403: the key opens nothing (any more), or is not for this home."""


class InvalidReport(Refused):
    """400 or 422: something in the report is wrong."""


class Conflict(Refused):
    """409 or 412: the home has another state than the report assumes, such as a newer report."""


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something in a report that was taken looks like a slip: show it to somebody."""

    code: str
    field: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The home as it is now. `listing` is the GeoJSON Feature; `etag` goes into `if_match`.

    `is_test`: the key is for trying out, and nothing was changed. `key_ends_at`: the key ends
    then; with `key_is_replaced` another one is there already.
    """

    home_id: str
    revision: int
    etag: str
    warnings: tuple[Warned, ...] = ()
    is_test: bool = False
    key_ends_at: datetime | None = None
    key_is_replaced: bool = False
    listing: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one report of many; `is_taken`, or `code` and `detail` say why not.
    `rows` are lines of the file, where one was sent."""

    home_id: str | None
    status: int
    revision: int | None = None
    code: str | None = None
    detail: str | None = None
    field: str | None = None
    warnings: tuple[Warned, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def is_taken(self) -> bool:
        return self.status == 200


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: Any


class Client:
    """Talks to one Freiplatz over one connection that is kept open; for one thread at a time.

    `timeout_seconds` is for a single try, `patience_seconds` for all tries of a call.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_seconds: float = 10.0,
        patience_seconds: float = 120.0,
    ) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address. Give one such as https://freiplatz.example.")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("The key must not travel in the clear. Use an https:// address.")
        if not key.startswith(("fp_", "fpt_")):
            raise ValueError("This is no key of Freiplatz: it begins with fp_ or fpt_.")
        self._parts = parts
        self._key = key
        self._timeout_seconds = timeout_seconds
        self._patience_seconds = patience_seconds
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def report(
        self,
        home_id: str,
        vacancies: Sequence[Mapping[str, Any]] | None = None,
        *,
        observed_at: datetime | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
        **free: int,
    ) -> Taken:
        """Replace all that the home said before: `report("h", short_term=2)` by care form, or
        `report("h", [{"care_form": "day", "count": 1, "available_from": "2026-12-24"}])`.
        `report("h", [])` means full.

        Raises `Refused` and its kinds, and `Unreachable`.
        """
        if vacancies is None and not free:
            raise ValueError("Say what is free, or [] if the home is full.")
        lines = [*(vacancies or ()), *({"care_form": f, "count": n} for f, n in free.items())]
        body = _report(lines, observed_at)
        path = f"/api/v1/homes/{quote(home_id, safe='')}/vacancies"
        return _taken(self._send("PUT", path, body, if_match, idempotency_key))

    def confirm(
        self, home_id: str, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Taken:
        """Still so: renew the freshness of the last report. Raises as `report` does."""
        path = f"/api/v1/homes/{quote(home_id, safe='')}/vacancies/confirm"
        return _taken(self._send("POST", path, None, if_match, idempotency_key))

    def report_many(
        self,
        reports: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        observed_at: datetime | None = None,
    ) -> list[Row]:
        """Report for many homes, `{home_id: vacancies}`, in calls of up to 1,000 homes; one
        result a home, in order. A refused home does not raise: look at `is_taken`."""
        homes = list(reports.items())
        rows: list[Row] = []
        for start in range(0, len(homes), MOST_REPORTS):
            body = {
                "reports": [
                    {"home_id": home_id, **_report(lines, observed_at)}
                    for home_id, lines in homes[start : start + MOST_REPORTS]
                ]
            }
            answer = self._send("POST", "/api/v1/reports", body)
            rows += [_row(result) for result in answer.body["results"]]
        return rows

    def report_file(self, content: bytes) -> list[Row]:
        """Send a CSV or XLSX file with reports; one result for each home in it."""
        is_zip = content.startswith(b"PK")
        sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        kind = sheet if is_zip else "text/csv"
        answer = self._send("POST", "/api/v1/reports", content, content_type=kind)
        return [_row(result) for result in answer.body["results"]]

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        if_match: str | None = None,
        idempotency_key: str | None = None,
        content_type: str = "application/json",
    ) -> _Answer:
        """Try until there is an answer that stands, always with the same `Idempotency-Key`."""
        name = idempotency_key or uuid.uuid4().hex
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": content_type,
            "Idempotency-Key": name,
            "User-Agent": "freiplatz-client/1",
        }
        if if_match is not None:
            headers["If-Match"] = if_match
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        ends = time.monotonic() + self._patience_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                answer = self._try(method, path, content, headers)
                if not _is_worth_another(answer):
                    return _checked(answer)
                trouble, wait = f"the server answered {answer.status}", _retry_after(answer)
            except ssl.SSLCertVerificationError as error:
                self.close()
                raise ClientError(f"This is not the server it should be: {error}.") from error
            except (OSError, http.client.HTTPException) as error:
                self.close()  # whatever comes on it still would be taken for the next answer
                trouble, wait = f"{type(error).__name__}: {error}", 0.0
            # Spread out: a server that comes back must not meet everybody at once.
            wait += random.uniform(0, pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            if time.monotonic() + wait > ends:
                raise Unreachable(f"No answer in time; last of all {trouble}.", name)
            time.sleep(wait)

    def _try(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> _Answer:
        if self._connection is None:
            self._connection = self._open()
        self._connection.request(method, self._parts.path + path, content, headers)
        with self._connection.getresponse() as response:
            raw = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None  # a page of a proxy on the way
        return _Answer(response.status, found, body)

    def _open(self) -> http.client.HTTPConnection:
        """A connection, through the proxy of the system if there is one."""
        host, port = str(self._parts.hostname), self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout_seconds)
        context = ssl.create_default_context()
        proxy = None if proxy_bypass(host) else getproxies().get("https")
        if proxy is None:
            return http.client.HTTPSConnection(
                host, port, timeout=self._timeout_seconds, context=context
            )
        way = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        connection = http.client.HTTPSConnection(
            str(way.hostname), way.port or 3128, timeout=self._timeout_seconds, context=context
        )
        connection.set_tunnel(host, port or 443)
        return connection


def _report(lines: Iterable[Mapping[str, Any]], observed_at: datetime | None) -> dict[str, Any]:
    if observed_at is None:
        return {"vacancies": [*lines]}
    if observed_at.tzinfo is None:
        raise ValueError("observed_at needs a time zone.")
    return {"vacancies": [*lines], "observed_at": observed_at.astimezone(UTC).isoformat()}


def _is_worth_another(answer: _Answer) -> bool:
    """Busy, going away or `outcome_unknown`; or a call before is still under way."""
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    return answer.status in _BUSY or code == "idempotency_key_in_flight"


def _retry_after(answer: _Answer) -> float:
    """Seconds that the server asks for (RFC 9110, section 10.2.3: seconds or a date)."""
    asked = answer.headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _checked(answer: _Answer) -> _Answer:
    status, body = answer.status, answer.body
    if status in (200, 201) and isinstance(body, dict):
        return answer
    kinds: dict[int, type[Refused]] = {
        **dict.fromkeys((401, 403), KeyRejected),
        **dict.fromkeys((400, 422), InvalidReport),
        **dict.fromkeys((409, 412), Conflict),
    }
    problem = body if isinstance(body, dict) else {}
    raise kinds.get(status, Refused)(
        status,
        str(problem.get("code", "unexpected")),
        str(problem.get("detail", "This is no answer of Freiplatz. Check the address.")),
        problem.get("field"),
    )


def _taken(answer: _Answer) -> Taken:
    body, headers = answer.body, answer.headers
    sunset = headers.get("sunset")
    return Taken(
        home_id=body["id"],
        revision=body["properties"]["revision"],
        etag=headers.get("etag", ""),
        warnings=_warnings(body),
        is_test=body.get("test", False),
        key_ends_at=parsedate_to_datetime(sunset) if sunset else None,
        key_is_replaced="deprecation" in headers,
        listing=body,
    )


def _row(result: Mapping[str, Any]) -> Row:
    return Row(
        home_id=result.get("home_id"),
        status=result["status"],
        revision=result.get("revision"),
        code=result.get("code"),
        detail=result.get("detail"),
        field=result.get("field"),
        warnings=_warnings(result),
        rows=tuple(result.get("rows", ())),
    )


def _warnings(body: Mapping[str, Any]) -> tuple[Warned, ...]:
    return tuple(
        Warned(code=found["code"], field=found["field"], detail=found["detail"])
        for found in body.get("warnings", ())
    )
