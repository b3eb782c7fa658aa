"""Finished recordings on disk: FOLDER/YYYY/MM/DD/<id>.blr, sealed, mode 0640.

A file has its name only when it is whole and durable.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.recording.folders import make_folder, sync_folder
from appliance.store.sealed import Seal, SealedReader, SealedWriter, Wrapper, erase

SUFFIX = ".blr"
_UNNAMED = ".new"


class Store:
    """Any method from any thread."""

    def __init__(self, folder: Path, keys: Wrapper) -> None:
        self.folder, self._keys = folder, keys

    def write(self, recording: str, began_at: float, about: dict[str, Any],
              octets: Iterable[bytes]) -> tuple[str, Seal]:
        """Seal and keep these, in place of what was there; the path from the folder.

        `about` is in the file's head for everybody to read. OSError: what was there stays.
        """
        path = _path(recording, began_at)
        place = self.folder / path
        make_folder(place.parent)
        new = place.with_name(f".{place.name}{_UNNAMED}")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o640)
                sealed = SealedWriter(file, self._keys, bytes.fromhex(recording), about)
                for part in octets:
                    sealed.write(part)
                seal = sealed.close()
                file.flush()
                os.fdatasync(descriptor)
            new.rename(place)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise
        sync_folder(place.parent)
        return path, seal

    def erase(self, recording: str, began_at: float) -> None:
        """What was written of it, if anything. OSError: it stays."""
        with contextlib.suppress(FileNotFoundError):
            erase(self.folder / _path(recording, began_at))

    def has(self, path: str) -> bool:
        """OSError: it cannot be told."""
        return os.path.isfile(self.folder / path)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[SealedReader]:
        """FileNotFoundError, OSError; Tampered, KeyGone."""
        with (self.folder / path).open("rb") as file:
            yield SealedReader(file, self._keys, bytes.fromhex(Path(path).stem))


def _path(recording: str, began_at: float) -> str:
    return f"{datetime.fromtimestamp(began_at, UTC):%Y/%m/%d}/{recording}{SUFFIX}"
