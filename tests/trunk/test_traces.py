"""What calls said, kept: which frames are whose, what is masked, what outlives a kill, how much stays."""
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from appliance.bus.messages import CallInfo, CallTrace, TraceFrame
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    Cause,
    ChannelId,
    Display,
    KeypadFacility,
    RedirectingNumber,
    RestartIndicator,
)
from appliance.isdn.ladder import Frame, describe
from appliance.isdn.lapd import Frame as Lapd
from appliance.isdn.lapd import FrameKind, Side, encode
from appliance.isdn.q931 import Message, MessageType
from appliance.trunk import trace_journal
from appliance.trunk import traces as rooms
from appliance.trunk.trace_journal import Journal
from appliance.trunk.trace_store import TraceStore
from appliance.trunk.traces import SETTLE_S, SpanTraces, Traces, span_trace
from tests.conftest import ROOT
from tests.isdn.captured import Said, captured

T, USER, NETWORK = MessageType, Side.USER, Side.NETWORK
START = time.time()
SECRET = "4711"


def incoming(ref: int, digits: str = "5001") -> list[Said]:
    """A call from the network, to its end, with keys pressed before and after it was answered."""
    def say(side: Side, kind: MessageType, *elements: object) -> Said:
        return side, Message(kind, ref, side is USER, elements)      # type: ignore[arg-type]
    return [
        say(NETWORK, T.SETUP, BearerCapability(), ChannelId(1), CalledNumber(digits[:2])),
        say(USER, T.SETUP_ACKNOWLEDGE, ChannelId(1)),
        say(NETWORK, T.INFORMATION, CalledNumber(digits[2:])),
        say(USER, T.CALL_PROCEEDING), say(USER, T.CONNECT), say(NETWORK, T.CONNECT_ACKNOWLEDGE),
        say(NETWORK, T.INFORMATION, KeypadFacility(SECRET)),
        say(NETWORK, T.INFORMATION, CalledNumber(SECRET)),
        say(NETWORK, T.DISCONNECT, Cause(16)), say(USER, T.RELEASE), say(NETWORK, T.RELEASE_COMPLETE)]


COURSE = ["SETUP", "SETUP ACKNOWLEDGE", "INFORMATION", "CALL PROCEEDING", "CONNECT", "CONNECT ACKNOWLEDGE",
          "INFORMATION", "INFORMATION", "DISCONNECT", "RELEASE", "RELEASE COMPLETE"]


def info(leg: str, **changes: object) -> CallInfo:
    facts = CallInfo(leg=leg, trunk="telco", span="one", timeslot=1, inbound=True, state="answered",
                     called="5001", calling="", calling_name="", complete=True, since=START, began_at=START)
    return replace(facts, **changes)


def over(leg: str, **changes: object) -> CallInfo:
    return info(leg, state="released", cause=16, by="far", **changes)


def titles(trace: CallTrace) -> list[str]:
    return [describe(one.octets, one.sent, trace.network_side).title for one in trace.frames]


class Bench:
    """Traces of one span at the user's side."""

    def __init__(self, folder: Path) -> None:
        self.span = SpanTraces(network_side=False)
        self.store = TraceStore(folder / "traces.sqlite")
        self.traces = Traces({"one": self.span}, self.store, Journal(folder / "trunkd.traces"))

    def see(self, frames: list[Frame]) -> list[bytes]:
        return [self.span.see(*frame) for frame in frames]

    def call(self, leg: str, ref: int) -> None:
        """From SETUP to the end, as trunkd goes about it."""
        [setup, *rest] = [frame for frame in captured(incoming(ref), USER, START) if len(frame[2]) > 4]
        self.see([setup])
        self.traces.begin(info(leg), ref)
        self.see(rest[:-1])
        self.traces.end(over(leg))
        self.see(rest[-1:])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


async def test_a_call_keeps_its_own_messages_and_what_layer_2_said_to_its_end(bench: Bench) -> None:
    bench.call("a", 5)
    [trace] = await bench.traces.of("a", None)
    assert titles(trace) == COURSE
    assert (trace.call.state, trace.call_ref, trace.part, trace.from_setup) == ("released", 5, 0, True)
    bench.traces.settle(time.monotonic() + SETTLE_S + 1)
    await bench.traces.store()
    assert await bench.traces.of("a", None) == [trace]
    assert bench.store.find("a") == [trace]
    assert bench.span.calls == {}


