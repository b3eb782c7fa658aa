"""Telephone events: key presses beside the audio, in and out.

Ref: RFC 4733 2.3 (payload), 2.5.1 (sending: 2.5.1.2 timing, 2.5.1.3 long events, 2.5.1.4 the end three
times), 2.5.2 (receiving), 3.2 (DTMF events). Times are in samples of the RTP clock.
"""

import struct
from collections import deque
from dataclasses import dataclass

import numpy as np

from appliance.media import tones
from appliance.media.g711 import Octets
from e1_driver import BLOCK, IDLE

NAMES = "0123456789*#ABCD"                        # by event number
VOLUME_DBM0 = -10
ENDS = 3
LONGEST = 0xFFFF                                  # samples in one event; a longer one goes on in the next
MOST_WAITING = 64                                 # digits

TONE, PAUSE = 8 * BLOCK, 6 * BLOCK                # least of a digit made audible: twice what Q.24 asks for
GAP = 12 * BLOCK                                  # without an update an event is over

_PAYLOAD = struct.Struct(">BBH")
_END = 0x80
_VOLUME = 0x3F


@dataclass(frozen=True, slots=True)
class Event:
    """One packet's payload."""

    number: int
    end: bool
    duration: int
    volume_dbm0: int = VOLUME_DBM0

    def encode(self) -> bytes:
        return _PAYLOAD.pack(self.number, self.end * _END | -self.volume_dbm0 & _VOLUME, self.duration)

    @classmethod
    def decode(cls, payload: bytes) -> "Event | None":
        """The first of a packet; None: it is none, or not one of the keys."""
        if len(payload) < _PAYLOAD.size:
            return None
        number, flags, duration = _PAYLOAD.unpack_from(payload)
        if number >= len(NAMES):
            return None
        return cls(number, bool(flags & _END), duration, -(flags & _VOLUME))


class Listener:
    """Tells events of one leg apart."""

    def __init__(self) -> None:
        self._timestamp = -1
        self._number = -1
        self._duration = 0

    def hear(self, event: Event, timestamp: int) -> bool:
        """Whether it is a new one. `timestamp` is without the wrap; those of older events are nothing new."""
        if timestamp <= self._timestamp:
            if timestamp == self._timestamp:
                self._duration = max(self._duration, event.duration)
            return False
        goes_on = (event.number == self._number and self._duration == LONGEST
                   and timestamp == self._timestamp + LONGEST)                  # 2.5.1.3
        self._timestamp, self._number, self._duration = timestamp, event.number, event.duration
        return not goes_on


class Talker:
    """Digits to send as events of one leg, in place of its audio. One packet each time that one is due."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, int]] = deque()     # number, tone, pause
        self._number = self._tone = self._pause = 0
        self._sent = 0                            # samples since it began
        self._ends = 0                            # still to be sent
        self._quiet = 0                           # samples until the next may begin
        self.timestamp = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._ends or self._quiet > 0)

    def say(self, digits: str, tone: int, pause: int) -> None:
        """Those beyond MOST_WAITING are left out."""
        for digit in digits[:MOST_WAITING - len(self._waiting)]:
            self._waiting.append((NAMES.index(digit), tone, pause))

    def next(self, timestamp: int, samples: int) -> tuple[bytes, bool] | None:
        """Payload and marker of the packet for `samples` from `timestamp` on; None: audio."""
        self._quiet -= samples
        if not self._ends:
            if not self._waiting or self._quiet > 0:
                return None
            self._number, self._tone, self._pause = self._waiting.popleft()
            self.timestamp, self._sent, self._ends, first = timestamp, 0, ENDS, True
        else:
            first = False
        self._sent += samples
        end = self._sent >= self._tone
        payload = Event(self._number, end, min(self._sent, self._tone)).encode()
        if end:
            if self._ends == ENDS:
                self._quiet = self._pause + samples
            self._ends -= 1
        return payload, first


class Regenerator:
    """Makes received events audible: each while it is held, TONE at least, then PAUSE."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._sounding = -1
        self._tone = self._pause = 0              # samples of it so far
        self._held = 0                            # samples until the newest event is taken for over

    def hear(self, event: Event, new: bool) -> None:
        if new and len(self._waiting) < MOST_WAITING:
            self._waiting.append(event.number)
        self._held = 0 if event.end else GAP

    def take(self) -> Octets | None:
        """The next block of A-law; None: nothing sounds."""
        if self._sounding < 0:
            if not self._waiting:
                return None
            self._sounding, self._tone, self._pause = self._waiting.popleft(), 0, 0
        self._held -= BLOCK
        if self._pause == 0 and (self._tone < TONE or (self._held > 0 and not self._waiting)):
            at = self._tone % len(_TONES[0])
            self._tone += BLOCK
            return _TONES[self._sounding][at:at + BLOCK]
        self._pause += BLOCK
        if self._pause >= PAUSE:
            self._sounding = -1
        return _SILENCE


_SILENCE = np.full(BLOCK, IDLE, np.uint8)
_TONES = [tones.dtmf(name, on_ms=1000, off_ms=0) for name in NAMES]            # a second: no seam
