"""Q.931 messages of any octets, for a span with a call in every state: each of them hears it as its own.

Ref: ITU-T Q.931 (05/98), 5.8; bare clause numbers are Q.931's.
"""

from dataclasses import dataclass
from zlib import crc32

from appliance.errors import DecodeError
from appliance.isdn.call.states import State
from appliance.isdn.causes import NOT_COMPATIBLE_WITH_STATE
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallState,
    Cause,
    ChannelId,
    Element,
    Facility,
    ProgressIndicator,
    SendingComplete,
)
from appliance.isdn.events import ChannelState
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q921 import Established, Link, LinkEvent
from appliance.isdn.q931 import UNKNOWN_MESSAGE, Message, MessageError, MessageType, decode, encode
from tests.fuzz.q931 import corpus as q931_corpus
from tests.isdn.line import CALLED, PLACED, keys

SHARE = 0.1                                       # each input is heard by every call
END_EVERY = 8                                     # inputs; then all timers run out
END_S = 200.0
STRAY_REF = 0x7ABC
M, S = MessageType, State
NOT_ON_EVERY_SIDE = (S.DISCONNECTED, S.CONNECT_REQUEST)    # a network has gone on already
CROSSED = (S.DISCONNECTING, S.RELEASING)
ACTED_ON = (M.SETUP, M.DISCONNECT, M.RELEASE, M.RELEASE_COMPLETE)    # whatever they lack, 5.8.6

# Where a message may lead a call, and what we may say to it: STATUS may always be said, and the state stay.
# A channel that cannot be is RELEASE; FACILITY answers Facility, which may also ask to clear.
LEADS: dict[MessageType, tuple[set[State], set[MessageType]]] = {
    M.SETUP_ACKNOWLEDGE: ({S.OVERLAP_SENDING, S.RELEASING}, {M.INFORMATION, M.RELEASE}),
    M.CALL_PROCEEDING: ({S.PROCEEDING_OUT, S.RELEASING}, {M.RELEASE}),
    M.ALERTING: ({S.DELIVERED, S.RELEASING}, {M.RELEASE}),
    M.CONNECT: ({S.ACTIVE, S.RELEASING}, {M.CONNECT_ACKNOWLEDGE, M.RELEASE}),
    M.CONNECT_ACKNOWLEDGE: ({S.ACTIVE}, set()),
    M.INFORMATION: ({S.PROCEEDING_IN}, {M.CALL_PROCEEDING}),
    M.DISCONNECT: ({S.RELEASING, S.DISCONNECTED}, {M.RELEASE}),
    M.RELEASE: ({S.NULL}, {M.RELEASE_COMPLETE}),
    M.RELEASE_COMPLETE: ({S.NULL}, set()),
    M.STATUS: ({S.NULL, S.RELEASING, S.DISCONNECTING, S.ACTIVE, S.DELIVERED},
               {M.RELEASE, M.DISCONNECT, M.CONNECT_ACKNOWLEDGE}),
    M.SUSPEND: (set(), {M.SUSPEND_REJECT}),
    M.SEGMENT: (set(S), set(M)),                  # it may be all of another message
}
FORWARD = (M.SETUP_ACKNOWLEDGE, M.CALL_PROCEEDING, M.ALERTING)       # lead on, or are unexpected (5.8.4)
# What is said of a call reference that nobody has, 5.8.3.2.
STRAYS: dict[MessageType, set[MessageType]] = {
    M.SETUP: {M.CALL_PROCEEDING, M.SETUP_ACKNOWLEDGE, M.RELEASE_COMPLETE, M.STATUS, M.FACILITY},
    M.RELEASE_COMPLETE: set(),
    M.STATUS: {M.RELEASE_COMPLETE},
    M.STATUS_ENQUIRY: {M.STATUS},
    M.RESUME: {M.RESUME_REJECT, M.RELEASE_COMPLETE},
    M.SEGMENT: set(M),
}
MAYBE_SILENT = (M.SETUP, M.RESUME, M.STATUS, M.SEGMENT)    # by the flag, the state, what is to come
OF_GLOBAL = {M.RESTART, M.RESTART_ACKNOWLEDGE, M.STATUS, M.SERVICE_ACKNOWLEDGE, M.NI_SERVICE_ACKNOWLEDGE,
             M.RELEASE_COMPLETE}                  # the last of calls whose channel was not settled yet


def corpus() -> list[bytes]:
    """The codec's vectors, and one of each message with what matters to a call."""
    elements = (Cause(16), CallState(10), ChannelId(3), ProgressIndicator(8), CalledNumber("1"))
    return q931_corpus() + [encode(Message(kind, 1, False, elements)) for kind in M if kind is not M.SEGMENT]


