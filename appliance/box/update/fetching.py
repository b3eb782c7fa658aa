"""A bundle from the network or the pages: by https, bounded, gone on with where it broke off.

Whether it is the right one is for its signature to say.
"""

import asyncio
import http.client
import os
import re
import shutil
import ssl
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from appliance.box.privileged.update import SPARE_OCTETS
from appliance.box.update.driving import Progress, UpdateError

MOST_OCTETS = 1 << 30                             # of a bundle
PIECE_OCTETS = 256 * 1024
SILENCE_S = 60.0                                  # without an octet
MOST_REDIRECTS = 5

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\.raucb")


async def download(url: str, folder: Path, progress: Progress, tls: ssl.SSLContext | None = None) -> Path:
    """Into `folder`, by its own name. UpdateError: why not; what came so far stays there."""
    shown = without_secrets(url)
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
    if not NAME.fullmatch(name):
        raise UpdateError(f"{shown}: its last part must be a bundle's name (*.raucb)")
    part = folder / f"{name}.part"
    for other in folder.glob("*.part"):
        if other != part:
            other.unlink()
    with _said(shown):
        line, response = await asyncio.to_thread(_opened, url, part, tls or ssl.create_default_context())
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        with closing(line), response, part.open("ab" if goes_on else "wb") as to:
            done = to.tell()
            total = done + (response.length or 0)
            if total > MOST_OCTETS or total - done > _room(folder):
                raise UpdateError(f"{shown}: {total >> 20} MiB: that is no bundle, or has no room here")
            while piece := await asyncio.to_thread(response.read1, PIECE_OCTETS):     # it may be called off
                await asyncio.to_thread(to.write, piece)
                if (done := done + len(piece)) > MOST_OCTETS or _room(folder) < 0:
                    raise UpdateError(f"{shown}: does not end: that is no bundle, or has no room here")
                progress(done / total if total else 0.0, f"fetches {name}")
        if done < total:
            raise UpdateError(f"{shown}: ended after {done} of {total} octets: try again, it is gone on with")
        return part.rename(folder / name)


def _room(folder: Path) -> int:
    return shutil.disk_usage(folder).free - SPARE_OCTETS


async def take(name: str, uploads: Path, folder: Path, progress: Progress) -> Path:
    """A copy in `folder` of what the pages were given for the box. UpdateError: why not."""
    if not NAME.fullmatch(name):
        raise UpdateError(f"{name!r}: is no bundle's name (*.raucb)")
    part = folder / f"{name}.part"
    try:
        descriptor = os.open(uploads / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with await asyncio.to_thread(os.fdopen, descriptor, "rb") as file, part.open("wb") as to:
            total, done = os.fstat(descriptor).st_size, 0
            if total > min(MOST_OCTETS, _room(folder)):
                raise UpdateError(f"{name}: {total >> 20} MiB: that is no bundle, or there is no room for it")
            while piece := await asyncio.to_thread(file.read, min(PIECE_OCTETS, total - done)):
                await asyncio.to_thread(to.write, piece)
                done += len(piece)
                progress(done / total, f"copies {name}")
        return part.rename(folder / name)
    except OSError as error:
        raise UpdateError(f"{name}: {error.strerror}: upload it again") from None


def _opened(url: str, part: Path,
            tls: ssl.SSLContext) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
    """The rest of what is there (206), or all of it."""
    there = part.stat().st_size if part.exists() else 0
    at, shown = url, without_secrets(url)
    for _ in range(MOST_REDIRECTS):
        found = urllib.parse.urlsplit(at)
        if found.scheme != "https" or not found.hostname:
            raise UpdateError(f"{shown}: leads to {without_secrets(at)}, which is not https")
        line = http.client.HTTPSConnection(found.hostname, found.port, timeout=SILENCE_S, context=tls)
        target = urllib.parse.urlunsplit(("", "", found.path or "/", found.query, ""))
        try:
            line.request("GET", target, headers={"Range": f"bytes={there}-"} if there else {})
            response = line.getresponse()
        except BaseException:
            line.close()
            raise
        if response.status in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
            return line, response
        response.close()
        line.close()
        match response.status:
            case http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()                     # it was another one
                there = 0
            case 301 | 302 | 303 | 307 | 308 if where := response.getheader("Location"):
                at = urllib.parse.urljoin(at, where)
            case _:
                raise UpdateError(f"{shown}: {response.status} {response.reason}")
    raise UpdateError(f"{shown}: leads from one place to the next without an end")


def without_secrets(url: str) -> str:
    """What may be shown and logged of it: no user, no password, no query."""
    found = urllib.parse.urlsplit(url)
    return f"{found.scheme}://{found.netloc.rpartition('@')[2]}{found.path}" if found.netloc else url


@contextmanager
def _said(shown: str) -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UpdateError(f"{shown}: {error}: try again, it is gone on with") from None
