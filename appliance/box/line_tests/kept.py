"""What tests found, on the disk: a file of JSON for each, a verdict's papers beside it. On it before said."""

import logging
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from appliance.bus.messages import LineTest, LineTestReply

FOLDER = "line-tests"                             # in the state folder
MOST = 20                                         # of a span

_NAME = re.compile(r"[0-9]{10,12}-[0-9a-f]{8}")   # unix second, then at random
_MOST_OCTETS = 4 << 20

log = logging.getLogger(__name__)


class _File(msgspec.Struct, frozen=True):
    test: LineTest
    facts: dict[str, Any]


class Kept:
    """OSError where the disk refuses; a file that cannot be read is passed over, and said once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._tests: dict[str, LineTest] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                found = self._read(path)
            except (OSError, ValueError) as error:
                log.warning("%s: %s: passed over", path, error)
            else:
                self._tests[found.test.test] = found.test

    def unended(self) -> list[LineTest]:
        """Those that the last boxd could not end."""
        return [one for one in self._tests.values() if one.state != "ended"]

    def of(self, span: str) -> list[LineTest]:
        """Newest first."""
        return sorted((one for one in self._tests.values() if one.span == span),
                      key=lambda one: one.began_at, reverse=True)

    def get(self, name: str) -> LineTestReply | None:
        """None: there is none of that name, or it cannot be read any more."""
        if name not in self._tests:
            return None
        try:
            found = self._read(self._folder / f"{name}.json")
        except (OSError, ValueError) as error:
            log.warning("test %s: %s", name, error)
            return None
        return LineTestReply(test=found.test, facts=found.facts)

    def keep(self, test: LineTest, facts: dict[str, Any]) -> None:
        """On the disk when this returns; the oldest of its span go."""
        path = self._folder / f"{test.test}.json"
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(_File(test, facts)))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self._settle()
        self._tests[test.test] = test
        for old in self.of(test.span)[MOST:]:
            for paper in old.papers.values():
                (self._folder / Path(paper).name).unlink(missing_ok=True)
            (self._folder / f"{old.test}.json").unlink(missing_ok=True)
            del self._tests[old.test]

    def paper(self, name: str, language: str) -> Path:
        """Where a test's paper goes."""
        return self._folder / f"{name}-{language}.pdf"

    def _settle(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _read(path: Path) -> _File:
        """ValueError: it is no test."""
        if path.stat().st_size > _MOST_OCTETS:
            raise ValueError("too large for the file of a test")
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        if found.test.test != path.stem or not _NAME.fullmatch(path.stem):
            raise ValueError("not the test of this name")
        return found
