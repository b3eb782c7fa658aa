"""An alert to somebody's server: one signed POST.

The address is https and public. A host of `web.webhooks.hosts` may also be in the branch's own network, or be
spoken to without TLS: who may write rules must not reach, by the box, what he does not reach himself. It is
resolved once, and the connection goes to the address that was looked at; nothing is redirected.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from appliance.config.webhooks import WebhooksConfig

PATIENCE_S = 10.0                                 # for all of it, once its name was found
ANSWER_OCTETS = 4096                              # more of it is not read
SIGNATURE = "Branchline-Signature"
DELIVERY = "Branchline-Delivery"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")     # RFC 6052
_OWN = tuple(map(ipaddress.ip_network, (          # which Python has for public
    "64:ff9b:1::/48",                             # RFC 8215: addresses of IPv4, by rules of the network's own
    "fec0::/10",                                  # RFC 3879: a site's own, of old
    "::/96")))                                    # RFC 4291, 2.5.5.1: addresses of IPv4, of old
_NOT_PUBLIC = "is not public; web.webhooks.hosts can name such hosts"


class Forbidden(ValueError):
    """Nothing is sent there; it does not become better by trying again."""


class Unreachable(OSError):
    """There was no connection, whatever was to be sent."""


class Late(OSError):
    """There was no answer in time."""


def signature(secret: str, body: bytes, at: int) -> str:
    """HMAC-SHA256 over the time, a dot and the body: an old one is not taken for a new one."""
    made = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


def check(url: str, config: WebhooksConfig) -> None:
    """Forbidden: in English, what is wrong with the address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Forbidden("not an address") from None
    named = parts.username is not None or parts.password is not None
    if not host or parts.scheme not in ("https", "http") or named or parts.fragment or not (
            url.isascii() and url.isprintable()) or " " in url:
        raise Forbidden("not an address")
    if port == 0:
        raise Forbidden("not an address")
    if parts.scheme == "http" and not listed(parts, config):
        raise Forbidden("must be https; web.webhooks.hosts can name hosts that need not")
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return
    if not _public(number) and not listed(parts, config):
        raise Forbidden(_NOT_PUBLIC)


def listed(parts: SplitResult, config: WebhooksConfig) -> bool:
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    name = f"[{host}]" if ":" in host else host
    return any(one.lower() in (name, f"{name}:{port}") for one in config.hosts)


def post(url: str, body: bytes, secret: str, delivery: str, config: WebhooksConfig) -> None:
    """Done when it answered 2xx. OSError, HTTPException: it did not, or nobody knows. Forbidden."""
    check(url, config)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolved(host, port, listed(parts, config))
    connection = (_Tls(host, port, address, config) if parts.scheme == "https"
                  else _Plain(host, port, address))
    patience = threading.Timer(PATIENCE_S, connection.cut)       # a socket's own is of each octet
    patience.daemon = True
    patience.start()
    try:
        _send(connection, parts, body, secret, delivery)
    except (OSError, http.client.HTTPException) as error:
        if (connection.cut_off or isinstance(error, TimeoutError)) and not isinstance(error, Unreachable):
            raise Late(f"no answer in {PATIENCE_S:g} s") from None
        raise
    finally:
        patience.cancel()
        connection.close()


def _send(connection: "_Plain", parts: SplitResult, body: bytes, secret: str, delivery: str) -> None:
    try:
        connection.connect()
    except OSError as error:
        raise Unreachable(f"{error}" or type(error).__name__) from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("POST", path, body, {
        "Content-Type": "application/json", "User-Agent": "Branchline", "Connection": "close",
        DELIVERY: delivery, SIGNATURE: signature(secret, body, int(time.time()))})
    with connection.getresponse() as answer:
        if not 200 <= answer.status < 300:
            raise OSError(f"answered {answer.status}")
        with suppress(OSError, http.client.HTTPException):       # it has what was sent
            answer.read(ANSWER_OCTETS)


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Also when it is one of IPv4 written as one of IPv6, by any of the ways there are for that."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _OWN):
            return False
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not _public(inner):
            return False
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast


def _resolved(host: str, port: int, anywhere: bool) -> Any:
    """An address of the host to connect to. Unreachable: it has none that is public, which the next answer
    may say otherwise."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{error}") from None
    allowed = [where for *_, where in found if anywhere or _public(ipaddress.ip_address(str(where[0])))]
    if not allowed:
        raise Unreachable(_NOT_PUBLIC)
    return allowed[0]


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, address: Any) -> None:
        super().__init__(host, port, timeout=PATIENCE_S)
        self._address, self.cut_off = address, False
        self._carrier: socket.socket | None = None               # http.client forgets its own before the end

    def connect(self) -> None:
        self.sock = self._carrier = socket.create_connection(self._address[:2], PATIENCE_S)
        if self.cut_off:
            raise TimeoutError("timed out")

    def cut(self) -> None:
        """From another thread: whatever it waits for ends."""
        self.cut_off = True
        if self._carrier is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._carrier, socket.SHUT_RDWR)      # and TLS waits for nothing


class _Tls(_Plain):
    def __init__(self, host: str, port: int, address: Any, config: WebhooksConfig) -> None:
        super().__init__(host, port, address)
        self._context = ssl.create_default_context()
        if config.ca_file:
            self._context.load_verify_locations(cafile=config.ca_file)

    def connect(self) -> None:
        super().connect()
        tls = self._context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = self._carrier = tls
        if self.cut_off:                          # before it was there to be cut
            raise TimeoutError("timed out")
        tls.do_handshake()
