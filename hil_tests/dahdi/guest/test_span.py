"""Our driver on a real DAHDI: what it says of the device and of wrong words; a stall, an alarm, its loss."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from e1_driver import BEARERS, BLOCK, Alarm, Clock, LineError, Loop, open_span
from e1_driver.backends.dahdi_device import Control
from e1_driver.backends.dahdi_wire import Alarms, Sig
from hil_tests.dahdi.guest import spans
from tests.e1_driver.contract import Pair, crosses, frames_cross, opened
from tests.e1_driver.ends import End, run

SECOND = range(32, 63)                            # channels of span 2
STALLS = 3
STALL_BLOCKS = 50                                 # of the other end: 500 ms, more than DAHDI's buffers hold


@pytest.fixture
def pair() -> Iterator[Pair]:
    with opened("dahdi:1", "dahdi:2", skew_octets=BLOCK) as both:
        both.run_up()
        yield both


def delays(sender: End, receiver: End, blocks: int = 20) -> list[float]:
    """By how many blocks each bearer lags: of the last blocks that certainly arrived."""
    first = len(sender.sent) - 2 * blocks
    ahead = len(receiver.received) - len(sender.received)      # it began earlier, or the other was stalled
    found = []
    for timeslot in BEARERS:
        octets = b"".join(block[timeslot] for block in receiver.received)
        at = octets.find(b"".join(block[timeslot] for block in sender.sent[first:first + blocks]))
        assert at >= 0, f"timeslot {timeslot}: lost"
        found.append(at / BLOCK - ahead - first)
    return found


def run_block(end: End) -> None:
    blocks = len(end.received) + 1
    run(end, until=lambda: len(end.received) >= blocks)


def test_e1ctl_reads_it_and_tests_it_in_a_local_loop() -> None:
    def e1ctl(*command: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "e1_driver.ctl", *command, "--json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts

    status = e1ctl("status", "dahdi:1", "--for", "2")
    assert (status["up"], status["counters"]["crc_errors"]) == (True, None)
    bert = e1ctl("bert", "dahdi:1", "--loop", "local", "--timeslots", "1-3", "--for", "4")
    assert bert["clean"] and bert["in_sync"] and bert["bits"] > 100_000


def test_a_dynamic_span_says_what_it_cannot_tell(pair: Pair) -> None:
    can = pair.a.span.abilities
    assert can.alarms == {Alarm.LOS, Alarm.RAI}
    assert not can.counters & {"code_violations", "fas_errors", "crc_errors", "e_bits"}
    assert can.loops == {Loop.LOCAL, Loop.PAYLOAD}
    assert can.clock is Clock.OWN
    assert pair.a.span.status().crc4 is None


def test_a_span_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(LineError, match=r"dahdi:9: DAHDI has no span 9, it has 1 \(DYN/loc/1:0\), 2 "):
        open_span("dahdi:9")


def test_a_channel_in_use_is_named(pair: Pair) -> None:
    with pytest.raises(LineError, match=r"dahdi:1: channel 1 \(timeslot 1\) is open in another program"):
        open_span("dahdi:1")
    crosses(pair, (pair.a, pair.b))               # who has it keeps it


@pytest.mark.parametrize(("sig", "words"), [
    (Sig.NONE, r"channel 33 \(timeslot 2\) is not configured: write bchan="),
    (Sig.HDLCFCS, r"channel 33 \(timeslot 2\) has signalling 0x380: write bchan="),
])
def test_a_channel_configured_otherwise_is_named(sig: Sig, words: str) -> None:
    spans.configure(33, sig)
    try:
        with pytest.raises(LineError, match=words):
            open_span("dahdi:2")
    finally:
        spans.configure(33, Sig.CLEAR)


def test_a_d_channel_configured_as_clear_is_switched_to_hdlc() -> None:
    spans.configure(47, Sig.CLEAR)
    try:
        with opened("dahdi:1", "dahdi:2") as pair:
            pair.run_up()
            frames_cross(pair, pair.a, pair.b)
            frames_cross(pair, pair.b, pair.a)
    finally:
        spans.configure(47, Sig.HDLCFCS)


def test_after_stalls_the_delay_is_what_it_was(pair: Pair) -> None:
    pair.run_blocks(60)
    before = delays(pair.a, pair.b)
    assert max(before) - min(before) < 1          # bearers of a received block are of the same time
    assert pair.lost() == 0
    for _ in range(STALLS):
        lost = pair.a.span.counters().slips
        for _ in range(STALL_BLOCKS):
            run_block(pair.b)
        pair.run_blocks(15)
        assert pair.a.span.counters().slips > lost
    lost = pair.lost()
    pair.run_blocks(60)
    assert pair.lost() == lost
    after = delays(pair.a, pair.b)
    assert max(after) - min(after) < 1
    assert abs(after[0] - before[0]) <= 1         # where the run ended: one of the two had a block more


def test_a_silent_far_end_is_los_and_clears_by_itself() -> None:
    span, control = open_span("dahdi:1"), Control("bench")
    try:
        end = End(span, seed=1)
        run(end, until=lambda: span.status().up and bool(end.received))
        spans.destroy("1:1")
        run(end, until=lambda: Alarm.LOS in span.status().alarms, within_s=1.0)          # no octets come
        run(end, until=lambda: bool(control.span(1).alarms & Alarms.RED), within_s=2.5)
        spans.create("1:1", SECOND)
        run(end, until=lambda: span.status().up, within_s=2.5)
        span.close()
        with opened("dahdi:1", "dahdi:2", skew_octets=BLOCK) as pair:
            crosses(pair, (pair.a, pair.b), (pair.b, pair.a))
    finally:
        control.close()
        span.close()


def test_a_driver_that_goes_is_a_line_error(pair: Pair) -> None:
    """Last: the span is gone for good."""
    spans.pull(2)
    with pytest.raises(LineError, match=r"dahdi:2: .*(has gone|no span 2)"):
        run(pair.b, until=lambda: False, within_s=2.0)
    pair.b.span.close()
    with pytest.raises(LineError, match="DAHDI has no span 2"):
        open_span("dahdi:2")
