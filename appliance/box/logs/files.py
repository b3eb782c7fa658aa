"""Lines that the launcher kept, in files of one folder: read from the newest back.

A line is unix time with six places, the program's name, its text, with tabs between them; no two have the
same time. appliance.launch.logbook writes them.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from appliance.box.logs.lines import Raw
from appliance.store import LOGS_FILE, LOGS_FOLDER

BLOCK_OCTETS = 64 * 1024
MOST_LINE_OCTETS = 64 * 1024                      # a longer one is no line of ours

_LINE = re.compile(rb"([0-9]{1,12}\.[0-9]{6})\t([a-z0-9-]{1,32})\t(.*)", re.DOTALL)
_NAME = re.compile(rf"{re.escape(LOGS_FILE)}(?:\.([0-9]{{1,3}}))?")


class Files:
    """The log of a box that the launcher runs."""

    name = "files"

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / LOGS_FOLDER

    def there(self) -> bool:
        return (self._folder / LOGS_FILE).is_file()

    def since(self) -> float:
        """When the oldest line was written; 0: there is none."""
        for path in reversed(self._paths()):
            try:
                with path.open("rb") as file:
                    first = _LINE.fullmatch(file.readline(MOST_LINE_OCTETS).rstrip(b"\n"))
            except OSError:
                continue
            if first:
                return float(first[1])
        return 0.0

    def programs(self) -> list[str]:
        """Any that the launcher runs."""
        return []

    def newest_first(self, before: str, after: str, since: float, until: float,
                     programs: frozenset[str]) -> Iterator[Raw]:
        """Between these two places; OSError: the files cannot be read."""
        with ExitStack() as opened:
            files = dict[int, BinaryIO]()         # by inode, all at first: they turn while they are read
            for path in self._paths():
                with suppress(FileNotFoundError):
                    file = opened.enter_context(path.open("rb"))
                    files.setdefault(os.fstat(file.fileno()).st_ino, file)
            for octets in chain.from_iterable(map(_backwards, files.values())):
                if (raw := entry(octets)) is None:
                    continue                      # cut off by a kill, or by somebody else
                if before and raw.at >= float(before):
                    continue
                if after and raw.at <= float(after):
                    return
                yield raw

    def _paths(self) -> list[Path]:
        """Newest first."""
        found = {int(name[1] or 0): path for path in self._folder.glob(f"{LOGS_FILE}*")
                 if (name := _NAME.fullmatch(path.name))}
        return [found[number] for number in sorted(found)]


def entry(octets: bytes) -> Raw | None:
    """One line without its end; None: it is none of ours."""
    if (found := _LINE.fullmatch(octets)) is None:
        return None
    place = found[1].decode()
    return Raw(float(place), found[2].decode(), found[3].decode("utf-8", "replace"), place)


def place_is_right(place: str) -> bool:
    return not place or re.fullmatch(r"[0-9]{1,12}\.[0-9]{6}", place) is not None


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    """Lines of a file, the last first; what is after its last line end is not written yet."""
    at, rest, whole = file.seek(0, os.SEEK_END), b"", False
    while at > 0:
        length = min(BLOCK_OCTETS, at)
        at -= length
        file.seek(at)
        first, *lines = (file.read(length) + rest).split(b"\n")
        if lines and not whole:
            whole = True
            lines.pop()
        elif not lines and not whole:
            rest = first[-MOST_LINE_OCTETS:]
            continue
        yield from reversed(lines)
        rest = first[:MOST_LINE_OCTETS]
    if whole and rest:
        yield rest
