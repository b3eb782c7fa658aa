"""A bundle as a file: a ZIP of bounded size, with a manifest of what is in it, is cut, is missing."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from appliance.box.backup.durable import move

MOST_OCTETS = 32 << 20                            # of the file, and MOST_PLAIN of what is in it
MOST_PLAIN_OCTETS = 192 << 20
MOST_ENTRY_OCTETS = 48 << 20
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    octets: int
    sha256: str
    cut: bool                                     # there was more: its end is here


@dataclass(slots=True)
class Bundle:
    archive: zipfile.ZipFile
    entries: list[Entry] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)            # name -> why

    def add(self, name: str, octets: bytes) -> None:
        """What is too much is cut at its beginning: the newest counts."""
        plain = sum(one.octets for one in self.entries)
        packed = sum(one.compress_size for one in self.archive.infolist())
        room = min(MOST_ENTRY_OCTETS, MOST_PLAIN_OCTETS - plain, 8 * (MOST_OCTETS - packed))
        if room <= 0:
            self.missing[name] = "the bundle is full"
            return
        kept = octets[-room:]
        self.archive.writestr(name, kept)
        self.entries.append(Entry(name, len(kept), hashlib.sha256(kept).hexdigest(), len(kept) < len(octets)))

    def lacks(self, name: str, why: str) -> None:
        self.missing[name] = why


@contextmanager
def writing(path: Path, about: dict[str, object]) -> Iterator[Bundle]:
    """Whole at `path`, 0600, when it ends well; nothing there otherwise. OSError: the disk."""
    new = path.with_name(path.name + ".part")
    new.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(new, flags, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                bundle = Bundle(archive)
                yield bundle
                archive.writestr(MANIFEST, json.dumps(
                    {**about, "entries": [asdict(one) for one in bundle.entries], "missing": bundle.missing},
                    indent=1))
            file.flush()
            os.fsync(file.fileno())
        move(new, path)
    finally:
        new.unlink(missing_ok=True)
