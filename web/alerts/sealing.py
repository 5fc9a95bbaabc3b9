"""What only who has the secret key of the deployment can read or make: the contents of alerts
in the database, and the tokens in links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_SIGNATURE_BYTES = 16
_ID_BYTES = 8
# Of the curve P-256 (FIPS 186-5).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SealBroken(Exception):
    """What was sealed with another key, or for another alert."""


class Seal:
    """Keys for each purpose, derived from `secret_key`: nothing of them is stored. With another
    secret key all alerts are void."""

    def __init__(self, secret_key: str) -> None:
        self._secret = secret_key.encode()
        self._box = AESGCM(self._key(b"contents"))

    def _key(self, purpose: bytes) -> bytes:
        return hashlib.sha256(b"freiplatz alert " + purpose + b"\0" + self._secret).digest()

    def close(self, alert_id: str, content: bytes) -> bytes:
        """`content` for this alert only: it does not open as that of another."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, content, alert_id.encode())

    def open(self, alert_id: str, sealed: bytes) -> bytes:
        """Raises `SealBroken`."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._box.decrypt(nonce, body, alert_id.encode())
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def token(self, alert_id: str) -> str:
        """What stands in links to this alert: letters, digits, - and _."""
        body = bytes.fromhex(alert_id)
        return base64.urlsafe_b64encode(body + self._sign(body)).decode()

    def read_token(self, token: str) -> str | None:
        """The id of the alert; None for anything that was not made here."""
        try:
            packed = base64.b64decode(token, altchars=b"-_", validate=True)
        except ValueError:
            return None
        body, signature = packed[:_ID_BYTES], packed[_ID_BYTES:]
        return body.hex() if hmac.compare_digest(signature, self._sign(body)) else None

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key(b"token"), body, "sha256")[:_SIGNATURE_BYTES]

    def reader(self, address: str) -> bytes:
        """Tells whether two addresses are the same, and nothing else about them."""
        return hmac.digest(self._key(b"reader"), address.encode(), "sha256")

    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """By which push services know us (VAPID, RFC 8292): the same as long as the secret is."""
        number = int.from_bytes(hashlib.sha512(self._key(b"push")).digest())
        return ec.derive_private_key(1 + number % (_ORDER - 1), ec.SECP256R1())


def new_id() -> str:
    return secrets.token_hex(_ID_BYTES)
