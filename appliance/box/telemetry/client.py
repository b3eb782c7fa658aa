"""Writes to the InfluxDB v2 API by influxdb-client, imported when telemetry is switched on.

The library's own front imports 390 generated modules, pandas' and numpy's doors among them: 25 MB that a box
has not got. Its folders are entered here without their `__init__`, so that what a write needs is all that
comes: 2 MB. tests/box/telemetry/test_client.py holds that to be so with every release.
"""

import importlib
import importlib.util
import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from appliance.errors import BranchlineError

TIMEOUT_MS = 4_000                                # of connecting and of waiting for the answer, together
RETRY_S, RETRIES = 0.5, 1                         # by the library, of what passes; then with the next sample
REFUSED = (400, 413, 422)                         # these points will never be taken
MOST_SAID = 300                                   # characters of what a server answers

_FRONT = "influxdb_client"
_FOLDERS = ("", ".client", ".client.write", ".domain", ".service", "._sync")


class WriteError(BranchlineError):
    """Nothing was taken, as far as is known; the same octets may be written again."""


class Refused(WriteError):
    """These octets will never be taken."""


@dataclass(frozen=True, slots=True)
class Server:
    """`ca_file`: PEM; "": the public authorities."""

    url: str
    org: str
    bucket: str
    token: str
    ca_file: str = ""


Write = Callable[[bytes], None]                   # line protocol, gzip; blocks; WriteError


def writer(server: Server) -> Write:
    """ImportError: this installation has no influxdb-client. OSError: `ca_file` cannot be read."""
    _enter()
    configuration = importlib.import_module("influxdb_client.configuration").Configuration()
    configuration.host = server.url.rstrip("/")
    configuration.timeout = TIMEOUT_MS
    configuration.ssl_ca_cert = server.ca_file or None
    configuration.connection_pool_maxsize = 1
    if server.ca_file:
        with open(server.ca_file, "rb"):          # said now and by its name, not at each write
            pass
    client = importlib.import_module("influxdb_client._sync.api_client").ApiClient(
        configuration, *(("Authorization", f"Token {server.token}") if server.token else ()))
    service = importlib.import_module("influxdb_client.service.write_service").WriteService(client)
    failed = importlib.import_module("influxdb_client.client.exceptions").InfluxDBError
    retry = importlib.import_module("influxdb_client.client.write.retry").WritesRetry
    cut_off = importlib.import_module("urllib3.exceptions").HTTPError

    def write(octets: bytes) -> None:
        again = retry(total=RETRIES, retry_interval=RETRY_S, max_retry_delay=RETRY_S,
                      max_retry_time=TIMEOUT_MS / 1000, allowed_methods=["POST"], redirect=False,
                      respect_retry_after_header=False)              # it would sleep as long as it is told
        try:
            service.post_write(server.org, server.bucket, octets, content_encoding="gzip", precision="ns",
                               urlopen_kw={"retries": again})
        except failed as error:
            status = getattr(error, "status", None) or 0
            said = _line(error.message if status else getattr(error, "reason", None) or "")
            raise (Refused if status in REFUSED else WriteError)(f"{server.url}: {status} {said}") from None
        except (cut_off, OSError, UnicodeError) as error:
            raise WriteError(f"{server.url}: {_line(_reason(error))}") from None
    return write


def point() -> Any:
    """The library's Point, which knows line protocol."""
    _enter()
    return importlib.import_module("influxdb_client.client.write.point").Point


def _enter() -> None:
    """Its folders as packages without what their `__init__` imports; once."""
    if _FRONT in sys.modules:
        return
    spec = importlib.util.find_spec(_FRONT)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("influxdb-client is not installed: telemetry cannot be written")
    home = next(iter(spec.submodule_search_locations))
    for folder in _FOLDERS:
        package = ModuleType(_FRONT + folder)
        package.__path__ = [home + folder.replace(".", "/")]
        sys.modules[_FRONT + folder] = package
    front = sys.modules[_FRONT]
    front.__dict__["VERSION"] = importlib.import_module("influxdb_client.version").VERSION
    front.__dict__["__getattr__"] = _generated
    for who in (_FRONT, "urllib3.connectionpool"):                   # failures are said once, by who writes
        logging.getLogger(who).setLevel(logging.ERROR)
    hidden = "numpy" not in sys.modules
    if hidden:                                    # a point takes its numbers where it is: 9 MB for nothing
        sys.modules["numpy"] = None               # type: ignore[assignment]
    try:
        importlib.import_module("influxdb_client.client.write.point")
    finally:
        if hidden:
            del sys.modules["numpy"]


def _generated(name: str) -> Any:
    """A class of the front, by its name: in the one module that defines it."""
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for folder in ("service", "domain"):
        if importlib.util.find_spec(f"{_FRONT}.{folder}.{module}") is not None:
            return getattr(importlib.import_module(f"{_FRONT}.{folder}.{module}"), name)
    raise AttributeError(f"module {_FRONT!r} has no attribute {name!r}")


def _reason(error: BaseException) -> str:
    """What it comes to, without the layers around it."""
    while isinstance(inner := getattr(error, "reason", None), BaseException):
        error = inner
    if isinstance(error.__cause__, OSError):      # without its connection's name
        error = error.__cause__
    return str(error) or type(error).__name__


def _line(said: str | bytes) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())[:MOST_SAID] or "no answer"