async def test_of_two_calls_at_once_each_has_its_own_and_both_have_what_is_for_all(bench: Bench) -> None:
    both = [[frame for frame in captured(incoming(ref), USER, START) if len(frame[2]) > 4] for ref in (5, 6)]
    for ref, [setup, *_] in zip((5, 6), both, strict=True):
        bench.see([setup])
        bench.traces.begin(info(f"leg{ref}"), ref)
    rej = encode(Lapd(FrameKind.REJ, True, nr=1), NETWORK)
    all_channels = Message(T.RESTART, 0, False, (ChannelId(1), RestartIndicator()))
    restart = captured([(NETWORK, all_channels)], USER, START)
    rr = encode(Lapd(FrameKind.RR, False, nr=1), NETWORK)
    bench.see([(START, False, rej), (START, False, rr), restart[2], both[1][1]])
    [first], [second] = [await bench.traces.of(f"leg{ref}", info(f"leg{ref}")) for ref in (5, 6)]
    assert titles(first) == ["SETUP", "REJ", "RESTART"]
    assert titles(second) == ["SETUP", "REJ", "RESTART", "SETUP ACKNOWLEDGE"]


async def test_keys_pressed_in_an_answered_call_are_kept_nowhere(bench: Bench) -> None:
    frames = [frame for frame in captured(incoming(5), USER, START) if len(frame[2]) > 4]
    shown = bench.see(frames[:1])
    bench.traces.begin(info("a"), 5)
    shown += bench.see(frames[1:])
    [trace] = await bench.traces.of("a", info("a"))
    said = [describe(one.octets, one.sent, False).text for one in trace.frames]
    assert said[2] == "called 01"                 # dialled before the answer: what the call is about
    assert said[6:8] == ["keypad ????", "called ????"]
    assert not any(SECRET.encode() in octets for octets in shown)
    assert [len(octets) for octets in shown] == [len(octets) for _, _, octets in frames]


def test_keys_of_a_call_that_nobody_knows_are_masked_too(bench: Bench) -> None:
    [*_, information] = captured(incoming(5)[6:7], USER, START)[:3]
    assert SECRET.encode() not in bench.see([information])[0]


def test_keys_in_an_element_that_is_cut_short_are_masked_too(bench: Bench) -> None:
    at, sent, octets = captured(incoming(5)[6:7], USER, START)[2]
    longer = bytearray(octets)
    longer[octets.index(SECRET.encode()) - 1] += 1
    assert SECRET.encode() not in bench.span.see(at, sent, bytes(longer))


def test_a_withheld_number_is_kept_nowhere_and_one_that_is_shown_is(bench: Bench) -> None:
    restricted, allowed = 1, 0
    setup = Message(T.SETUP, 5, False, (
        BearerCapability(), CallingNumber("13800138000", presentation=restricted), CalledNumber("5001"),
        Display("Wang"), RedirectingNumber("6003", presentation=allowed)))
    [octets] = bench.see(captured([(NETWORK, setup)], USER, START)[2:3])
    said = describe(octets, False, False).text
    assert "calling ??????????? (restricted)" in said and "display '????'" in said
    assert "called 5001" in said and "redirecting 6003" in said
    shown = Message(T.SETUP, 6, False, (
        BearerCapability(), CallingNumber("13800138000", presentation=allowed), Display("Wang")))
    frames = captured([(NETWORK, shown)], USER, START)[2:3]
    assert bench.see(frames) == [frames[0][2]]


async def test_a_call_that_is_tried_anew_has_two_parts(bench: Bench) -> None:
    out = info("a", inbound=False, state="offered")
    refused: list[Said] = [
        (USER, Message(T.SETUP, 7, False, (BearerCapability(), ChannelId(1), CalledNumber("1")))),
        (NETWORK, Message(T.RELEASE_COMPLETE, 7, True, (Cause(44),)))]
    bench.traces.begin(out, 7)
    bench.see(captured(refused, USER, START))
    bench.traces.begin(out, 8)
    bench.traces.end(over("a", inbound=False))
    first, second = await bench.traces.of("a", None)
    assert (first.part, first.call_ref, titles(first)[-2:]) == (0, 7, ["SETUP", "RELEASE COMPLETE"])
    assert (second.part, second.call_ref) == (1, 8)


