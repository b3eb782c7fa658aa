"""The far end of the guest's span over Ethernet: our `tdmoe:`, outside, which is its clock as well."""

import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from e1_driver import BEARERS, BLOCK, TIMESLOTS, Alarm, Block, Span, open_span

GUEST, OWN = "52:54:00:12:34:56", "02:00:00:00:00:01"            # eth.conf names the second
BUFFER_MS = 200                                   # a guest without KVM is uneven
HERE, STOP = b"\xfc\xff\x03here", b"\xfc\xff\x03stop"         # the guest's: it loops now; ours: it is done
FRAMES = [bytes((0xFC, 0xFF, 0x03)) + bytes((mark,)) * length for mark, length in (
    (0x00, 1), (0x55, 40), (0xFF, 150), (0x7E, 257))]
SILENCE_S = 2.0                                   # DAHDI's dynamic spans call more than one RED
WINDOW_BLOCKS, SETTLE_BLOCKS, TRIES = 20, 60, 20


class FarEnd:
    """Runs in a thread of its own from start() on; `story` says what was proved, `error` what was not."""

    def __init__(self, path: Path) -> None:
        self.story: list[str] = []
        self.error: Exception | None = None
        self.span: Span = open_span(f"tdmoe:unix:{path}/{GUEST}/0?listen=yes&own={OWN}&buffer_ms={BUFFER_MS}")
        self._sent: list[Block] = []
        self._received: list[Block] = []
        self._frames: list[bytes] = []
        self._noise = np.random.default_rng(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="far end", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """When the guest has ended. Waits for what is under way, so that `error` is final."""
        self._over.set()
        self._thread.join()
        self.span.close()

    def _run(self) -> None:
        try:
            self._prove()
        except Exception as error:
            self.error = error

    def _prove(self) -> None:
        self._go_on(lambda: HERE in self._frames, within_s=120.0)
        before = self.span.counters()
        self._octets_return()
        self._frames_return()
        after = self.span.counters()
        self.story.append(
            f"{after.packets_in - before.packets_in} packets in, {after.slips - before.slips} slips, "
            f"{after.packets_lost - before.packets_lost} packets lost")
        time.sleep(SILENCE_S)                     # the one thing to do is nothing
        self._go_on(lambda: Alarm.LOS not in self.span.status().alarms)
        self._octets_return()
        self.story.append(f"after {SILENCE_S:g} s of silence the line returned by itself")
        self.span.send_frame(STOP)
        self._go_on(lambda: self._frames[-1:] == [STOP])
        self._go_on(self._over.is_set, within_s=60.0)          # it is the guest's clock until the guest ends

    def _octets_return(self) -> None:
        for tries in range(1, TRIES + 1):
            first = len(self._sent)
            self._go_blocks(WINDOW_BLOCKS + SETTLE_BLOCKS)
            if self._carried(self._sent[first:first + WINDOW_BLOCKS]):
                self.story.append(f"30 bearers there and back, {WINDOW_BLOCKS} blocks octet for octet "
                                  f"(try {tries})")
                return
        raise AssertionError(f"not {WINDOW_BLOCKS} blocks unchanged in {TRIES} tries: {self.span.counters()}")

    def _carried(self, sent: list[Block]) -> bool:
        line = self._received[-3 * (WINDOW_BLOCKS + SETTLE_BLOCKS):]
        return all(b"".join(block[timeslot] for block in sent) in b"".join(block[timeslot] for block in line)
                   for timeslot in BEARERS)

    def _frames_return(self) -> None:
        for frame in FRAMES:
            if not self.span.send_frame(frame):
                raise AssertionError("no room for a frame")
        self._go_on(lambda: self._frames[-len(FRAMES):] == FRAMES)
        self.story.append(f"{len(FRAMES)} D-channel frames there and back in order")

    def _go_blocks(self, blocks: int) -> None:
        until = len(self._sent) + blocks
        self._go_on(lambda: len(self._sent) >= until)

    def _go_on(self, until: Callable[[], bool], within_s: float = 30.0) -> None:
        poll = select.poll()
        poll.register(self.span.fileno(), select.POLLIN)
        deadline = time.monotonic() + within_s
        while not until():
            if self._over.is_set() or time.monotonic() > deadline:
                raise AssertionError(
                    f"not within {within_s:g} s: {self.span.status()}, {self.span.counters()}")
            poll.poll(100)
            block = self.span.read(time.monotonic())
            self._frames += self.span.receive_frames()
            if block is not None:
                self._received.append(block)
                self._sent.append(self._noise.integers(0, 256, (TIMESLOTS, BLOCK), np.uint8))
                self.span.write(self._sent[-1].copy())
