"""Secrets and signatures, as the Standard Webhooks specification has them.

Secrets are not stored: each is derived from a random salt and the secret key of the
deployment. If that key is given by setting, a copy of the database alone signs nothing; else it
is in the database too. A hash would not do: whoever signs needs the secret itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SALT_BYTES = 32


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def make_secret(secret_key: str, salt: bytes) -> str:
    """The secret of a webhook as its owner gets it: `whsec_` and 32 bytes in base64."""
    key = hashlib.sha256(b"freiplatz webhook\0" + secret_key.encode()).digest()
    return PREFIX + base64.b64encode(hmac.digest(key, salt, "sha256")).decode()


def signed_headers(
    keys: Sequence[str], message_id: str, sent_at: datetime, body: bytes
) -> dict[str, str]:
    """The headers that prove `body`, with one signature for each secret."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "freiplatz-webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(key).sign(message_id, sent_at, body.decode()) for key in keys
        ),
    }
