"""DAHDI's span over Ethernet, looped by DAHDI itself. Far end and clock is our `tdmoe:`, outside."""

import select
import time
from collections.abc import Callable

from e1_driver import Clock, Loop, Span, open_span
from hil_tests.dahdi.far_end import HERE, STOP

WITHIN_S = 100.0
TURN_MS = 100
SENT_BLOCKS = 20                                  # after these a frame has left DAHDI


def test_looped_until_told_to_stop() -> None:
    span = open_span("dahdi:1")
    try:
        assert span.abilities.clock is Clock.LINE
        go_on(span, until=lambda blocks, _: blocks > 0)
        assert span.send_frame(HERE)
        go_on(span, until=lambda blocks, _: blocks > SENT_BLOCKS)
        span.loop(Loop.PAYLOAD)
        states = go_on(span, until=lambda _, frame: frame == STOP)
        go_on(span, until=lambda blocks, _: blocks > SENT_BLOCKS)             # STOP itself is to go back
    finally:
        span.close()
    assert states[-3:] == [True, False, True], "the far end was silent once, and came back"


def go_on(span: Span, until: Callable[[int, bytes], bool]) -> list[bool]:
    """Until so many blocks came while it was up, or this frame; up or not, each change."""
    poll = select.poll()
    poll.register(span.fileno(), select.POLLIN)
    states: list[bool] = []
    blocks, frame = 0, b""
    deadline = time.monotonic() + WITHIN_S
    while not until(blocks, frame):
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s; up: {states}"
        poll.poll(TURN_MS)
        if (block := span.read(time.monotonic())) is not None:
            span.write(block)
            blocks += span.status().up
        if not states or span.status().up is not states[-1]:
            states.append(span.status().up)
        frame = next(iter(span.receive_frames()[-1:]), frame)
    return states
