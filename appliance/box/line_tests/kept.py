"""What tests found: the newest of each span on the disk, a verdict's papers beside them."""

from pathlib import Path
from typing import Any

import msgspec

from appliance.box.results import Results
from appliance.bus.messages import LineTest, LineTestReply

FOLDER = "line-tests"                             # in the state folder
MOST = 20                                         # of a span

_MOST_OCTETS = 4 << 20


class _File(msgspec.Struct, frozen=True):
    test: LineTest
    facts: dict[str, Any]


class Kept:
    """OSError where the disk refuses; a file that cannot be read is passed over, and said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._files = Results(folder, _File, lambda one: one.test.test, _MOST_OCTETS)
        self._tests = {one.test.test: one.test for one in self._files.all()}

    def unended(self) -> list[LineTest]:
        """Those that the last boxd could not end."""
        return [one for one in self._tests.values() if one.state != "ended"]

    def of(self, span: str) -> list[LineTest]:
        """Newest first."""
        return sorted((one for one in self._tests.values() if one.span == span),
                      key=lambda one: one.began_at, reverse=True)

    def get(self, name: str) -> LineTestReply | None:
        """None: there is none of that name, or it cannot be read any more."""
        if name not in self._tests or (found := self._files.get(name)) is None:
            return None
        return LineTestReply(test=found.test, facts=found.facts)

    def keep(self, test: LineTest, facts: dict[str, Any]) -> None:
        """On the disk when this returns; the oldest of its span go."""
        self._files.keep(_File(test, facts))
        self._tests[test.test] = test
        for old in self.of(test.span)[MOST:]:
            for paper in old.papers.values():
                (self._folder / Path(paper).name).unlink(missing_ok=True)
            self._files.remove(old.test)
            del self._tests[old.test]

    def paper(self, name: str, language: str) -> Path:
        """Where a test's paper goes."""
        return self._folder / f"{name}-{language}.pdf"
