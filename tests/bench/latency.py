"""How soon: an agent is free and the next call rings there; a call arrives and the board has it."""

import time

import numpy as np

from appliance.bus.messages import Board, GetCalls
from hil_tests.instruments.answering import Answering
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import CALLED, QUEUE_FLOW, BenchError, config
from tests.e2e.rig import Rig

CALLERS = 30                                      # wait for the one agent
ROUNDS = 2
TALK_S = 0.05
SERVED_S = 20.0                                   # all of them, at most
ARRIVALS = 40


def once(say: Say) -> dict[str, float]:
    with Rig(config(agents=1), QUEUE_FLOW) as rig:
        say(f"  {ROUNDS} times {CALLERS} callers wait for one agent")
        rig.pbx.answering(Answering(hang_up_after_s=TALK_S))
        offers_ms = [1000 * delay for _ in range(ROUNDS) for delay in _offers_s(rig)]
        say(f"  {ARRIVALS} calls appear on the board")
        rig.pbx.answering(Answering(answer_after_s=None))
        board_ms = [1000 * _arrival_s(rig, number) for number in range(ARRIVALS)]
    return {
        "agent free to telephone ringing, p50": float(np.percentile(offers_ms, 50)),
        "agent free to telephone ringing, p99": float(np.percentile(offers_ms, 99)),
        "SETUP to board event, p50": float(np.percentile(board_ms, 50)),
        "SETUP to board event, p99": float(np.percentile(board_ms, 99)),
    }


def _offers_s(rig: Rig) -> list[float]:
    """From the end of the agent's leg in trunkd to the next SETUP read at the PBX, for all but the first."""
    began, taken = time.time(), rig.pbx.statistics.taken
    calls = [rig.telco.place_call(CALLED) for _ in range(CALLERS)]
    for call in calls:
        call.wait_over(SERVED_S)
    wall_minus_monotonic = time.time() - time.monotonic()
    rung = sorted(call.setup_at + wall_minus_monotonic for call in rig.pbx.past
                  if call.setup_at + wall_minus_monotonic >= began)
    if rig.pbx.statistics.taken - taken != CALLERS or len(rung) != CALLERS:
        raise BenchError(f"{CALLERS} callers came, the agent's telephone rang {len(rung)} times")
    reply = rig.bus.ask_until(GetCalls(), lambda reply: not reply.calls)
    free = sorted(info.since for info in reply.released if info.trunk == "pbx" and info.since >= began)
    return [ring - end for end, ring in zip(free, rung[1:], strict=False)]


def _arrival_s(rig: Rig, number: int) -> float:
    """From SETUP to the first board with the call. The last call's end has just been told."""
    calling, mark = f"13900139{number:03}", rig.bus.mark()
    call = rig.telco.place_call(CALLED, calling=calling)
    rig.bus.wait_event(
        Board, lambda board: any(contact.calling == calling for contact in board.contacts), since=mark)
    delay = time.monotonic() - call.setup_at
    call.hang_up()
    call.wait_over(5.0)
    return delay


LATENCY = Theme(
    "latency", f"{CALLERS} callers wait for one agent, whose telephone answers at once and hangs up "
    f"after {TALK_S * 1000:g} ms: from the moment the agent's leg is gone to the moment the PBX has read the "
    f"next SETUP. Then {ARRIVALS} calls one after the other: from SETUP at the telco's exchange to the board "
    "event on the bus that has the call. Both include the line's 10 ms blocks.",
    (
        Kind("agent free to telephone ringing, p50", "ms"),
        Kind("agent free to telephone ringing, p99", "ms", "under 50"),
        Kind("SETUP to board event, p50", "ms"),
        Kind("SETUP to board event, p99", "ms", "at most 200"),
    ), once, runs=5)
