"""What every call said on its D-channel, both layers: collected while it goes on, kept when it has ended.

Of a span's frames a call keeps its own messages, those of the global call reference, and what layer 2 said
that is no mere upkeep. Digits pressed in an answered call are a caller's secrets (a card number, a PIN), and
so is who withholds his number (CLIR): nothing that is kept has them.
"""
import asyncio
import time
from collections import deque

from appliance.bus.messages import CallInfo, CallTrace, SpanTrace, TraceFrame
from appliance.isdn.ladder import Frame, LinkWatch, elements_in
from appliance.isdn.q931 import CALL_CONTROL, MessageType
from appliance.trunk.trace_journal import Journal
from appliance.trunk.trace_store import TraceStore

FIRST_FRAMES, LAST_FRAMES = 200, 1800             # of a call without rest; those between are counted
SETTLE_S = 3.0                                    # after its end the clearing is acknowledged or repeated
STORE_EVERY_S = 10.0
LOOK_EVERY_S = 1.0
UNCLAIMED_MOST = 64                               # SETUPs of a span that became no call
PENDING_FRAMES = 100_000                          # of calls that wait for a disk that is full: 20 MB
REPLY_OCTETS = 6 << 20                            # of 8 MiB that the bus carries
FRAME_OVERHEAD_OCTETS = 48                        # of a frame in a reply

MASKED = ord("?")
KEYPAD, CALLED, DISPLAY = 0x2C, 0x70, 0x28
SUBADDRESSES = {0x6C: 0x6D, 0x4C: 0x4D}           # of the calling number, of the connected one
NUMBERS = frozenset({*SUBADDRESSES, 0x74, 0x76})  # that may be withheld; also redirecting, redirection
NAMING = frozenset({MessageType.SETUP, MessageType.CONNECT, MessageType.NOTIFY, MessageType.FACILITY})
LAST, ALLOWED = 0x80, 0                           # extension bit; presentation: bits 7 and 6 of octet 3a


class _Call:
    """One call reference of one span, from SETUP on."""

    def __init__(self, network_side: bool, call_ref: int) -> None:
        self.network_side, self.call_ref = network_side, call_ref
        self.info: CallInfo | None = None         # None: it is nobody's yet
        self.part = 0                             # of the leg: a call may be tried on another span
        self.from_setup, self.answered = True, False
        self.over_at: float | None = None
        self.changed = False                      # since it was noted
        self._first: list[TraceFrame] = []
        self._last: deque[TraceFrame] = deque(maxlen=LAST_FRAMES)
        self._left_out = 0

    def go_on(self, trace: CallTrace) -> None:
        """As the process before this one left it."""
        self._first, self._left_out = list(trace.frames), trace.left_out
        self.from_setup, self.part = trace.from_setup, trace.part

    def add(self, frame: TraceFrame) -> None:
        self.changed = True
        if len(self._first) < FIRST_FRAMES:
            self._first.append(frame)
        else:
            self._left_out += len(self._last) == LAST_FRAMES
            self._last.append(frame)

    def trace(self, info: CallInfo) -> CallTrace:
        return CallTrace(call=info, part=self.part, call_ref=self.call_ref, network_side=self.network_side,
                         from_setup=self.from_setup, left_out=self._left_out,
                         frames=[*self._first, *self._last])


