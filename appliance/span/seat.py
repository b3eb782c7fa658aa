"""One configured span: its device, its D-channel socket, its seconds. The real-time thread's."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path

from appliance.bus.messages import SpanSecond, SpanState
from appliance.config.schema import SpanConfig
from appliance.span.dchannel import DChannel
from appliance.span.seam import Seam
from e1_driver import Alarm, Block, Clock, Counters, LineStatus
from e1_driver.kept import KeptSpan
from e1_driver.watch.performance import Seconds

KEPT_SECONDS = 900                                # for a boxd that was away

# Packets are no loss to a line that has none.
_LINE_COUNTERS = frozenset(field.name for field in fields(Counters) if not field.name.startswith("packets"))


class Seat:
    """`say` is for the log. ValueError: the span's URL is wrong."""

    def __init__(self, config: SpanConfig, dchannel: Path, say: Callable[[str], None]) -> None:
        self.config = config
        self.span = KeptSpan(config.url, lambda text: say(f"span {config.name}: {text}"))
        self.dchannel = DChannel(dchannel)
        self._seam = Seam()                       # of what is sent
        self.seconds: deque[SpanSecond] = deque(maxlen=KEPT_SECONDS)
        self._measure = Seconds(self.span.abilities)
        self._back_at = 0.0                       # when a loan ends
        self._given_away = False                  # ... and until the device is open again

    @property
    def leads(self) -> bool:
        """Whether the box may take its clock from this span now."""
        return self.span.abilities.clock is Clock.LINE and self.span.status().up

    def read(self, now: float) -> Block | None:
        """The line's next block; its D-channel frames go to the client."""
        block = self.span.read(now)
        frames = self.span.receive_frames()
        if frames:
            self.dchannel.deliver(frames)
        return block

    def write(self, block: Block, times: int) -> None:
        """What the line is sent for `times` blocks that were read. `block` is good for this call."""
        if times > 1:                             # what is faded into the next one must last until then
            block = block.copy()
        self.span.write(self._seam.play(block))
        for _ in range(times - 1):
            again = self._seam.stand_in()
            self.span.write(block if again is None else again)

    def leave_out(self, block: Block) -> None:
        """The line gave nothing in time for this, so it has no place to send it."""
        self._seam.leave_out(block.copy())

    def forget(self) -> None:
        """The line is not there: what comes later begins anew."""
        self._seam.forget()

    def send_frames(self) -> None:
        """The client's frames to the line."""
        for frame in self.dchannel.take():
            self.dchannel.counters.dchannel_dropped_out += not self.span.send_frame(frame)

    def observe(self, slips: int, source: str) -> list[SpanSecond]:
        """The seconds that have ended. `slips`: the matrix's, added to the line's; `source`: their clock.

        None of a span that is given away: that nothing is heard is not the line's doing.
        """
        if self._given_away:
            return []
        self._measure.abilities = self.span.abilities
        ended = [SpanSecond(span=self.config.name, second=second, source=source)
                 for second in self._measure.observe(time.time(), self.span.seen(), self._counters(slips))]
        self.seconds += ended
        return ended

    def lend(self, now: float, for_s: float) -> None:
        """Give the device away for `for_s`, 0: take it back."""
        self._back_at = now + for_s
        if for_s:
            self._given_away = True
            self.span.lend(f"{self.config.url}: given away for tests")

    def change(self, now: float, config: SpanConfig) -> None:
        """Other settings of the same span; another line under its name, too."""
        before, self.config = self.config, config
        if config.url != before.url:
            self.span.move(config.url, now)

    def take_back_when_due(self, now: float) -> None:
        """End the loan when its time is over."""
        if now >= self._back_at:
            self.span.take_back(now)
            self._given_away &= self.span.away

    def state(self, status: LineStatus, slips: int) -> SpanState:
        """`status` with the counters; `slips` as in observe()."""
        abilities = self.span.abilities
        return SpanState(
            span=self.config.name, up=status.up, alarms=[] if self._given_away else sorted(status.alarms),
            loop=status.loop, crc4=status.crc4, clock=abilities.clock, trouble=self.span.trouble,
            level_db=status.level_db,
            liu_faults=None if status.liu_faults is None else sorted(status.liu_faults),
            lent=self._given_away and self.span.released,
            untold=sorted(set(Alarm) - abilities.alarms) + sorted(_LINE_COUNTERS - abilities.counters),
            counters=asdict(self._counters(slips)) | asdict(self.dchannel.counters), at=time.time())

    def close(self) -> None:
        self.dchannel.close()
        self.span.close()

    def _counters(self, slips: int) -> Counters:
        counters = self.span.counters()
        return replace(counters, slips=counters.slips + slips)
