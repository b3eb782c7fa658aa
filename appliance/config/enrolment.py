"""The enrolment code: that a box and an operator are who they say, in sixteen signs that anybody may hear.

A box hashes its own SSH host key together with the public key of a person whom it lets in, and shows that.
The fleet tool hashes the host key that it is shown with the public key that it signs in with. When both are
alike, nobody stands between them (another host key gives another code), and the box lets in this very key
and not somebody else's. The code is no secret: it may be read out by telephone. To find another pair of keys
with a given code takes 2^80 tries.

Ref: RFC 4253, 6.6 (the octets of a public key); RFC 4648, 6 (Base32).
"""

import base64
import hashlib
import hmac

SIGNS = 16                                        # of 5 bits
_PURPOSE = b"branchline enrolment 1"


def code(host_key: bytes, operator_key: bytes) -> str:
    """Like ABCD-EFGH-JK23-MN45, of the octets of two public keys as SSH sends them."""
    digest = hashlib.sha256(b"".join(
        len(part).to_bytes(4, "big") + part for part in (_PURPOSE, host_key, operator_key))).digest()
    signs = base64.b32encode(digest).decode("ascii")[:SIGNS]
    return "-".join(signs[at:at + 4] for at in range(0, SIGNS, 4))


def alike(typed: str, wanted: str) -> bool:
    """However a person wrote it: small letters, blanks; 0, 1 and 8, which Base32 has not, are O, I and B."""
    return hmac.compare_digest(_plain(typed), _plain(wanted))


def _plain(text: str) -> bytes:
    signs = "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())
    return signs.translate(str.maketrans("018", "OIB")).encode("ascii")


def octets(line: str) -> bytes:
    """Of a public key as OpenSSH writes it: ssh-ed25519 AAAA... name. ValueError: it is none."""
    words = line.split()
    if len(words) < 2:
        raise ValueError("write the one line of a public key file: ssh-ed25519 AAAA...")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except ValueError:
        blob = b""
    kind = words[0].encode("ascii", "replace")
    if blob[:4 + len(kind)] != len(kind).to_bytes(4, "big") + kind:
        raise ValueError(f"{words[0]}: the key is cut or damaged: copy the whole line again")
    return blob
