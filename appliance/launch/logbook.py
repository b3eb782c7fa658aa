"""What the launcher's programs say, kept in files of bounded size for boxd to find things in.

Like the console it never keeps a program waiting: a thread writes, and what a stuck disk does not take is
left out. A line is unix time, the program's name and its text with tabs between; no two have the same time.
"""

import logging
import queue
import sys
import time
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path

from appliance.launch.place import CannotStart
from appliance.store import LOGS_FILE, LOGS_FOLDER

MOST_OCTETS, FILES = 4 << 20, 4                   # of one file; older ones beside it
MOST_WAITING = 10_000                             # lines
LINE_CHARACTERS = 2000
_STEP_S = 1e-6


class LogBook:
    """CannotStart: the folder cannot be written."""

    def __init__(self, state_dir: Path) -> None:
        folder = state_dir / LOGS_FOLDER
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
            self._file = RotatingFileHandler(
                folder / LOGS_FILE, maxBytes=MOST_OCTETS, backupCount=FILES, encoding="utf-8",
                errors="backslashreplace")
        except OSError as error:
            raise CannotStart(f"{folder}: {error.strerror}: the log cannot be kept there") from None
        self._file.setFormatter(logging.Formatter("%(message)s"))
        # A full disk keeps no lines; a complaint for each would fill the console, which has them anyway.
        self._file.handleError = lambda record: None                 # type: ignore[method-assign]
        waiting: queue.Queue[logging.LogRecord] = queue.Queue(MOST_WAITING)
        self._in, self._out = _Sparing(waiting), QueueListener(waiting, self._file)
        self._last = 0.0
        self._out.start()

    def say(self, name: str, text: str) -> None:
        self._last = at = max(time.time(), self._last + _STEP_S)
        clean = "".join(one if one.isprintable() else " " for one in text[:LINE_CHARACTERS])
        self._in.handle(logging.LogRecord(name, logging.INFO, "", 0, f"{at:.6f}\t{name}\t{clean}", (), None))

    def close(self) -> None:
        """What waits is written first."""
        try:
            self._out.stop()
        except queue.Full:
            print("the log's disk is stuck: its last lines are left out", file=sys.stderr)
            return
        self._file.close()


class _Sparing(QueueHandler):
    """Leaves out what there is no room for."""

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record
