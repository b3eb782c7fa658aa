"""What one call says and hears: octets for the next block, and all that came, in order."""

from collections import deque

import numpy as np

from e1_driver import BLOCK
from hil_tests.instruments import audio

SPARE_OCTETS = audio.RATE_HZ                      # forgotten at once, not octet by octet


class Voice:
    """`speak` and `hear` are the line's thread's; the rest is called under the exchange's audio condition."""

    def __init__(self, keep_s: float) -> None:
        self._sound: audio.Octets | None = None
        self._at = 0
        self._repeat = False
        self._first: deque[audio.Octets] = deque()       # said before the sound goes on: keys
        self._keep_octets = int(keep_s * audio.RATE_HZ)
        self._heard = bytearray()
        self._forgotten_octets = 0

    def play(self, octets: audio.Octets | None, repeat: bool) -> None:
        """In place of what plays now; None: silence."""
        self._sound = octets if octets is not None and len(octets) else None
        self._at, self._repeat = 0, repeat

    def play_first(self, octets: audio.Octets) -> None:
        self._first.append(octets)

    @property
    def speaking(self) -> bool:
        """True while something that ends is being said."""
        return bool(self._first) or (self._sound is not None and not self._repeat)

    def speak(self, out: audio.Octets) -> None:
        """Fill one block of what is said next; the rest stays as it is."""
        filled = 0
        while self._first and filled < BLOCK:
            head = self._first[0]
            taken = min(len(head), BLOCK - filled)
            out[filled:filled + taken] = head[:taken]
            filled += taken
            if taken == len(head):
                self._first.popleft()
            else:
                self._first[0] = head[taken:]
        while self._sound is not None and filled < BLOCK:
            taken = min(len(self._sound) - self._at, BLOCK - filled)
            out[filled:filled + taken] = self._sound[self._at:self._at + taken]
            filled += taken
            self._at += taken
            if self._at == len(self._sound):
                self._at = 0
                if not self._repeat:
                    self._sound = None

    def hear(self, octets: audio.Octets) -> None:
        self._heard += octets.tobytes()
        if len(self._heard) > self._keep_octets + SPARE_OCTETS:
            self._forgotten_octets += SPARE_OCTETS
            del self._heard[:SPARE_OCTETS]

    @property
    def heard_octets(self) -> int:
        """How many came since the channel opened."""
        return self._forgotten_octets + len(self._heard)

    def heard(self, from_octet: int) -> audio.Octets:
        """A copy from there on; what is forgotten is left out."""
        return np.frombuffer(bytes(self._heard[max(0, from_octet - self._forgotten_octets):]), np.uint8)