class SpanTraces:
    """Of one D-channel. see() is called for every frame and costs some microseconds."""

    def __init__(self, network_side: bool) -> None:
        self.network_side = network_side
        self.calls: dict[tuple[int, bool], _Call] = {}          # by call reference, ours
        self._look_at = UNCLAIMED_MOST            # so many calls: are there unclaimed ones?
        self._watch = LinkWatch(network_side)

    def see(self, at_unix_s: float, sent: bool, octets: bytes) -> bytes:
        """The next frame; what may be kept of it."""
        again, upkeep = self._watch.see(sent, octets)
        if upkeep:
            return octets
        if len(octets) < 4 or octets[2] & 1:      # no I frame: what layer 2 says is about all calls
            self._add_to_all(TraceFrame(at_unix_s, sent, octets, again))
            return octets
        length = octets[5] if len(octets) > 5 else 0
        if length not in (1, 2) or len(octets) < 7 + length:
            return octets
        value, flag = int.from_bytes(octets[6:6 + length], "big"), 0x80 << 8 * (length - 1)
        reference, ours = value & ~flag, bool(value & flag) is not sent
        if reference == 0:
            self._add_to_all(TraceFrame(at_unix_s, sent, octets, again))
            return octets
        call = self.calls.get((reference, ours))
        if octets[4] == CALL_CONTROL:
            kind = octets[6 + length]
            if kind == MessageType.SETUP and (call is None or call.over_at is not None):
                call = self.begin(reference, ours)
            elif kind == MessageType.CONNECT and call is not None:
                call.answered = True
            elif kind == MessageType.INFORMATION and (call is None or call.answered):
                octets = _without_keys(octets, 7 + length)
            elif kind == MessageType.RELEASE_COMPLETE and call is not None and call.info is None:
                del self.calls[reference, ours]   # refused before it was a call: the reference may come again
            if kind in NAMING:
                octets = _without_withheld(octets, 7 + length)
        if call is not None:
            call.add(TraceFrame(at_unix_s, sent, octets, again))
        return octets

    def begin(self, reference: int, ours: bool) -> _Call:
        if len(self.calls) >= self._look_at:
            self._drop_unclaimed()
        self.calls.pop((reference, ours), None)   # one that is over: the new one comes last
        call = self.calls[reference, ours] = _Call(self.network_side, reference)
        return call

    def _drop_unclaimed(self) -> None:
        """So many more may come until the next look."""
        unclaimed = [key for key, call in self.calls.items() if call.info is None]
        for key in unclaimed[:max(0, len(unclaimed) - UNCLAIMED_MOST)]:
            del self.calls[key]
        self._look_at = len(self.calls) + UNCLAIMED_MOST

    def _add_to_all(self, frame: TraceFrame) -> None:
        for call in self.calls.values():
            call.add(frame)


def _without_keys(octets: bytes, start: int) -> bytes:
    """Without the digits of its elements, at as many octets; `start`: where these begin."""
    return _masked(octets, start, {KEYPAD: 0, CALLED: 1})


def _without_withheld(octets: bytes, start: int) -> bytes:
    """Without numbers that are not to be shown, and without what would name their party all the same."""
    hidden: dict[int, int] = {}
    for codeset, identifier, _, content in elements_in(octets[start:]):
        if codeset == 0 and identifier in NUMBERS and content and _withheld(content):
            hidden[identifier] = next((at for at, octet in enumerate(content, 1) if octet & LAST), 0)
            if identifier in SUBADDRESSES:
                hidden |= {SUBADDRESSES[identifier]: 1, DISPLAY: 0}
    return _masked(octets, start, hidden) if hidden else octets


def _withheld(number: bytes) -> bool:
    """By its octet 3a, where it has one."""
    return len(number) > 1 and not number[0] & LAST and number[1] >> 5 & 3 != ALLOWED


def _masked(octets: bytes, start: int, hidden: dict[int, int]) -> bytes:
    """`hidden`: elements of codeset 0, and how many octets of each stay; what is cut short is hidden, too."""
    found = bytearray(octets)
    for codeset, identifier, at, content in elements_in(octets[start:]):
        if codeset == 0 and identifier in hidden:
            first = start + at + 2 + hidden[identifier]
            end = len(octets) if content is None else start + at + 2 + len(content)
            found[first:end] = bytes((MASKED,)) * (end - first)
    return bytes(found)


