"""A document that DHCP names: an address in option 224 of the lease, a document there, signed.

DHCP may come from anybody, so what it names is believed only with the signature (Ed25519) of the key that the
image was built with; an image without one asks nobody. https keeps it from being read on the way.

Ref: RFC 2131, RFC 3942 (options 224-254 are a site's own), RFC 8032; lease files of systemd-networkd 252.
"""

import base64
import binascii
import contextlib
import re
import signal
from collections.abc import Iterator
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from appliance.box.provision.plan import URL_OPTION
from appliance.config.load import MAX_OCTETS
from appliance.errors import Unavailable

LEASES = Path("/run/systemd/netif/leases")
KEY = Path("/etc/branchline/provision-key.pem")   # the builder's public key
FETCH_S = 60.0                                    # in all: a server may send an octet a second for ever
SILENT_S = 20.0

_LINE = re.compile(rf"^OPTION_{URL_OPTION}=([0-9a-fA-F]{{2,1020}})$", re.MULTILINE)


def addresses(leases: Path = LEASES) -> list[str]:
    """Those of https that the leases name."""
    found = []
    try:
        paths = sorted(leases.iterdir())
    except OSError:
        return []
    for path in paths:
        for octets in _LINE.findall(path.read_text(errors="replace")):
            text = bytes.fromhex(octets[:len(octets) // 2 * 2]).rstrip(b"\0").decode("ascii", "replace")
            with contextlib.suppress(ValueError):             # https://[
                parts = urlsplit(text) if text.isprintable() else urlsplit("")
                if parts.scheme == "https" and parts.hostname and not parts.username:
                    found.append(text)
    return found


def fetch(address: str, key: Path = KEY) -> str:
    """The text at `address`. Unavailable: not there, or the signature at `address`.sig is not the key's.

    For the main thread: a signal ends what takes too long.
    """
    with _within(FETCH_S):
        octets, signature = _get(address), _get(f"{address}.sig")
    try:
        public = load_pem_public_key(key.read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable(f"{key}: {error}") from None
    if not isinstance(public, Ed25519PublicKey):
        raise Unavailable(f"{key}: is no Ed25519 key")
    try:
        public.verify(base64.b64decode(signature), octets)
        return octets.decode("utf-8")
    except (InvalidSignature, binascii.Error):
        raise Unavailable(f"{address}: its signature is not that of this image's key: not taken") from None
    except UnicodeDecodeError:
        raise Unavailable(f"{address}: not UTF-8") from None


def _get(address: str) -> bytes:
    """No redirection is followed."""
    try:
        parts = urlsplit(address)
        connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=SILENT_S)
        try:
            connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
            answer = connection.getresponse()
            octets = answer.read(MAX_OCTETS + 1)
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"{address}: {error}") from None
    if answer.status != 200:
        raise Unavailable(f"{address}: the server says {answer.status}")
    if len(octets) > MAX_OCTETS:
        raise Unavailable(f"{address}: larger than {MAX_OCTETS} octets")
    return octets


@contextlib.contextmanager
def _within(limit_s: float) -> Iterator[None]:
    """TimeoutError in what takes longer."""
    def ends(number: int, frame: object) -> None:
        raise TimeoutError(f"has not ended in {limit_s:g} s")
    before = signal.signal(signal.SIGALRM, ends)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
