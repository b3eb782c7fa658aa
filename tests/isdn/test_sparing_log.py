"""What a far end in trouble causes with every frame is said a few times a minute, and counted."""
import logging

import pytest

from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Parameters
from appliance.isdn.sparing_log import MOST
from tests.isdn.line import Bench

FAULTY = bytes((8, 2, 0, 1, 0x05))                # a SETUP that lacks all that is mandatory
FAULTS = 200
QUEUE = Parameters().queue_limit


def said(caplog: pytest.LogCaptureFixture, what: str, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records
            if record.levelno == level and what in record.getMessage()]


def test_a_flood_of_faulty_messages_is_a_few_lines_a_minute_and_a_number(
        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(Side.USER, name="telco1")
    for _ in range(FAULTS):
        bench.send_octets(FAULTY)
    assert len(said(caplog, "telco1: faulty message: ", logging.INFO)) == MOST
    bench.run(61.0)
    bench.send_octets(FAULTY)
    assert said(caplog, "faulty", logging.INFO)[-1].endswith(f"(and {FAULTS - MOST} more like it, not said)")
    bench.send_octets(FAULTY)
    assert "more like it" not in said(caplog, "faulty", logging.INFO)[-1]
    assert bench.ours.figures()["faulty_messages"] == FAULTS + 2


def test_a_far_end_that_takes_nothing_costs_a_few_lines_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Side.USER, name="telco1")
    bench.offer()
    for _ in range(QUEUE + FAULTS):               # frames for it are lost: layer 2's queue fills up
        bench.ours.notify("k1", 0, bench.now)
    dropped = bench.ours.figures()["messages_dropped"]
    lines = said(caplog, "telco1: NOTIFY not sent: ", logging.WARNING)
    assert dropped > len(lines) == MOST
