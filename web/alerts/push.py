"""Web push (RFC 8030), encrypted for the browser (RFC 8291) and signed as ours (RFC 8292).

The address of a push service comes from a browser, so from a stranger: it is called by
`Outbound` alone, which reaches nothing inside of our own network.
"""

from __future__ import annotations

import base64
import time
from typing import Literal

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]

from vacancies.errors import InvalidInput
from vacancies.outbound import CallFailed, Outbound
from web.alerts.alerts import Subscription
from web.alerts.sealing import Seal

PushOutcome = Literal["sent", "failed", "gone"]

# How long a push service keeps a message for a device that is off.
TTL_SECONDS = 24 * 3600
_TOKEN_SECONDS = 12 * 3600  # RFC 8292 allows 24 hours
_MOST_BYTES = 3000  # services take 4096 with what encryption adds
_POINT_BYTES = 65
_AUTH_BYTES = 16


class Pusher:
    """`contact` is a mailto: or https: address, for the people who run push services."""

    def __init__(self, outbound: Outbound, seal: Seal, contact: str) -> None:
        self._outbound = outbound
        self._vapid = Vapid02(seal.signing_key())
        self._contact = contact

    @property
    def public_key(self) -> str:
        """By which a browser binds a subscription to us."""
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return _text(point)

    def check(self, subscription: Subscription) -> Subscription:
        """The same with its address in one spelling. Raises `AddressRefused` and
        `InvalidInput`."""
        endpoint = str(self._outbound.check(subscription.endpoint, field="endpoint"))
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(
                ec.SECP256R1(), _bytes(subscription.p256dh, _POINT_BYTES)
            )
            _bytes(subscription.auth, _AUTH_BYTES)
        except ValueError:
            raise InvalidInput("These keys are not those of a browser.", field="keys") from None
        return Subscription(endpoint=endpoint, p256dh=subscription.p256dh, auth=subscription.auth)

    async def push(self, subscription: Subscription, body: bytes, *, topic: str) -> PushOutcome:
        """Hand `body` to the push service. Of messages with the same `topic` (32 letters and
        digits) a device that was off gets the last. `gone`: the browser wants no more."""
        assert len(body) <= _MOST_BYTES, "too long for a push message"
        url = self._outbound.check(subscription.endpoint)
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Urgency": "normal",
            "Topic": topic,
            **self._vapid.sign(
                {
                    "aud": str(url.origin()),
                    "sub": self._contact,
                    "exp": int(time.time()) + _TOKEN_SECONDS,
                }
            ),
        }
        try:
            answer = await self._outbound.post(url, _encrypted(subscription, body), headers)
        except CallFailed:
            return "failed"
        if 200 <= answer.status < 300:
            return "sent"
        return "gone" if answer.status in (404, 410) else "failed"


def _encrypted(subscription: Subscription, body: bytes) -> bytes:
    """With a key pair for this message alone."""
    encrypted: bytes = http_ece.encrypt(
        body,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_bytes(subscription.p256dh, _POINT_BYTES),
        auth_secret=_bytes(subscription.auth, _AUTH_BYTES),
        version="aes128gcm",
    )
    return encrypted


def _bytes(text: str, length: int) -> bytes:
    """Raises `ValueError`."""
    unpadded = text.rstrip("=")
    found = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), altchars=b"-_", validate=True)
    if len(found) != length:
        raise ValueError("not of that length")
    return found


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
