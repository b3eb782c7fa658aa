"""trunkd under calls: one full D-channel, the delay that it adds, sixteen D-channels at once."""
import threading
import time

from hil_tests.instruments.bulk import BulkResult
from hil_tests.instruments.exchange import SoftwareExchange
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import CALLED
from tests.bench.processes import Meter
from tests.bench.signalling import libpri_pair
from tests.bench.trunk_box import TrunkBox

SETTLE_S = 3.0                                    # what starting left to do
IDLE_S = 5.0
CALLING = "13800138000"
FULL_CALLS, AT_ONCE, UNLIMITED_PER_S = 900, 30, 1000.0
OFFERED_PER_S = 10.1                              # at every phase of the line's blocks
OFFERED_CALLS, OVER_THE_LINE_CALLS = 500, 200
SPANS, SPAN_PER_S, SPANS_FOR_S = 16, 10.0, 60.0


# --- one D-channel, full


def full_once(say: Say) -> dict[str, float]:
    say(f"  libpri to libpri: {FULL_CALLS} calls as fast as they go")
    with libpri_pair() as calling:
        libpri = _call(calling, FULL_CALLS, UNLIMITED_PER_S)
    with TrunkBox(1) as box:
        time.sleep(SETTLE_S)
        say(f"  idle for {IDLE_S:g} s")
        meter = Meter(box, ("spand",))
        time.sleep(IDLE_S)
        idle = meter.share_besides_main("spand")
        say(f"  libpri to trunkd: {FULL_CALLS} calls as fast as they go")
        meter = Meter(box, ("trunkd", "spand", "bus"))
        [exchange] = box.exchanges
        result = _call(exchange, FULL_CALLS, UNLIMITED_PER_S)
        share, lines = meter.shares(), meter.share_besides_main("spand")
        say(f"  {OFFERED_PER_S:g} calls/s")
        offered = _call(exchange, OVER_THE_LINE_CALLS, OFFERED_PER_S).setup_to_proceeding
    return {
        "full D-channel": result.calls_per_s,
        "full D-channel, libpri": libpri.calls_per_s,
        "full D-channel, ratio": result.calls_per_s / libpri.calls_per_s,
        "full D-channel: trunkd and HDLC": share["trunkd"] + lines - idle,
        "full D-channel: trunkd": share["trunkd"],
        "full D-channel: HDLC": lines - idle,
        "full D-channel: spand, real-time thread without calls": idle,
        "full D-channel: spand, all of it": share["spand"],
        "full D-channel: bus": share["bus"],
        "full D-channel: trunkd, of a call": 10 * share["trunkd"] / result.calls_per_s,
        "set-up delay over the line, p50": offered.p50_ms,
        "set-up delay over the line, p99": offered.p99_ms,
    }


FULL = Theme(
    "d-channel", "libpri at the far end of a virtual line calls, trunkd takes the call, a small program "
    f"answers it, libpri hangs up at CONNECT: {FULL_CALLS} calls, up to {AT_ONCE} at once, as fast as 64 "
    "kbit/s let them; for comparison, two libpri ends do the same on a line of their own. HDLC is what "
    "spand's real-time thread takes more than without calls: the D-channel, its socket, and the channels of "
    f"{AT_ONCE} calls. The rest of spand's CPU is for the bus: each call's channel is bound and let go. Then "
    f"{OVER_THE_LINE_CALLS} calls at {OFFERED_PER_S:g} a second: from SETUP at the exchange to CALL "
    "PROCEEDING there, with the blocks of 10 ms that a line has.",
    (
        Kind("full D-channel", "calls/s", "at least 67"),
        Kind("full D-channel, libpri", "calls/s"),
        Kind("full D-channel, ratio", "trunkd/libpri", "1"),
        Kind("full D-channel: trunkd and HDLC", "% of a core", "under 25"),
        Kind("full D-channel: trunkd", "% of a core"),
        Kind("full D-channel: HDLC", "% of a core"),
        Kind("full D-channel: spand, real-time thread without calls", "% of a core"),
        Kind("full D-channel: spand, all of it", "% of a core"),
        Kind("full D-channel: bus", "% of a core"),
        Kind("full D-channel: trunkd, of a call", "CPU-ms/call"),
        Kind("set-up delay over the line, p50", "ms"),
        Kind("set-up delay over the line, p99", "ms"),
    ), full_once)