async def test_a_refused_setup_leaves_nothing_to_the_next_call_of_its_reference(bench: Bench) -> None:
    refused: list[Said] = [
        (NETWORK, Message(T.SETUP, 5, False, (BearerCapability(), CalledNumber("9")))),
        (USER, Message(T.RELEASE_COMPLETE, 5, True, (Cause(34),)))]
    bench.see(captured(refused, USER, START))
    bench.call("a", 5)
    [trace] = await bench.traces.of("a", None)
    assert titles(trace) == COURSE


async def test_a_reference_that_comes_again_at_once_is_another_call(bench: Bench) -> None:
    bench.call("a", 5)
    bench.call("b", 5)
    for leg in "ab":
        [trace] = await bench.traces.of(leg, None)
        assert titles(trace) == COURSE


async def test_a_call_without_rest_keeps_its_beginning_and_its_end(
        bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "FIRST_FRAMES", 2)
    monkeypatch.setattr(rooms, "LAST_FRAMES", 3)
    bench.call("a", 5)
    [trace] = await bench.traces.of("a", None)
    assert titles(trace) == [*COURSE[:2], *COURSE[-3:]]
    assert trace.left_out == len(COURSE) - 5


# --- what outlives the process

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.trunk.test_traces import Bench, captured, incoming, info, START, USER
bench = Bench(Path(sys.argv[1]))
bench.call("ended", 5)
[setup, *_] = [frame for frame in captured(incoming(6), USER, START) if len(frame[2]) > 4]
bench.see([setup])
bench.traces.begin(info("running"), 6)
if sys.argv[2] == "close":
    bench.traces.close()
os.kill(os.getpid(), signal.SIGKILL)
"""


def process(folder: Path, how: str) -> None:
    """Another trunkd's life, with one call that ended and one that runs."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), how], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.need(24)
async def test_a_call_that_ended_outlives_kill_9_at_once(tmp_path: Path) -> None:
    process(tmp_path, "kill")
    bench = Bench(tmp_path)
    [trace] = await bench.traces.of("ended", None)
    assert titles(trace) == COURSE[:-1]           # what came after its end was not noted yet
    bench.traces.begin(info("running"), 6, restored=True)
    [running] = await bench.traces.of("running", info("running"))
    assert (running.from_setup, running.frames) == (False, [])
    await bench.traces.store()
    assert list(tmp_path.glob("trunkd.traces*")) == []
    assert bench.store.find("ended") == [trace]
    bench.store.close()


async def test_a_process_that_ends_in_order_hands_running_calls_on(tmp_path: Path) -> None:
    process(tmp_path, "close")
    bench = Bench(tmp_path)
    bench.traces.begin(info("running"), 6, restored=True)
    rest = [frame for frame in captured(incoming(6), USER, START) if len(frame[2]) > 4][1:]
    bench.see(rest)
    bench.traces.end(over("running"))
    [trace] = await bench.traces.of("running", None)
    assert (titles(trace), trace.from_setup) == (COURSE, True)
    bench.store.close()


def test_half_a_trace_at_the_end_of_a_journal_is_passed_over(tmp_path: Path) -> None:
    process(tmp_path, "kill")
    [path] = tmp_path.glob("trunkd.traces*")
    path.write_bytes(path.read_bytes() * 2 + path.read_bytes()[:100])
    assert [trace.call.leg for trace in Journal(tmp_path / "trunkd.traces").left()] == ["ended", "ended"]


# --- how much stays


def kept(leg: str, at: float, octets: int = 2500) -> CallTrace:
    frames = [TraceFrame(at, True, os.urandom(octets))]
    return CallTrace(call=over(leg, since=at), part=0, call_ref=1, network_side=False, frames=frames)


