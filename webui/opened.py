"""Recordings as a web server sends them: opened at recordd once for a person's playing, read in parts.

Each opening is an entry of who heard what, so the parts of one playing share it.
"""

import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from appliance.bus.client import Refused
from appliance.bus.messages import Form, OpenRecording, Purpose, ReadRecording, RecordingOpened
from webui.exchange import Exchange

MOST = 128                                        # playings; recordd has room for twice as many
PART_OCTETS = 128 * 1024                          # asked for at once: seconds of WAV, half a minute of Opus
ANSWER_S = 10.0
SAME_S = 3500.0                                   # one playing; later is another. recordd's tickets last 3600


Noted = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    recording: str
    by: str
    purpose: Purpose
    form: Form = "stored"
    ticks: int = 0
    why: str = ""


class Opened:
    """What was opened for whom. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Wanted, tuple[RecordingOpened, float]] = OrderedDict()

    def open(self, exchange: Exchange, wanted: Wanted, noted: Noted, not_this: str = "") -> RecordingOpened:
        """Anew, and `noted`, when it is not open yet, or its ticket is `not_this`. Refused, BusError."""
        with self._lock:
            now = time.monotonic()
            found, at = self._known.pop(wanted, (None, now))
            if found is None or found.ticket == not_this or (not not_this and now - at >= SAME_S):
                at = now
                with noted():
                    found = exchange.ask(OpenRecording(
                        recording=wanted.recording, by=wanted.by, purpose=wanted.purpose, form=wanted.form,
                        ticks=wanted.ticks, why=wanted.why), ANSWER_S)
            self._known[wanted] = found, at
            if len(self._known) > MOST:
                self._known.popitem(last=False)
            return found


class Sound(io.RawIOBase):
    """One that was opened, as a file. It is opened again when recordd has forgotten its ticket."""

    def __init__(self, exchange: Exchange, opened: Opened, wanted: Wanted,
                 noted: Noted = nullcontext) -> None:
        """`noted`: around the opening, for the log. Refused: it cannot be had. BusError: recordd does not
        answer."""
        self._exchange, self._opened, self._wanted = exchange, opened, wanted
        self._is = opened.open(exchange, wanted, noted)
        self._at = 0
        self._part, self._part_at = b"", 0
        self.octets, self.media_type = self._is.octets, self._is.media_type

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.octets}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Shorter than asked at the end of a part. OSError: it is not what it was when this began."""
        if size < 0:
            return b"".join(iter(lambda: self.read(PART_OCTETS), b""))
        if self._at >= self.octets:
            return b""
        if not self._part_at <= self._at < self._part_at + len(self._part):
            self._part, self._part_at = self._fetch(), self._at
        begin = self._at - self._part_at
        found = self._part[begin:begin + size]
        self._at += len(found)
        return found

    def _fetch(self) -> bytes:
        def ask() -> bytes:
            return self._exchange.ask(
                ReadRecording(ticket=self._is.ticket, at=self._at, most_octets=PART_OCTETS), ANSWER_S).octets
        try:
            return ask()
        except Refused:
            self._is = self._opened.open(self._exchange, self._wanted, nullcontext, self._is.ticket)
            if self._is.octets != self.octets:
                raise OSError(f"{self._wanted.recording}: has another length than before") from None
            return ask()