def fuzz(data: bytes) -> None:
    """Every call hears it and stands where its state and 5.8 allow. Then it is of no call, then as it is."""
    chosen = crc32(data)
    office = Office(list(Side)[chosen & 1], sorted(PROFILES)[chosen >> 1 & 3])
    if len(data) > 4 and data[:2] == b"\x08\x02":
        for call in office.calls:
            office.hear_as(call, data)
        for flag in (False, True):
            office.hear_as_stray(_addressed(data, STRAY_REF, flag))
    office.hear(data)
    office.check()
    if (chosen >> 3) % END_EVERY == 0:
        office.end()


class Wire(Link):
    """A data link that is up and carries everything at once."""

    def __init__(self, side: Side) -> None:
        super().__init__(side)
        self.said: list[bytes] = []
        self._up: list[LinkEvent] = [Established(by_peer=False, reset=False)]

    def establish(self, now: float) -> None: ...

    def expire(self, now: float) -> None: ...

    def send(self, info: bytes, now: float) -> None:
        assert 0 < len(info) <= self.parameters.n201_octets
        self.said.append(info)

    def next_deadline(self) -> float | None:
        return None

    def take_events(self) -> list[LinkEvent]:
        events, self._up = self._up, []
        return events


@dataclass(frozen=True, slots=True)
class Known:
    """A call, as the far end knows it."""

    key: str
    call_ref: int
    ours: bool