def test_old_traces_go_and_so_do_the_oldest_of_too_many(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.sqlite", kept_days=10, kept_octets=10_000)
    day = 86_400.0
    store.save([kept("old", 0.0), kept("a", 20 * day)], now_unix_s=21 * day)
    assert [len(store.find(leg)) for leg in ("old", "a")] == [0, 1]
    for number in range(10):
        store.save([kept(f"b{number}", (20 + number) * day)], now_unix_s=29 * day)
    found = [number for number in range(10) if store.find(f"b{number}")]
    assert found == [7, 8, 9] and not store.find("a")
    store.close()
    again = TraceStore(tmp_path / "traces.sqlite", kept_octets=10_000)   # it knows how much there is
    again.save([kept("c", 30 * day)], now_unix_s=30 * day)
    assert [number for number in range(10) if again.find(f"b{number}")] == [8, 9]
    again.close()


@pytest.mark.parametrize("damage", ["octets", "version"])
def test_a_file_that_cannot_be_used_is_set_aside(tmp_path: Path, damage: str,
                                                 caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "traces.sqlite"
    if damage == "octets":
        path.write_bytes(b"no database at all, and long enough" * 100)
    else:
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 99")
        database.commit()
        database.close()
    store = TraceStore(path)
    assert store.save([kept("a", 1.0)], now_unix_s=2.0) and store.find("a")
    assert path.with_suffix(".bad").exists() and "set aside" in caplog.text
    store.close()


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite"
    store = TraceStore(path)
    for number in range(200):
        store.save([kept(f"a{number}", START)], now_unix_s=START)
    store.close()
    octets = path.read_bytes()
    path.write_bytes(octets[:4096] + bytes(len(octets) - 4096))
    store = TraceStore(path)
    assert store.save([kept("b", START)], now_unix_s=START) and store.find("b")
    assert path.with_suffix(".bad").exists()
    store.close()


async def test_a_disk_that_cannot_be_written_loses_nothing_until_it_can(
        bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = sqlite3.connect(tmp_path / "traces.sqlite", isolation_level=None, timeout=0.0)
    bench.store._database().execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN IMMEDIATE")
    bench.call("a", 5)
    await bench.traces.store()
    assert "cannot be written" in caplog.text
    assert len(await bench.traces.of("a", None)) == 1
    assert list(tmp_path.glob("trunkd.traces*"))
    other.execute("ROLLBACK")
    other.close()
    await bench.traces.store()
    assert len(bench.store.find("a")) == 1
    assert list(tmp_path.glob("trunkd.traces*")) == []


async def test_of_a_disk_that_is_full_for_long_only_the_newest_wait(
        bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "PENDING_FRAMES", 3 * len(COURSE))
    monkeypatch.setattr(trace_journal, "KEPT_OCTETS", 6000)
    monkeypatch.setattr(bench.store, "save", lambda traces, now_unix_s: False)
    for number in range(1, 8):
        bench.call(f"leg{number}", number)
        bench.traces.settle(time.monotonic() + SETTLE_S + 1)
        await bench.traces.store()
    assert [len(await bench.traces.of(f"leg{number}", None)) for number in (1, 4, 5, 7)] == [0, 0, 1, 1]
    files = list(tmp_path.glob("trunkd.traces*"))
    assert 0 < sum(path.stat().st_size for path in files) <= 6000


def test_where_no_file_can_be_made_calls_go_on_and_it_is_tried_again(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "state"
    store = TraceStore(folder / "traces.sqlite")
    assert not store.save([kept("a", START)], now_unix_s=START) and store.find("a") == []
    assert "cannot be written" in caplog.text
    folder.mkdir()
    assert store.save([kept("a", START)], now_unix_s=START) and store.find("a")
    store.close()


# --- spans, cost


def test_a_reply_never_has_more_than_the_bus_carries() -> None:
    frames = [(START + number, True, bytes(500)) for number in range(20_000)]
    found = span_trace(False, frames, 100_000)
    assert found.cut and found.frames[-1].at == frames[-1][0]
    assert sum(len(one.octets) * 4 // 3 for one in found.frames) < 6 << 20
    assert len(span_trace(False, frames, 10).frames) == 10
    assert not span_trace(False, frames[:10], 20).cut


def test_a_call_costs_little_where_calls_are_handled(tmp_path: Path) -> None:
    """A tenth of what it may: 0.3 ms in all, most of it in another thread."""
    bench = Bench(tmp_path)
    scripts = [[frame for frame in captured(incoming(ref), USER, START) if len(frame[2]) > 3]
               for ref in range(1, 101)]
    began = time.process_time()
    for ref, frames in enumerate(scripts, 1):
        bench.see(frames[:4])
        bench.traces.begin(info(f"leg{ref}"), ref)
        bench.see(frames[4:])
        bench.traces.end(over(f"leg{ref}"))
    bench.traces.settle(time.monotonic() + SETTLE_S + 1)
    assert (time.process_time() - began) / len(scripts) < 0.3e-3
    bench.store.close()
