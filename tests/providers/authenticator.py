"""A device with passkeys, in software: it signs as the standard says (WebAuthn Level 3, 6)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey; `counter` is the next counter it tells, `flags` what it has made sure of."""

    host: str
    origin: str
    counter: int = 1
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: bytes = b""

    def create(self, options: str) -> str:
        """The answer to the options of a registration, as JSON."""
        asked = json.loads(options)
        self.user_handle = _bytes(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public_key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        told = self._told(ATTESTED)
        told += bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id
        attestation = {"fmt": "none", "attStmt": {}, "authData": told + public_key}
        return self._answer(
            self._client_data("webauthn.create", asked["challenge"]),
            attestationObject=_text(cbor2.dumps(attestation)),
        )

    def get(self, options: str) -> str:
        """The answer to the options of an authentication, as JSON."""
        client_data = self._client_data("webauthn.get", json.loads(options)["challenge"])
        told = self._told()
        signature = self.key.sign(
            told + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256())
        )
        return self._answer(
            client_data,
            authenticatorData=_text(told),
            signature=_text(signature),
            userHandle=_text(self.user_handle),
        )

    def _told(self, more_flags: int = 0) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        told = host + struct.pack(">BI", self.flags | more_flags, self.counter)
        if self.counter:
            self.counter += 1
        return told

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, client_data: bytes, **response: Any) -> str:
        response["clientDataJSON"] = _text(client_data)
        name = _text(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
