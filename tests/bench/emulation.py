"""Emulated circuits over loopback UDP: CPU of the thread with the spans; the far ends are another process."""

import json
import select
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np

from e1_driver import BLOCK, BLOCK_S, TIMESLOTS, Span, open_span
from tests.bench.figures import Kind, Say, Theme
from tests.e1_driver.circuits import circuit_urls

SPANS = 16
MEASURE_S = 5.0
UP_S = 10.0                                       # until which all circuits are up
CASES = {
    "16 cesop spans, packets of 1 ms": ("cesop", "", SPANS),
    "16 cesop spans, packets of 5 ms": ("cesop", "&frames=40", SPANS),
    "one satop span, packets of 1 ms": ("satop", "", 1),
}


def once(say: Say) -> dict[str, float]:
    return {name: _share(*case) for name, case in CASES.items()}


def _share(scheme: str, options: str, count: int) -> float:
    """Percent of a core for `count` spans, by the blocks that they carried."""
    pairs = circuit_urls(count, scheme, options)
    with ExitStack() as stack:
        far = stack.enter_context(subprocess.Popen(
            [sys.executable, "-m", "tests.bench.emulation", json.dumps([b for _, b in pairs])],
            stdin=subprocess.PIPE))
        stack.callback(far.kill)
        spans = [open_span(a) for a, _ in pairs]
        for span in spans:
            stack.callback(span.close)
        up_by = time.monotonic() + UP_S
        while not all(span.status().up for span in spans):
            if time.monotonic() > up_by:
                raise RuntimeError(f"{scheme}: not up within {UP_S} s")
            turn(spans, 0.5)
        began_s, before = time.thread_time(), carried(spans)
        turn(spans, MEASURE_S)
        spent_s, blocks = time.thread_time() - began_s, carried(spans) - before
        if down := [span.status() for span in spans if not span.status().up]:
            raise RuntimeError(f"{scheme}: {len(down)} spans went down: {down[0]}")
    return 100 * spent_s / (blocks / count * BLOCK_S)


def carried(spans: list[Span]) -> int:
    return sum(span.counters().blocks_in for span in spans)


def turn(spans: list[Span], seconds: float) -> None:
    """A daemon's loop: a block and the frames of each span as they come, a block out for each."""
    block = np.random.default_rng(1).integers(0, 256, (TIMESLOTS, BLOCK), np.uint8)
    epoll, by_descriptor = select.epoll(), {span.fileno(): span for span in spans}
    for descriptor in by_descriptor:
        epoll.register(descriptor, select.EPOLLIN)
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for descriptor, _ in epoll.poll(max(0.0, until - now)):
            span = by_descriptor[descriptor]
            if span.read(time.monotonic()) is not None:
                span.write(block)
            span.receive_frames()
    epoll.close()


EMULATION = Theme(
    "emulation", "Circuits over UDP on the loopback interface, both directions, with HDLC on timeslot 16 and "
    "ticks of 10 ms: CPU of the thread that turns the spans, the kernel's work for their packets included.",
    tuple(Kind(name, "% of a core", "20" if "cesop" in name else "") for name in CASES), once, runs=5)

if __name__ == "__main__":
    turn([open_span(url) for url in json.loads(sys.argv[1])], 3600.0)
