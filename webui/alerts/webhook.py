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
from typing import Any
from urllib.parse import SplitResult, urlsplit

from appliance.config.webhooks import WebhooksConfig

PATIENCE_S = 10.0
ANSWER_OCTETS = 4096                              # more of it is not read
SIGNATURE = "Branchline-Signature"
DELIVERY = "Branchline-Delivery"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")     # RFC 6052


class Forbidden(ValueError):
    """Nothing is sent there; it does not become better by trying again."""


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
    if not host or parts.scheme not in ("https", "http") or parts.username or parts.fragment or not (
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
        raise Forbidden("is not public; web.webhooks.hosts can name such hosts")


def listed(parts: SplitResult, config: WebhooksConfig) -> bool:
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    name = f"[{host}]" if ":" in host else host
    return any(one.lower() in (name, f"{name}:{port}") for one in config.hosts)


def post(url: str, body: bytes, secret: str, delivery: str, config: WebhooksConfig, now: float) -> None:
    """Done when it answered 2xx. OSError, HTTPException: it did not, or nobody knows. Forbidden."""
    check(url, config)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolved(host, port, listed(parts, config))
    connection = (_Tls(host, port, address, config) if parts.scheme == "https"
                  else _Plain(host, port, address))
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {
            "Content-Type": "application/json", "User-Agent": "Branchline", "Connection": "close",
            DELIVERY: delivery, SIGNATURE: signature(secret, body, int(now))})
        answer = connection.getresponse()
        answer.read(ANSWER_OCTETS)
        if not 200 <= answer.status < 300:
            raise OSError(f"answered {answer.status}")
    finally:
        connection.close()


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Also when it is one of IPv4 written as one of IPv6, by any of the ways there are for that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not _public(inner):
            return False
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast


def _resolved(host: str, port: int, anywhere: bool) -> Any:
    """An address of the host to connect to. Forbidden: it has none that is public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [where for *_, where in found if anywhere or _public(ipaddress.ip_address(str(where[0])))]
    if not allowed:
        raise Forbidden("is not public; web.webhooks.hosts can name such hosts")
    return allowed[0]


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, address: Any) -> None:
        super().__init__(host, port, timeout=PATIENCE_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection(self._address[:2], PATIENCE_S)


class _Tls(_Plain):
    def __init__(self, host: str, port: int, address: Any, config: WebhooksConfig) -> None:
        super().__init__(host, port, address)
        self._context = ssl.create_default_context(cafile=config.ca_file or None)

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)
