"""The trace of a call over the bus, from a trunkd that is killed while another one goes on."""
import pytest

from appliance.bus.messages import (
    Answer,
    CallAnswered,
    CallReleased,
    CallTrace,
    ChannelStates,
    GetCallTrace,
    GetSpanTrace,
    Hangup,
)
from appliance.isdn.ladder import describe
from tests.trunk.test_daemon import Box, box

__all__ = ["box"]                                 # the fixture

ANSWERED = ["SETUP", "CALL PROCEEDING", "CONNECT", "CONNECT ACKNOWLEDGE"]
CLEARING = ["DISCONNECT", "RELEASE", "RELEASE COMPLETE"]


def messages(trace: CallTrace) -> list[str]:
    rungs = [describe(one.octets, one.sent, trace.network_side) for one in trace.frames]
    assert all(rung.wrong == () for rung in rungs)
    return [rung.message for rung in rungs if rung.message]


async def trace_of(box: Box, leg: str) -> CallTrace:
    [trace] = (await box.acdd.ask(GetCallTrace(leg=leg))).calls
    return trace


async def answered(box: Box, key: str, called: str) -> str:
    leg = (await box.offer(box.telco, key, called)).leg
    await box.acdd.ask(Answer(leg=leg))
    await box.listener.wait_for(CallAnswered, leg=leg)               # the far end acknowledged it
    assert messages(await trace_of(box, leg)) == ANSWERED
    return leg


@pytest.mark.need(24)
async def test_traces_of_calls_outlive_a_killed_trunkd(box: Box) -> None:
    ended = await answered(box, "one", "5001")
    await box.acdd.ask(Hangup(leg=ended, cause=16))
    await box.listener.wait_for(CallReleased, leg=ended)
    runs = await answered(box, "two", "5002")
    trace = await trace_of(box, runs)
    assert (trace.call.state, trace.call.span, trace.network_side) == ("answered", "telco-1", False)
    box.kill()                                    # at once: what was said to have ended is kept
    box.start()
    await box.listener.wait_for(ChannelStates, span="telco-1", link_up=True)
    kept = await trace_of(box, ended)
    assert messages(kept)[:6] == [*ANSWERED, *CLEARING[:2]]
    assert (kept.call.state, kept.call.cause, kept.from_setup) == ("released", 16, True)
    await box.acdd.ask(Hangup(leg=runs, cause=17))
    await box.listener.wait_for(CallReleased, leg=runs)
    rest = await trace_of(box, runs)
    assert not rest.from_setup                    # it is told that the beginning is lost
    assert messages(rest)[-3:-1] == CLEARING[:2] or messages(rest)[-2:] == CLEARING[:2]
    assert (await box.acdd.ask(GetCallTrace(leg="nobody"))).calls == []


async def test_a_trunkd_that_ends_in_order_hands_the_trace_on(box: Box) -> None:
    leg = await answered(box, "one", "5001")
    assert box.terminate() == 0
    box.start()
    await box.listener.wait_for(ChannelStates, span="telco-1", link_up=True)
    trace = await trace_of(box, leg)
    assert messages(trace)[:4] == ANSWERED and trace.from_setup


async def test_the_frames_of_a_span_since_a_moment(box: Box) -> None:
    await answered(box, "one", "5001")
    every = await box.acdd.ask(GetSpanTrace(span="telco-1"))
    assert not every.cut and every.frames[0].at < every.frames[-1].at
    middle = every.frames[len(every.frames) // 2].at
    late = await box.acdd.ask(GetSpanTrace(span="telco-1", since=middle))
    assert late.frames[0].at >= middle and late.frames[-1].octets in {one.octets for one in every.frames}
