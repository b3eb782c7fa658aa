"""Calls through one D-channel: the box, and for comparison two libpri ends on a line of their own."""

import contextlib
import tempfile
from collections.abc import Iterator

from hil_tests.instruments.answering import Answering
from hil_tests.instruments.bulk import BulkResult
from hil_tests.instruments.exchange import SoftwareExchange
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import ANSWER_FLOW, CALLED, BenchError, config
from tests.bench.processes import Meter
from tests.e2e.rig import Rig

CALLS = 300
AT_ONCE = 30
UNLIMITED_PER_S = 1000.0
OFFERED_CALLS = 200
OFFERED_PER_S = 20.1                              # at every phase of the line's blocks


@contextlib.contextmanager
def libpri_pair() -> Iterator[SoftwareExchange]:
    """One that calls; another at the end of its line answers with the same seven messages as the box."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        line = f"virtual:{folder}/line"
        with (SoftwareExchange(f"{line}/a", side="network", name="calling", hunt="down") as calling,
              SoftwareExchange(f"{line}/b", side="user", name="called", hunt="up") as called):
            called.wait_up()
            calling.wait_up()
            called.answering(Answering(rings=False))
            yield calling


def once(say: Say) -> dict[str, float]:
    say("  libpri to libpri")
    with libpri_pair() as calling:
        libpri, libpri_offered = _most(calling), _offered(calling)
    with Rig(config(), ANSWER_FLOW) as rig:
        say(f"  libpri to the box: {CALLS} calls as fast as they go")
        meter = Meter(rig)
        box = _most(rig.telco)
        spent, _ = meter.read()
        say(f"  libpri to the box: {OFFERED_PER_S:g} calls/s")
        box_offered = _offered(rig.telco)
    ours, theirs = box_offered.setup_to_proceeding, libpri_offered.setup_to_proceeding
    return {
        "calls through one D-channel": box.calls_per_s,
        "calls through one D-channel, libpri": libpri.calls_per_s,
        "calls through one D-channel, ratio": box.calls_per_s / libpri.calls_per_s,
        "CPU of a call, set up and cleared": 1000 * sum(spent.values()) / CALLS,
        "SETUP to CALL PROCEEDING, p50": ours.p50_ms,
        "SETUP to CALL PROCEEDING, p99": ours.p99_ms,
        "SETUP to CALL PROCEEDING, libpri, p50": theirs.p50_ms,
        "SETUP to CALL PROCEEDING, libpri, p99": theirs.p99_ms,
        "SETUP to CALL PROCEEDING, added, p50": ours.p50_ms - theirs.p50_ms,
        "SETUP to CALL PROCEEDING, added, p99": ours.p99_ms - theirs.p99_ms,
    }


def _most(exchange: SoftwareExchange) -> BulkResult:
    return _all_answered(exchange.bulk(CALLS, AT_ONCE, UNLIMITED_PER_S, CALLED))


def _offered(exchange: SoftwareExchange) -> BulkResult:
    return _all_answered(exchange.bulk(OFFERED_CALLS, AT_ONCE, OFFERED_PER_S, CALLED))


def _all_answered(result: BulkResult) -> BulkResult:
    if result.answered != result.calls:
        raise BenchError(f"not every call was answered:\n{result.table()}")
    return result


SIGNALLING = Theme(
    "signalling", "The telco's libpri end calls, the box answers with a prompt, the exchange hangs up at "
    f"CONNECT: {CALLS} calls, up to {AT_ONCE} at once, as fast as they go; then {OFFERED_CALLS} calls at "
    f"{OFFERED_PER_S:g} a second. In the same run, for comparison, two libpri ends do the same on a line of "
    "their own. The box has every call on the disk before it answers; the line gives and takes frames every "
    "10 ms, and which of the box's two lines comes first decides whether its answer catches the next block.",
    (
        Kind("calls through one D-channel", "calls/s", "libpri's"),
        Kind("calls through one D-channel, libpri", "calls/s"),
        Kind("calls through one D-channel, ratio", "box/libpri", "1"),
        Kind("CPU of a call, set up and cleared", "CPU-ms/call"),
        Kind("SETUP to CALL PROCEEDING, p50", "ms"),
        Kind("SETUP to CALL PROCEEDING, p99", "ms"),
        Kind("SETUP to CALL PROCEEDING, libpri, p50", "ms"),
        Kind("SETUP to CALL PROCEEDING, libpri, p99", "ms"),
        Kind("SETUP to CALL PROCEEDING, added, p50", "ms"),
        Kind("SETUP to CALL PROCEEDING, added, p99", "ms"),
    ), once, runs=5)
