"""One line of a public key file, as ssh-keygen writes it.

Ref: RFC 4251 section 5 (strings), RFC 4253 section 6.6 (key blobs).
"""

import base64
import binascii

LEAST_RSA_OCTETS = 3072 // 8
KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
         "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")


def public_key(text: str) -> str:
    """The line without superfluous blanks and without options: nothing that a server would run or forbid.

    ValueError: it is none, is damaged, or too weak.
    """
    kind, _, rest = text.strip().partition(" ")
    octets, _, comment = rest.partition(" ")
    if kind not in KINDS:
        raise ValueError(f"write the one line of a public key file, e.g. ssh-ed25519 AAAA... name; kinds are "
                         f"{', '.join(KINDS)}")
    try:
        blob = base64.b64decode(octets, validate=True)
    except binascii.Error:
        blob = b""
    parts = list(_parts(blob))
    if len(parts) < 2 or parts[0] != kind.encode() or (kind == "ssh-ed25519" and len(parts[1]) != 32):
        raise ValueError(f"{kind}: the key is cut or damaged: copy the whole line again")
    if kind == "ssh-rsa" and (len(parts) != 3 or len(parts[2].lstrip(b"\0")) < LEAST_RSA_OCTETS):
        raise ValueError("ssh-rsa: shorter than 3072 bits: make a new key with ssh-keygen -t ed25519")
    if not comment.isprintable():
        raise ValueError("the comment after the key is not printable text")
    return f"{kind} {octets} {comment}".strip()


def _parts(blob: bytes) -> list[bytes]:
    """Its strings; none when a length points beyond the end."""
    parts = []
    while blob:
        octets = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 or octets > len(blob) - 4:
            return []
        parts.append(blob[4:4 + octets])
        blob = blob[4 + octets:]
    return parts
