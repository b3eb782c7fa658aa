"""One configured span: opened, lost, opened again, and its D-channel socket. The real-time thread's."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from appliance.bus.messages import SpanState
from appliance.config.schema import SpanConfig
from appliance.span.dchannel import DChannel
from e1_driver import Alarm, Block, Counters, LineError, LineStatus, Span, open_span

RETRY_S = 1.0

T = TypeVar("T")


class Seat:
    """A span that cannot be opened, or was lost, has LOS and is tried every second. `say` is for the log."""

    def __init__(self, config: SpanConfig, dchannel: Path, say: Callable[[str], None]) -> None:
        self.config = config
        self.span: Span | None = None
        self.dchannel = DChannel(dchannel)
        self._say = say
        self._said = ""
        self._retry_at = float("-inf")
        self._before = asdict(Counters())         # of the objects that were lost

    def open(self, now: float) -> bool:
        """Try when it is time to; True when `span` is new."""
        if self.span is not None or now < self._retry_at:
            return False
        try:
            self.span = open_span(self.config.url)
        except LineError as error:
            self._failed(error, now)
            return False
        self._said = ""
        return True

    def read(self, now: float) -> Block | None:
        """The line's next block; its D-channel frames go to the client."""
        return self._guarded(lambda span: self._read(span, now), None, now)

    def _read(self, span: Span, now: float) -> Block | None:
        block = span.read(now)
        frames = span.receive_frames()
        if frames:
            self.dchannel.deliver(frames)
        return block

    def write(self, block: Block, now: float) -> None:
        self._guarded(lambda span: span.write(block), None, now)

    def send_frames(self, now: float) -> None:
        """The client's frames to the line."""
        for frame in self.dchannel.take():
            self.dchannel.counters.dchannel_dropped_out += not self._send_frame(frame, now)

    def _send_frame(self, frame: bytes, now: float) -> bool:
        return self._guarded(lambda span: span.send_frame(frame), False, now)

    def status(self, now: float) -> LineStatus:
        """LOS while there is no span."""
        return self._guarded(lambda span: span.status(), LineStatus(frozenset({Alarm.LOS})), now)

    def state(self, status: LineStatus, slips: int) -> SpanState:
        """`status` with the counters; `slips`: the matrix's, to be added to the line's."""
        counters = self._totals()
        counters["slips"] += slips
        return SpanState(
            span=self.config.name, up=status.up, alarms=sorted(status.alarms),
            counters=counters | asdict(self.dchannel.counters), at=time.time())

    def close(self) -> None:
        self.dchannel.close()
        if self.span is not None:
            self.span.close()

    def _totals(self) -> dict[str, int]:
        present = asdict(self.span.counters()) if self.span is not None else {}
        return {name: count + present.get(name, 0) for name, count in self._before.items()}

    def _guarded(self, act: Callable[[Span], T], otherwise: T, now: float) -> T:
        if self.span is None:
            return otherwise
        try:
            return act(self.span)
        except LineError as error:
            self._before = self._totals()
            self.span.close()
            self.span = None
            self._failed(error, now)
            return otherwise

    def _failed(self, error: LineError, now: float) -> None:
        self._retry_at = now + RETRY_S
        if str(error) != self._said:
            self._said = str(error)
            self._say(f"span {self.config.name}: {error}; tried again every second")
