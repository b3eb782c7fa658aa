"""Bundles and backups that a browser brings, piece by piece, in a folder of webui's own: boxd copies them.

A form is no larger than 64 KiB here, so static/upload.js sends a file in many of them.
"""

import os
import re
import shutil
import threading
from pathlib import Path

from appliance.errors import BranchlineError

WHAT = {".raucb": "bundle", ".backup": "backup"}
MOST_OCTETS = {".raucb": 1 << 30, ".backup": 16 << 30}
SPARE_OCTETS = 512 << 20                          # on the disk: boxd's copy, calls and recordings need some
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(\.raucb|\.backup)")


class UploadError(BranchlineError):
    """Why a piece is not taken, and what to do."""


class Uploads:
    """One file at a time; a new one takes the place of the last. Used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()

    def add(self, name: str, offset: int, total: int, octets: bytes, kind: str = ".raucb") -> int:
        """How much of it is there now; `total`: it is whole, and durable. UploadError: it was not taken.

        `kind`: one of MOST_OCTETS.
        """
        what = WHAT[kind]
        if not NAME.fullmatch(name) or not name.endswith(kind):
            raise UploadError(
                f"{name[:120]!r}: is no {what}'s name (letters, digits and ._+-, at the end {kind})")
        if not 0 < total <= MOST_OCTETS[kind] or offset + len(octets) > total:
            raise UploadError(f"{name}: {total} octets: that is no {what}")
        part = self._folder / f"{name}.part"
        with self._lock:
            try:
                if offset == 0:
                    self.clear()
                    self._folder.mkdir(mode=0o750, exist_ok=True)
                    if shutil.disk_usage(self._folder).free < total + SPARE_OCTETS:
                        raise UploadError(
                            f"{name}: the disk has no room for {total >> 20} MiB: free some space")
                elif not part.exists() or part.stat().st_size != offset:
                    raise UploadError(f"{name}: another upload took its place: begin again")
                with part.open("ab") as file:
                    file.write(octets)
                    if offset + len(octets) == total:
                        file.flush()
                        os.fsync(file.fileno())
                        part.replace(self._folder / name)
            except OSError as error:
                raise UploadError(f"{name}: cannot be kept: {error.strerror}") from None
        return offset + len(octets)

    def has(self, name: str, kind: str = ".raucb") -> bool:
        """It is there as a whole."""
        return bool(NAME.fullmatch(name)) and name.endswith(kind) and (self._folder / name).is_file()

    def clear(self) -> None:
        """Nothing is kept any more. OSError: the disk."""
        for kind in MOST_OCTETS:
            for path in self._folder.glob(f"*{kind}*"):
                path.unlink(missing_ok=True)
