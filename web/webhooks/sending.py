"""One try at one event: signed, sent, and put down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec
from yarl import URL

from vacancies.outbound import AddressRefused, CallFailed, Outbound
from web.webhooks.deliveries import Delivery, Outcome
from web.webhooks.news import Message
from web.webhooks.schedule import read_retry_after

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sent(msgspec.Struct, frozen=True):
    """How a try went. `answer` is the body of it, for messages that read one."""

    delivery: Delivery
    retry_after: timedelta | None = None
    answer: bytes = b""

    @property
    def is_delivered(self) -> bool:
        return self.delivery.outcome == "delivered"

    @property
    def is_gone(self) -> bool:
        """The receiver wants nothing more (the specification's meaning of 410)."""
        return self.delivery.status == HTTPStatus.GONE


async def send(
    outbound: Outbound,
    address: str,
    keys: Sequence[str],
    event: Message,
    *,
    attempt: int = 1,
    clock: Clock = utc_now,
) -> Sent:
    """Send `event` to `address`; whatever happens is an outcome, not an error."""
    sent_at = clock()
    began = time.monotonic()
    status: int | None = None
    retry_after: str | None = None
    outcome: Outcome
    told = b""
    try:
        # Checked again: ports that are allowed, or our rules, may be others by now.
        url: URL = outbound.check(address)
        body = event.body(sent_at)
        headers = event.headers(keys, sent_at, body)
        answer = await outbound.post(url, body, headers, most_bytes=event.most_answer_bytes)
        status, retry_after, told = answer.status, answer.retry_after, answer.body
        is_taken = 200 <= status < 300 and event.is_answer(told)
        outcome = "delivered" if is_taken else "refused"
    except AddressRefused:
        outcome = "address"
    except CallFailed as error:
        outcome = error.trouble
    delivery = Delivery(
        message_id=event.message_id,
        event=event.type,
        home_id=event.home_id,
        revision=event.revision,
        attempt=attempt,
        sent_at=sent_at,
        duration_ms=round(1000 * (time.monotonic() - began)),
        outcome=outcome,
        status=status,
    )
    return Sent(delivery, read_retry_after(retry_after, sent_at), told)
