"""What is not yet a prompt: files that are being brought, and sounds that somebody tries out.

Both are gone after an hour, and when recordd starts anew.
"""

import contextlib
import os
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import StateError
from appliance.media.g711 import Octets

UPLOAD_OCTETS = 20 * 1024 * 1024                  # of one file
UPLOADS = 4                                       # at once
DRAFTS = 32                                       # at once: ten minutes have 4.8 MB
SPARE_OCTETS = 256 << 20                          # of the disk, that recordings need
GOOD_S = 3600.0

_UPLOAD = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Draft:
    octets: Octets
    made: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Of a file as its stamp was; `wrong`: why it cannot be played."""

    stamp: tuple[int, int, int]
    sha256: str
    length_ms: int
    level_dbm0: float
    octets: int
    wrong: str = ""


class Drafts:
    """Used from any thread. The lock `changing` is of whoever changes a prompt's file."""

    def __init__(self) -> None:
        self.changing = threading.Lock()
        self.measured: dict[str, Measured] = {}   # by name of the prompt
        self._lock = threading.Lock()
        self._drafts: OrderedDict[str, Draft] = OrderedDict()
        self._uploads: OrderedDict[str, float] = OrderedDict()       # to when its last piece came

    def keep(self, draft: Draft) -> str:
        name = secrets.token_hex(16)
        with self._lock:
            for old in [old for old, one in self._drafts.items() if one.at < draft.at - GOOD_S]:
                del self._drafts[old]
            self._drafts[name] = draft
            while len(self._drafts) > DRAFTS:
                self._drafts.popitem(last=False)
        return name

    def draft(self, name: str) -> Draft:
        """StateError: it is gone."""
        with self._lock:
            if name not in self._drafts:
                raise StateError("this sound is not kept any more: make it anew")
            self._drafts.move_to_end(name)
            return self._drafts[name]

    def add(self, folder: Path, upload: str, at: int, total: int, octets: bytes, now: float) -> int:
        """How much of it is there. StateError: it is not taken."""
        if not _UPLOAD.fullmatch(upload):
            raise StateError("upload: write 32 hexadecimal digits")
        if not 0 < total <= UPLOAD_OCTETS:
            raise StateError(f"the file has {total} octets: {UPLOAD_OCTETS >> 20} MiB are the most")
        if at < 0 or at + len(octets) > total:
            raise StateError("the file is longer than it was said to be: bring it again")
        path = folder / upload
        with self._lock:
            if at == 0:
                self._room(folder, total)
                path.write_bytes(b"")
            elif upload not in self._uploads or path.stat().st_size != at:
                raise StateError("another file took its place: bring it again")
            with path.open("ab") as file:
                file.write(octets)
            self._uploads[upload] = now
            self._uploads.move_to_end(upload)
        return at + len(octets)

    def uploaded(self, folder: Path, upload: str) -> Path:
        """StateError: it is gone."""
        with self._lock:
            if upload not in self._uploads:
                raise StateError("the file is not here any more: bring it again")
        return folder / upload

    def drop(self, folder: Path, upload: str) -> None:
        with self._lock:
            if self._uploads.pop(upload, None) is not None:
                (folder / upload).unlink(missing_ok=True)

    def tend(self, folder: Path, now: float) -> None:
        """What nobody came back for goes."""
        with self._lock:
            old = [name for name, at in self._uploads.items() if at < now - GOOD_S]
            for name in old:
                del self._uploads[name]
            for name in [name for name, one in self._drafts.items() if one.at < now - GOOD_S]:
                del self._drafts[name]
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(folder):
                    if name not in self._uploads:
                        (folder / name).unlink(missing_ok=True)

    def _room(self, folder: Path, total: int) -> None:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < total + SPARE_OCTETS:
            raise StateError("the disk has no room for it: free some space")
        while len(self._uploads) >= UPLOADS:
            gone, _ = self._uploads.popitem(last=False)
            (folder / gone).unlink(missing_ok=True)
