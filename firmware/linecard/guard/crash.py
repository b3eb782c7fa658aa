"""How the card ended last: kept in a file over resets and power cuts, until people have read it."""

import sys

from firmware.control import RESETS, TEXT_OCTETS, pack_crash, read_crash

try:
    from firmware.linecard.guard.kept import Files
except ImportError:                               # MicroPython: annotations are not looked at
    pass

_FILE = "crash"


class Crash:
    """`packed`: as control.pack_crash has it; b"": there was none."""

    def __init__(self, files: "Files") -> None:
        self._files = files
        self.packed = files.read(_FILE)

    def note(self, reset: str, uptime_s: int, words: str) -> None:
        """Keep it; the end of `words` when they are too long. A disk that is full keeps the older one."""
        try:
            before = read_crash(self.packed)
        except ValueError:                        # another version's
            before = None
        count = before[2] + 1 if before else 1
        self.packed = pack_crash(RESETS.index(reset), uptime_s, count, words[-TEXT_OCTETS:])
        self._keep()

    def clear(self) -> None:
        self.packed = b""
        self._keep()

    def _keep(self) -> None:
        try:
            self._files.write(_FILE, self.packed)
        except OSError:                           # the host is told of this one while the card runs
            return

def words_of(error: Exception) -> str:
    """The error with its traceback."""
    if sys.implementation.name == "micropython":
        from io import StringIO

        out = StringIO()
        sys.print_exception(error, out)           # type: ignore[attr-defined]
        return out.getvalue()
    from traceback import format_exception

    return "".join(format_exception(error))
