"""Waveforms of recordings that are being made: each look reads only what came since the look before."""

import threading
from collections import OrderedDict

from appliance.recording.audio import Peaks
from appliance.recording.audio.waveform import Waveform
from appliance.recording.journal.taker import Taker

MOST = 32                                         # that people look at; the oldest look begins anew


class Waves:
    """Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Peaks, int]] = OrderedDict()     # as far as this tick

    def of(self, taker: Taker, recording: str) -> tuple[Waveform, int]:
        """As it is now, and of how many ticks. ValueError: it is not being made (any more)."""
        with self._lock:
            peaks, done = self._known.pop(recording) if recording in self._known else (Peaks(), 0)
            of = taker.timeline(recording)
            for block in taker.audio(recording, of, done):
                peaks.add(block)
            self._known[recording] = (peaks, of.ticks)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
            return Peaks.read(peaks.write()), of.ticks