# --- the delay that trunkd adds


def delay_once(say: Say) -> dict[str, float]:
    with TrunkBox(1, lines=False) as box:
        time.sleep(SETTLE_S)
        say(f"  {OFFERED_PER_S:g} calls/s")
        delay = _call(box.exchanges[0], OFFERED_CALLS, OFFERED_PER_S).setup_to_proceeding
    return {"set-up delay, p50": delay.p50_ms, "set-up delay, p99": delay.p99_ms}


DELAY = Theme(
    "set-up", "libpri in spand's place, at trunkd's D-channel socket: from its SETUP to the CALL PROCEEDING "
    f"that it reads, {OFFERED_CALLS} calls at {OFFERED_PER_S:g} a second, answered and cleared. The call is "
    "in trunkd's table before CALL PROCEEDING leaves. There is no line, and with it none of its blocks.",
    (
        Kind("set-up delay, p50", "ms"),
        Kind("set-up delay, p99", "ms", "under 5"),
    ), delay_once)


# --- sixteen D-channels


def spans_once(say: Say) -> dict[str, float]:
    with TrunkBox(SPANS) as box:
        time.sleep(SETTLE_S)
        say(f"  idle for {IDLE_S:g} s")
        meter = Meter(box, ("trunkd", "spand", "bus"))
        time.sleep(IDLE_S)
        idle = meter.shares()
        say(f"  {SPANS} x {SPAN_PER_S:g} calls/s for {SPANS_FOR_S:g} s")
        before = box.frames_not_carried(), box.frames_sent_again()
        meter = Meter(box, ("trunkd", "spand", "bus"))
        results = _call_everywhere(box, round(SPAN_PER_S * SPANS_FOR_S), SPAN_PER_S)
        share = meter.shares()
        time.sleep(SETTLE_S)                      # the last figures are said
        not_carried, sent_again = box.frames_not_carried() - before[0], box.frames_sent_again() - before[1]
    placed = sum(result.calls for result in results)
    return {
        "16 D-channels": placed / max(result.seconds for result in results),
        "16 D-channels: calls lost": placed - sum(result.answered for result in results),
        "16 D-channels: frames lost": not_carried,
        "16 D-channels: frames sent again": sent_again,
        "16 D-channels: trunkd": share["trunkd"],
        "16 D-channels: spand": share["spand"],
        "16 D-channels: spand without calls": idle["spand"],
        "16 D-channels: bus": share["bus"],
        "16 D-channels: set-up delay over the line, p99": max(
            result.setup_to_proceeding.p99_ms for result in results),
    }


SIXTEEN = Theme(
    "trunks", f"{SPANS} virtual lines with libpri at each, {SPAN_PER_S:g} calls a second on every one for "
    f"{SPANS_FOR_S:g} s, answered and cleared as in the theme d-channel. Frames lost are those that a socket "
    "or a queue had no room for and those that came damaged. The set-up delay is that of the slowest line.",
    (
        Kind("16 D-channels", "calls/s", f"{SPANS * SPAN_PER_S:g}"),
        Kind("16 D-channels: calls lost", "calls", "0"),
        Kind("16 D-channels: frames lost", "frames", "0"),
        Kind("16 D-channels: frames sent again", "frames", "0"),
        Kind("16 D-channels: trunkd", "% of a core"),
        Kind("16 D-channels: spand", "% of a core"),
        Kind("16 D-channels: spand without calls", "% of a core"),
        Kind("16 D-channels: bus", "% of a core"),
        Kind("16 D-channels: set-up delay over the line, p99", "ms"),
    ), spans_once)


def _call(exchange: SoftwareExchange, calls: int, per_s: float) -> BulkResult:
    return exchange.bulk(calls, AT_ONCE, per_s, CALLED, CALLING)


def _call_everywhere(box: TrunkBox, calls: int, per_s: float) -> list[BulkResult]:
    results: list[BulkResult] = []
    threads = [threading.Thread(target=lambda exchange=exchange: results.append(
        _call(exchange, calls, per_s))) for exchange in box.exchanges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