class Traces:
    """Of all spans. A trace is in the journal before anybody hears that its call ended, and goes into the
    store some seconds later together with others: a killed process loses none of them, and flash is written
    once for many. `journal` None: for who keeps nothing."""

    def __init__(self, spans: dict[str, SpanTraces], store: TraceStore,
                 journal: Journal | None = None) -> None:
        self._spans, self._store, self._journal = spans, store, journal
        self._of_leg: dict[str, list[_Call]] = {}                # until they are settled
        left = journal.left() if journal else ()
        self._pending = {(trace.call.leg, trace.part): trace for trace in left}          # to be stored
        self._storing: dict[tuple[str, int], CallTrace] = {}
        self._stored_at = time.monotonic()

    def keep(self, days: float, octets: int) -> None:
        """How long, and how much."""
        self._store.keep(days, octets)

    def begin(self, info: CallInfo, call_ref: int, restored: bool = False) -> None:
        """The leg has this call reference on its span. Of a `restored` one the last process kept the rest."""
        span, ours = self._spans[info.span], not info.inbound
        call = span.calls.get((call_ref, ours))
        if call is None or call.over_at is not None:
            call = span.begin(call_ref, ours)
        if restored:
            self._go_on(call, info)
        calls = self._of_leg.setdefault(info.leg, [])
        if call not in calls:
            if calls:                             # it is tried anew: that attempt is over
                self._end(calls[-1], calls[-1].info or info)
                call.part = calls[-1].part + 1
            calls.append(call)
        call.info = info

    def _go_on(self, call: _Call, info: CallInfo) -> None:
        call.from_setup, call.answered = False, True
        known = self._known(info.leg, self._store.find(info.leg))
        if known:
            last = known[max(known)]
            same = (last.call.span, last.call_ref) == (info.span, call.call_ref)
            if same and last.call.state != "released":
                call.go_on(last)
            else:
                call.part = last.part + 1

    def _known(self, leg: str, stored: list[CallTrace]) -> dict[int, CallTrace]:
        """Parts that are not in memory alone."""
        waiting = [trace for traces in (self._storing, self._pending) for trace in traces.values()
                   if trace.call.leg == leg]
        return {trace.part: trace for trace in (*stored, *waiting)}

    def end(self, info: CallInfo) -> None:
        """The leg is over as `info` says; its clearing may still be going on."""
        for call in self._of_leg.get(info.leg, ())[-1:]:
            self._end(call, info)

    def _end(self, call: _Call, info: CallInfo) -> None:
        call.info = info
        if call.over_at is None:
            call.over_at = time.monotonic()
            self._keep(call, info)

    def _keep(self, call: _Call, info: CallInfo) -> None:
        call.changed = False
        trace = call.trace(info)
        if self._journal:
            self._journal.write(trace)
        self._pending[info.leg, call.part] = trace

    async def of(self, leg: str, info: CallInfo | None) -> list[CallTrace]:
        """All that is known of a leg, in order; `info` of one that goes on."""
        found = self._known(leg, await asyncio.to_thread(self._store.find, leg))
        for call in self._of_leg.get(leg, ()):
            now = info if call.over_at is None and info is not None else call.info
            if now is not None:
                found[call.part] = call.trace(now)
        return [found[part] for part in sorted(found)]

    async def run(self) -> None:
        """Settle and store until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.settle(time.monotonic())
            if time.monotonic() >= self._stored_at + STORE_EVERY_S:
                await self.store()

    def settle(self, now: float) -> None:
        """Let go of calls that were over SETTLE_S ago."""
        for leg, calls in list(self._of_leg.items()):
            for call in [one for one in calls if one.over_at is not None and now >= one.over_at + SETTLE_S]:
                if call.changed and call.info is not None:
                    self._keep(call, call.info)
                calls.remove(call)
                for span in self._spans.values():
                    key = call.call_ref, not (call.info and call.info.inbound)
                    if span.calls.get(key) is call:
                        del span.calls[key]
            if not calls:
                del self._of_leg[leg]

    async def store(self) -> None:
        """What has ended goes into the database, in another thread."""
        self._stored_at = time.monotonic()
        if not self._pending:
            return
        until = self._journal.end_file() if self._journal else 0
        self._storing, self._pending = self._pending, {}
        if await asyncio.to_thread(self._store.save, list(self._storing.values()), time.time()):
            self._forget(until)
        else:
            self._wait_on()
        self._storing = {}

    def _wait_on(self) -> None:
        """The disk did not take them: the newest wait for it."""
        found, frames = self._storing | self._pending, 0
        self._pending = {}
        for name, trace in reversed(found.items()):
            frames += len(trace.frames)
            if frames > PENDING_FRAMES:
                break
            self._pending[name] = trace
        self._pending = dict(reversed(self._pending.items()))

    def close(self) -> None:
        """The process ends in order: calls that go on are kept as they are, for the next one."""
        for calls in self._of_leg.values():
            for call in calls:
                if call.info is not None and (call.changed or call.over_at is None):
                    self._keep(call, call.info)
        until = self._journal.end_file() if self._journal else 0
        if self._store.save((self._storing | self._pending).values(), time.time()):
            self._forget(until)
        self._store.close()

    def _forget(self, until: int) -> None:
        if self._journal:
            self._journal.forget(until)


def span_trace(network_side: bool, frames: list[Frame], most: int) -> SpanTrace:
    """The newest `most` of them that one reply on the bus can carry."""
    kept, octets = len(frames), 0
    for _, _, frame in reversed(frames):
        octets += FRAME_OVERHEAD_OCTETS + len(frame) * 4 // 3
        if octets > REPLY_OCTETS or len(frames) - kept >= most:
            break
        kept -= 1
    return SpanTrace(network_side=network_side, cut=kept > 0 or len(frames) >= most,
                     frames=[TraceFrame(*frame) for frame in frames[kept:]])
