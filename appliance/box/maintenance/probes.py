"""What is measured of the machine: how the disk writes, the certificate that browsers get. It blocks."""

import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from appliance.box.clock import kernel
from appliance.box.maintenance.findings import DiskProbe, Served
from appliance.box.network_cards import NetworkCard, outside

FILE = ".self-check"                              # in the state folder, while it is written
BLOCK, BLOCKS = 4096, 25                          # as a database commits: a block, and the disk is waited for
STRETCH = 4 * 2 ** 20                             # written at once, to see how fast
ROOM = 64 * 2 ** 20                               # with less free nothing is written
CONNECT_S = 10.0
BOOT = Path("/proc/sys/kernel/random/boot_id")
WEB_URL = "web.url"                               # in the run folder: where webui serves


def disk(folder: Path) -> DiskProbe:
    """Write, have it kept, read it back from the medium. Nothing of it stays."""
    path = folder / FILE
    try:
        found = os.statvfs(folder)
        if found.f_bavail * found.f_frsize < ROOM:
            return DiskProbe()
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            return _written(fd)
        finally:
            os.close(fd)
            clear(folder)
    except OSError as error:
        return DiskProbe(error=f"{error.strerror}: {folder}")


def clear(folder: Path) -> None:
    """What a kill or a power cut left. OSError: it cannot be removed."""
    (folder / FILE).unlink(missing_ok=True)


def _written(fd: int) -> DiskProbe:
    block, took = os.urandom(BLOCK), []
    for number in range(BLOCKS):
        began = time.monotonic()
        os.pwrite(fd, block, number * BLOCK)
        os.fdatasync(fd)
        took.append(time.monotonic() - began)
    stretch, begins = os.urandom(STRETCH), BLOCK * BLOCKS
    began = time.monotonic()
    if os.pwrite(fd, stretch, begins) != STRETCH:
        return DiskProbe(tuple(took), error="less was written than was given")
    os.fdatasync(fd)
    took_s = time.monotonic() - began
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)               # from the medium, not from memory
    back = os.pread(fd, begins + STRETCH, 0)
    same = back == block * BLOCKS + stretch
    return DiskProbe(tuple(took), STRETCH / max(took_s, 1e-6),
                     "" if same else "what was read back is something else")


def network() -> list[NetworkCard]:
    return list(outside())


def boot() -> str:
    """Which start of the kernel this is; "": it does not say. Ref: random(4), boot_id"""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def drift_ppm() -> float | None:
    """None: the kernel does not say."""
    try:
        return kernel.look().drift_ppm
    except OSError:
        return None


def served(run_dir: Path) -> Served:
    """As a browser gets it: what lies in a file need not be what is served."""
    try:
        url = urlsplit((run_dir / WEB_URL).read_text(encoding="utf-8").strip())
        port = url.port
    except (OSError, ValueError):
        return Served(tls=True, error="webui does not serve", away=True)
    if url.scheme != "https":
        return Served(tls=False)
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE  # it is looked at, nothing is said to it
    try:
        with socket.create_connection((url.hostname or "", port or 443), CONNECT_S) as plain, \
                asking.wrap_socket(plain, server_hostname=url.hostname) as secure:
            octets = secure.getpeercert(binary_form=True)
    except ssl.SSLError as error:
        return Served(tls=True, error=str(error))
    except OSError as error:
        return Served(tls=True, error=str(error), away=True)
    return _read(octets or b"")


def _read(octets: bytes) -> Served:
    from cryptography import x509  # large: only when there is one to be read
    try:
        found = x509.load_der_x509_certificate(octets)
    except ValueError as error:
        return Served(tls=True, error=f"it cannot be read: {error}")
    return Served(tls=True, until=found.not_valid_after_utc.timestamp(), own=found.issuer == found.subject)


def bundles(folder: Path) -> list[str]:
    """Updates that lie in the box. [] also: there is no such folder."""
    return sorted(path.name for path in folder.glob("*.raucb"))
