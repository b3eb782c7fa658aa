"""Scripts, styles and drawings: small on the line, and asked for once until they are others.

Their addresses carry a digest of what is in them; one with the digest of now may be kept for ever. What is
text goes compressed. Pages do not: they carry tokens, and compressing a secret beside what a stranger chose
tells its length (CVE-2013-3587).
"""

import gzip
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request

DIGEST = "v"                                      # the argument of an address
FOR_EVER = "public, max-age=31536000, immutable"
TEXTS = (".css", ".js", ".svg", ".json", ".txt")
LEAST_OCTETS = 500                                # a shorter one is sent as it is


@dataclass(frozen=True, slots=True)
class Kept:
    digest: str
    packed: bytes | None                          # gzip; None: it is no text, or short


class StaticFiles:
    """Read once; a file that is written anew while this process runs has a new address after it starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._kept: dict[str, Kept | None] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Kept | None:
        """None: there is no such file below the folder."""
        with self._lock:
            if name not in self._kept:
                found = self._read(name)
                if found is None:                 # of names that a stranger makes up nothing is kept
                    return None
                self._kept[name] = found
            return self._kept[name]

    def _read(self, name: str) -> Kept | None:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        octets = path.read_bytes()
        packed = gzip.compress(octets, 9, mtime=0) if (
            path.suffix in TEXTS and len(octets) >= LEAST_OCTETS) else None
        return Kept(hashlib.sha256(octets).hexdigest()[:12], packed)


def register(app: Flask) -> None:
    files = StaticFiles(Path(app.static_folder or ""))

    @app.url_defaults
    def with_digest(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static" and DIGEST not in values and (
                kept := files.get(str(values.get("filename", "")))) is not None:
            values[DIGEST] = kept.digest

    @app.after_request
    def packed(response: Response) -> Response:
        if request.endpoint != "static" or response.status_code not in (200, 304):
            return response
        kept = files.get(str((request.view_args or {}).get("filename", "")))
        if kept is None:
            return response
        if request.args.get(DIGEST) == kept.digest:
            response.headers["Cache-Control"] = FOR_EVER
        if kept.packed is not None:
            response.headers.add("Vary", "Accept-Encoding")
            if response.status_code == 200 and request.accept_encodings.quality("gzip") > 0 \
                    and "Content-Range" not in response.headers:
                getattr(response.response, "close", lambda: None)()  # the file that it would have been
                response.direct_passthrough = False
                response.set_data(kept.packed)
                response.headers["Content-Encoding"] = "gzip"
                if (tag := response.get_etag()[0]) is not None:
                    response.set_etag(tag, weak=True)
        return response