class Office:
    """A span with calls in all states."""

    def __init__(self, side: Side, profile: str) -> None:
        self._wire = Wire(side)
        self._now = 0.0
        self._ours = Signalling(side, keys("k"), profile=PROFILES[profile], cold=False, overlap=True,
                                make_link=lambda side: self._wire)
        self._ours.line_up(True, 0.0)
        self.calls: list[Known] = []
        for state in PLACED:
            self._place(state)
        for state in (S.PRESENT, S.OVERLAP_RECEIVING, S.PROCEEDING_IN, S.RECEIVED, S.CONNECT_REQUEST):
            self._offer(state)
        self._wire.said.clear()

    def _place(self, state: State) -> None:
        call_ref = len(self.calls) + 1
        key = f"out{call_ref}"
        self.calls.append(Known(key, call_ref, True))
        self._ours.setup(key, CALLED, 0.0, complete=state is not S.OVERLAP_SENDING)
        for kind in PLACED[state]:
            self._ours.receive(_said(kind, call_ref, True), 0.0)
        if state is S.DISCONNECTING:
            self._ours.hang_up(key, 16, 0.0)
        elif state is S.DISCONNECTED:
            self._ours.receive(_said(M.DISCONNECT, call_ref, True, Cause(17), ProgressIndicator(8)), 0.0)
        elif state is S.RELEASING:
            self._ours.receive(_said(M.DISCONNECT, call_ref, True, Cause(16)), 0.0)
        assert self._state(key) is state or state in NOT_ON_EVERY_SIDE

    def _offer(self, state: State) -> None:
        call_ref = len(self.calls) + 1
        last = () if state is S.OVERLAP_RECEIVING else (SendingComplete(),)
        self._ours.change(auto_proceed=state is not S.PRESENT)
        self._ours.receive(_said(M.SETUP, call_ref, False, BearerCapability(), ChannelId(32 - call_ref),
                                 CalledNumber(CALLED), *last), 0.0)
        key = list(self._ours)[-1]
        self.calls.append(Known(key, call_ref, False))
        if state is S.RECEIVED:
            self._ours.alert(key, 0.0)
        elif state is S.CONNECT_REQUEST:
            self._ours.answer(key, 0.0)
        assert self._state(key) is state or state in NOT_ON_EVERY_SIDE

    # --- what it hears

    def hear_as(self, call: Known, data: bytes) -> None:
        """5.8.4, 5.8.6, 5.8.7: the message is of that call, unless it ended by another one's."""
        before = self._state(call.key)
        if before is S.NULL:
            return
        octets = _addressed(data, call.call_ref, call.ours)
        said = self._hear(octets)
        after = self._state(call.key)
        about = [message for message in said
                 if message.call_ref == call.call_ref and message.to_originator is not call.ours]
        try:
            message = decode(octets)
        except MessageError as error:
            if error.type in ACTED_ON:
                self._follows(M(error.type), error.elements, before, after, about)
            else:
                assert (after, said) == (before, about)
                self._is_refused(error, before, about)
        except DecodeError:
            assert (after, said) == (before, [])
        else:
            moves = message.first(ChannelId) is not None or message.type is M.SEGMENT
            assert said == about or moves, f"{message}: {said}"
            self._follows(message.type, message.elements, before, after, about)

    def _is_refused(self, error: MessageError, before: State, said: list[Message]) -> None:
        """By one STATUS: that it cannot be in this state, or else what it lacks. What crosses our clearing is
        passed over, and a STATUS is answered once at most."""
        causes = [_cause(message) for message in said]
        late = before in CROSSED or (before, error.type) == (S.ACTIVE, M.CONNECT_ACKNOWLEDGE)
        if error.type == M.STATUS or error.type > 0xFF or late:
            assert len(causes) <= 1
        else:
            expected = ([error.cause], [NOT_COMPATIBLE_WITH_STATE], [UNKNOWN_MESSAGE])
            assert causes in expected, (error, error.type, before, said)

    def _follows(self, kind: MessageType, elements: tuple[object, ...], before: State, after: State,
                 said: list[Message]) -> None:
        to, answers = LEADS.get(kind, (set(), set()))
        answers = answers | {M.STATUS}
        if any(isinstance(element, Facility) for element in elements):
            to, answers = to | {S.NULL, S.RELEASING, S.DISCONNECTING}, answers | {
                M.FACILITY, M.DISCONNECT, M.RELEASE, M.RELEASE_COMPLETE}
        assert after is before or after in to, f"{kind.name} leads from {before} to {after}"
        assert after is S.NULL or kind not in (M.RELEASE, M.RELEASE_COMPLETE), f"{kind.name} leads to {after}"
        assert {message.type for message in said} <= answers, f"{kind.name} in {before} is answered: {said}"
        assert sum(message.type is not M.FACILITY for message in said) <= 2, said
        if kind in FORWARD and after is before:
            first = [_cause(message) for message in said if message.type is M.STATUS][:1]
            assert first == [NOT_COMPATIBLE_WITH_STATE], said

    def hear_as_stray(self, octets: bytes) -> None:
        """5.8.3.2: nobody has that call reference."""
        said = self._hear(octets)
        kind: int | None = None
        try:
            kind = decode(octets).type
            answers = STRAYS.get(M(kind), {M.RELEASE_COMPLETE})
        except MessageError as error:
            kind = error.type
            silent = kind in (M.RELEASE_COMPLETE, M.STATUS) or kind > 0xFF
            answers = set() if silent else {M.RELEASE_COMPLETE}
        except DecodeError:
            answers = set()
        assert {message.type for message in said} <= answers, (octets.hex(" "), said)
        assert said or not answers or kind in MAYBE_SILENT, octets.hex(" ")
        assert all(message.call_ref == STRAY_REF for message in said)

    def hear(self, octets: bytes) -> None:
        """As it is: of any call, of the global reference, no message at all."""
        said = self._hear(octets)
        try:
            reference = decode(octets).call_ref
        except MessageError as error:
            reference = error.call_ref
        except DecodeError:
            assert said == []
            return
        if not reference:
            assert {message.type for message in said} <= OF_GLOBAL, said

    def _hear(self, octets: bytes) -> list[Message]:
        """What is said to it, which any far end can read."""
        self._ours.receive(octets, self._now)
        said = [decode(info) for info in self._wire.said]
        self._wire.said.clear()
        assert not any(message.faults for message in said), said
        return said

    # --- what must hold

    def check(self) -> None:
        held = {channel.key: channel.timeslot for channel in self._ours.channels.all() if channel.key}
        snapshots = [snapshot for key in self._ours if (snapshot := self._ours.snapshot(key)) is not None]
        assert held == {call.key: call.timeslot for call in snapshots if call.timeslot is not None}
        due = self._ours.next_deadline()
        for call in snapshots:
            assert not call.deadlines or (due is not None and due <= min(call.deadlines.values()))

    def end(self) -> None:
        """All hang up, nobody answers any more: no call is left and no channel taken."""
        for key in self._ours:
            self._ours.hang_up(key, 16, self._now)
        while (due := self._ours.next_deadline()) is not None and due < END_S:
            assert due >= self._now
            self._now = due
            self._ours.expire(due)
        assert len(self._ours) == 0
        busy = [channel for channel in self._ours.channels.all() if channel.state is ChannelState.BUSY]
        assert busy == []

    def _state(self, key: str) -> State:
        snapshot = self._ours.snapshot(key)
        return S.NULL if snapshot is None else snapshot.state


def _said(kind: MessageType, call_ref: int, ours: bool, *elements: Element) -> bytes:
    return encode(Message(kind, call_ref, ours, elements))


def _addressed(data: bytes, call_ref: int, ours: bool) -> bytes:
    """The same, of that call; the far end speaks to whom placed it, or is it."""
    return data[:2] + (call_ref | ours << 15).to_bytes(2, "big") + data[4:]


def _cause(message: Message) -> int:
    """Of a STATUS."""
    cause = message.first(Cause)
    assert message.type is M.STATUS and cause is not None
    return cause.value
