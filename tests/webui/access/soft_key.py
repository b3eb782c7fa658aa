"""A security key in software, that can also misbehave. Ref: W3C Web Authentication Level 2, 6.1, 6.5, 8.7."""

import hashlib
import json
import os
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, ATTESTED = 0x01, 0x40                    # flags of 6.1


@dataclass
class SoftKey:
    """`counts`: each signature has a higher number; `flags`: what it says of who holds it."""

    counts: bool = True
    flags: int = PRESENT
    id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0
    _key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def register(self, options: str, origin: str, host: str = "") -> str:
        """What navigator.credentials.create() gives; `host`: another than it was asked for."""
        asked = json.loads(options)
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})      # EC2, ES256, P-256
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(host or asked["rp"]["id"], self.flags | ATTESTED) + attested
        client = _client("webauthn.create", asked["challenge"], origin)
        return self._answer(clientDataJSON=client, attestationObject=cbor2.dumps(
            {"fmt": "none", "attStmt": {}, "authData": data}))

    def sign(self, options: str, origin: str, host: str = "") -> str:
        """What navigator.credentials.get() gives."""
        asked = json.loads(options)
        self.count += self.counts
        data = self._data(host or asked["rpId"], self.flags)
        client = _client("webauthn.get", asked["challenge"], origin)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, **octets: bytes) -> str:
        number = bytes_to_base64url(self.id)
        return json.dumps({"id": number, "rawId": number, "type": "public-key", "clientExtensionResults": {},
                           "response": {name: bytes_to_base64url(value) for name, value in octets.items()}})


def challenge_of(options: str) -> bytes:
    return base64url_to_bytes(json.loads(options)["challenge"])


def _client(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()
