"""Making a webhook for a provider: the same for its programs (`api.py`) and its people
(`desk.py`)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from quart import current_app

from vacancies.database import borrowed
from vacancies.errors import InvalidInput, InvalidParameter
from vacancies.outbound import MAX_ADDRESS_LENGTH, Outbound
from web.state import state
from web.webhooks.deliverer import Deliverer
from web.webhooks.endpoints import WebhookWithSecret, insert_webhook
from web.webhooks.searches import MOST_LENGTH, normal_search
from web.webhooks.sending import utc_now

# ASCII: not every mail server takes more (SMTPUTF8).
EXAMPLE = "https://hooks.example.org/freiplatz"
EMAIL = r"^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+(?!\n)$"


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` holds parameters of a public search (`place=33330&care_form=day`); without it
    the webhook is told of the homes of the key's provider."""

    address: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS_LENGTH, examples=[EXAMPLE])]
    search: Annotated[str, Meta(max_length=MOST_LENGTH)] | None = None
    contact: Annotated[str, Meta(max_length=200, pattern=EMAIL)] | None = None


async def make_webhook(wish: NewWebhook, provider_id: int) -> WebhookWithSecret:
    """Raises `AddressRefused`, `TooManyWebhooks`, `InvalidInput` for the search, and what else a
    search raises."""
    address = str(outbound().check(wish.address))
    search = None
    if wish.search is not None:
        try:
            search = await normal_search(wish.search, state().geocoder)
        except InvalidParameter as error:
            # Here it is a value of the body, which has a status of its own.
            raise InvalidInput(error.detail, field="search") from error
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        made = await insert_webhook(
            connection,
            state().settings.secret_key,
            provider_id=provider_id,
            address=address,
            search=search,
            contact=wish.contact,
            now=utc_now(),
        )
    wake()
    return made


def outbound() -> Outbound:
    found: Outbound = current_app.extensions["outbound"]
    return found


def wake() -> None:
    """Deliver what is due now, instead of in a few seconds."""
    deliverer: Deliverer = current_app.extensions["webhooks"]
    deliverer.wake()
