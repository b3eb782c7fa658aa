"""One link, its peer played by hand: the cells of Annex B where they matter, then anything at all."""
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import StateError
from appliance.isdn.lapd import Frame, FrameKind, Side, decode, encode
from appliance.isdn.q921 import (
    REFERENCES,
    TABLE,
    UP,
    Established,
    Link,
    LinkEvent,
    On,
    Parameters,
    Received,
    ReceivedUnit,
    Released,
    State,
    Trouble,
)
from appliance.isdn.q921.entity import NEVER

USER, NETWORK = Side.USER, Side.NETWORK
K = FrameKind


class Peer:
    """A user-side link and the network's end of the line played by hand, at a time of its own."""

    def __init__(self, **parameters: int) -> None:
        self.link, self.now = Link(USER, Parameters(**parameters)), 0.0

    def hears(self, kind: FrameKind, command: bool, pf: bool = False, *, ns: int = 0, nr: int = 0,
              info: bytes = b"") -> list[LinkEvent]:
        """Send a frame to the link; the events of it."""
        self.link.receive(encode(Frame(kind, command, pf, ns, nr, info), NETWORK), self.now)
        return self.link.take_events()

    def said(self) -> list[Frame]:
        return [decode(octets, USER) for octets in self.link.take_frames()]

    def waits(self) -> list[LinkEvent]:
        """Jump to the next deadline."""
        deadline = self.link.next_deadline()
        assert deadline is not None
        self.now = deadline
        self.link.expire(self.now)
        return self.link.take_events()

    def sends(self, *infos: bytes) -> None:
        for info in infos:
            self.link.send(info, self.now)


def in_state(state: State, **parameters: int) -> Peer:
    peer = Peer(**parameters)
    match state:
        case State.AWAITING_ESTABLISHMENT:
            peer.link.establish(0.0)
        case State.AWAITING_RELEASE:
            peer.hears(K.SABME, True, True)
            peer.link.release(0.0)
        case State.MULTIPLE_FRAME:
            peer.hears(K.SABME, True, True)
        case State.TIMER_RECOVERY:
            peer.hears(K.SABME, True, True)
            peer.waits()
    peer.said()
    peer.link.take_events()
    assert peer.link.state is state
    return peer


def test_every_cell_is_decided() -> None:
    cells = set(itertools.product(State, On))
    assert {(state, on) for state, row in TABLE.items() for on in row} == set(REFERENCES) == cells
    for (state, on), reference in REFERENCES.items():           # its own, that of all, or a clause
        assert reference in (f"B.{state}", "B.9") or re.fullmatch(r"[3-5](\.\d+)+", reference), (state, on)


def test_establishes_and_releases() -> None:
    peer = Peer()
    peer.link.establish(0.0)
    assert peer.link.take_frames() == [bytes.fromhex("00 01 7f")]
    assert peer.hears(K.UA, False, True) == [Established(by_peer=False, reset=False)]
    assert peer.link.next_deadline() == 10.0
    peer.link.release(1.0)
    assert peer.link.take_frames() == [bytes.fromhex("00 01 53")]
    assert peer.hears(K.UA, False, True) == [Released("as asked")]
    assert peer.link.next_deadline() is None


def test_is_established_and_released_by_the_peer() -> None:
    peer = Peer()
    assert peer.hears(K.SABME, True, False) == [Established(by_peer=True, reset=False)]
    assert peer.said() == [Frame(K.UA, False, False)]
    assert peer.hears(K.DISC, True, True) == [Released("the peer sent DISC")]
    assert peer.said() == [Frame(K.UA, False, True)]
    assert peer.hears(K.DISC, True, True) == []
    assert peer.said() == [Frame(K.DM, False, True)]


@pytest.mark.parametrize(("state", "letter", "kind"), [
    (State.AWAITING_ESTABLISHMENT, "G", K.SABME), (State.AWAITING_RELEASE, "H", K.DISC)])
def test_gives_up_after_n200_retries(state: State, letter: str, kind: FrameKind) -> None:
    peer = in_state(state, n200=3)
    events: list[LinkEvent] = []
    while peer.link.next_deadline() is not None:
        events += peer.waits()
    assert peer.now == 4.0                        # T200 after the first and each of three more
    assert peer.said() == [Frame(kind, True, True)] * 3
    assert events == [Trouble(letter), Released(f"no answer to {kind.name}, sent 4 times")]


def test_requests_that_cross_are_kept_for_the_next_state() -> None:
    peer = in_state(State.AWAITING_ESTABLISHMENT)
    peer.link.release(0.0)
    assert peer.hears(K.UA, False, True) == [Established(by_peer=False, reset=False)]
    assert peer.said() == [Frame(K.DISC, True, True)]
    peer.link.establish(0.0)
    assert peer.hears(K.DM, False, True) == [Released("as asked")]
    assert peer.said() == [Frame(K.SABME, True, True)]
    peer.link.release(0.0)
    peer.link.establish(0.0)                      # the later word counts
    assert peer.hears(K.UA, False, True) == [Established(by_peer=False, reset=False)]
    assert (peer.said(), peer.link.state) == ([], State.MULTIPLE_FRAME)
    peer.link.release(0.0)
    peer.link.establish(0.0)
    peer.link.release(0.0)
    peer.hears(K.UA, False, True)
    assert peer.link.state is State.TEI_ASSIGNED


def test_window_is_never_exceeded() -> None:
    peer = in_state(State.MULTIPLE_FRAME, k=7)
    peer.sends(*(bytes((n,)) for n in range(20)))
    assert [(frame.ns, frame.info[0]) for frame in peer.said()] == [(n, n) for n in range(7)]
    peer.hears(K.RR, False, nr=3)
    assert [frame.ns for frame in peer.said()] == [7, 8, 9]
    peer.hears(K.INFORMATION, True, ns=0, nr=10, info=b"x")
    assert [(frame.ns, frame.nr) for frame in peer.said()] == [(n, 1) for n in range(10, 17)]


def test_acknowledges_once_a_turn_and_rides_on_i_frames() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    for ns in range(3):
        assert peer.hears(K.INFORMATION, True, ns=ns, info=b"x") == [Received(b"x")]
    assert peer.said() == [Frame(K.RR, False, nr=3)]
    peer.hears(K.INFORMATION, True, ns=3, info=b"x")
    peer.sends(b"answer")
    assert peer.said() == [Frame(K.INFORMATION, True, ns=0, nr=4, info=b"answer")]
    peer.hears(K.INFORMATION, True, True, ns=4, info=b"x")
    assert peer.said() == [Frame(K.RR, False, True, nr=5)]


def test_gap_is_rejected_once_and_filled() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.hears(K.INFORMATION, True, ns=0, info=b"0")
    assert peer.hears(K.INFORMATION, True, ns=2, info=b"2") == []
    assert peer.hears(K.INFORMATION, True, ns=3, info=b"3") == []
    assert peer.said() == [Frame(K.REJ, False, nr=1)]
    assert peer.hears(K.INFORMATION, True, True, ns=3, info=b"3") == []
    assert peer.said() == [Frame(K.RR, False, True, nr=1)]
    received = [peer.hears(K.INFORMATION, True, ns=ns, info=b"%d" % ns) for ns in (1, 2, 3)]
    assert received == [[Received(b"1")], [Received(b"2")], [Received(b"3")]]
    assert peer.said() == [Frame(K.RR, False, nr=4)]
    peer.hears(K.INFORMATION, True, ns=5, info=b"5")
    assert peer.said() == [Frame(K.REJ, False, nr=4)]


def test_reject_is_obeyed() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.sends(b"0", b"1", b"2")
    peer.said()
    peer.hears(K.REJ, False, nr=1)
    assert [(frame.ns, frame.info) for frame in peer.said()] == [(1, b"1"), (2, b"2")]
    assert (peer.link.counters.retransmitted, peer.link.counters.rejects_in) == (2, 1)


def test_poll_after_t200_finds_what_is_lost() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.sends(b"0", b"1")
    peer.said()
    peer.waits()
    assert peer.said() == [Frame(K.RR, True, True, nr=0)]
    peer.sends(b"2")
    peer.hears(K.RR, True, True, nr=0)            # the peer's own poll is answered, and changes nothing
    assert peer.said() == [Frame(K.RR, False, True, nr=0)]
    peer.hears(K.RR, False, True, nr=1)
    assert [(frame.ns, frame.info) for frame in peer.said()] == [(1, b"1"), (2, b"2")]
    assert peer.link.state is State.MULTIPLE_FRAME


@pytest.mark.parametrize("ready", [K.RR, K.REJ])
def test_busy_peer_is_asked_until_it_is_ready(ready: FrameKind) -> None:
    peer = in_state(State.MULTIPLE_FRAME, n200=3)
    peer.sends(b"0")
    peer.said()
    peer.hears(K.RNR, False, nr=1)
    peer.sends(b"1")
    peer.hears(K.INFORMATION, True, True, nr=1, info=b"x")      # its own messages may well come
    assert peer.said() == [Frame(K.RR, False, True, nr=1)]
    assert peer.link.next_deadline() == 1.0       # T200, to ask
    for _ in range(10):                           # far more often than N200: a busy peer is no dead peer
        peer.waits()
        assert peer.said() == [Frame(K.RR, True, True, nr=1)]
        peer.hears(K.RNR, False, True, nr=1)
        assert peer.said() == []
    peer.hears(ready, False, nr=1)
    assert [frame.info for frame in peer.said()] == [b"1"]


def test_own_busy_receiver_takes_nothing_until_ready() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.link.set_busy(False, 0.0)
    assert peer.said() == []
    peer.link.set_busy(True, 0.0)
    peer.link.set_busy(True, 0.0)
    assert peer.said() == [Frame(K.RNR, False, nr=0)]
    assert peer.hears(K.INFORMATION, True, True, ns=0, info=b"0") == []
    assert peer.said() == [Frame(K.RNR, False, True, nr=0)]
    peer.link.set_busy(False, 0.0)
    assert peer.said() == [Frame(K.RR, False, nr=0)]
    assert peer.hears(K.INFORMATION, True, ns=0, info=b"0") == [Received(b"0")]


def test_own_busy_receiver_outlives_the_link() -> None:
    peer = in_state(State.TEI_ASSIGNED)
    peer.link.set_busy(True, 0.0)
    peer.hears(K.SABME, True, True)
    assert peer.hears(K.INFORMATION, True, info=b"0") == []
    assert peer.said() == [Frame(K.UA, False, True), Frame(K.RNR, False, nr=0)]
    peer.hears(K.DISC, True, True)
    peer.link.set_busy(False, 0.0)
    peer.hears(K.SABME, True, True)
    assert peer.hears(K.INFORMATION, True, info=b"0") == [Received(b"0")]


@pytest.mark.parametrize("kind", [K.RR, K.INFORMATION])
def test_acknowledgement_restarts_t200_while_some_are_outstanding(kind: FrameKind) -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.sends(b"0", b"1")
    peer.now = 0.6
    peer.hears(kind, kind is K.INFORMATION, ns=0, nr=0, info=b"x" * (kind is K.INFORMATION))
    assert peer.link.next_deadline() == 1.0       # it acknowledged nothing
    peer.hears(kind, kind is K.INFORMATION, ns=1, nr=1, info=b"x" * (kind is K.INFORMATION))
    assert peer.link.next_deadline() == 1.6
    peer.hears(kind, kind is K.INFORMATION, ns=2, nr=2, info=b"x" * (kind is K.INFORMATION))
    assert peer.link.next_deadline() == 10.6      # T203


def test_silence_is_questioned_then_reset_then_given_up() -> None:
    peer = in_state(State.MULTIPLE_FRAME, n200=3)
    events: list[LinkEvent] = []
    while peer.link.next_deadline() is not None:
        events += peer.waits()
    assert peer.now == 10.0 + 4.0 + 4.0           # T203, then N200 + 1 enquiries, then as many SABMEs
    assert [frame.kind for frame in peer.said()] == [K.RR] * 4 + [K.SABME] * 4
    assert events == [Trouble("I"), Trouble("G"), Released("no answer to SABME, sent 4 times")]


@pytest.mark.parametrize("state", UP)
@pytest.mark.parametrize(("frame", "letter"), [
    (Frame(K.DM, False, False), "E"),
    (Frame(K.FRMR, False, True, info=bytes(5)), "K"),
    (Frame(K.RR, False, nr=1), "J"),
    (Frame(K.RNR, True, nr=127), "J"),
    (Frame(K.REJ, False, nr=2), "J"),
    (Frame(K.INFORMATION, True, ns=5, nr=1, info=b"x"), "J"),
    (Frame(K.INFORMATION, True, info=bytes(261)), "O"),
    (Frame(K.SABME, True, info=b"x"), "M"),
    (Frame(K.SABME, False), "L"),
])
def test_broken_peer_is_reset(state: State, frame: Frame, letter: str) -> None:
    peer = in_state(state)
    peer.link.receive(encode(frame, NETWORK), peer.now)
    assert peer.link.take_events() == [Trouble(letter)]
    assert peer.said()[-1] == Frame(K.SABME, True, True)
    assert peer.hears(K.UA, False, True) == [Established(by_peer=False, reset=True, lost=False)]
    assert peer.link.state is State.MULTIPLE_FRAME


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(("frame", "letters"), [
    # in states 4, 5, 6, 7, 8, by table 9 of Q.921; a space is silence
    (Frame(K.UA, False, True), "C  CC"),
    (Frame(K.UA, False, False), "DDDDD"),
    (Frame(K.DM, False, True), "   BB"),
    (Frame(K.DM, False, False), "   EE"),
    (Frame(K.RR, False, True), "   A "),
    (Frame(K.SABME, True, True), "   FF"),
    (Frame(K.UI, True, info=b"x"), "     "),
    (Frame(K.XID, True, True), "     "),
    (Frame(K.XID, False, True), "     "),
    (Frame(K.SABME, False, True), "LLLLL"),
    (Frame(K.DISC, True, True, info=b"x"), "MMMMM"),
    (Frame(K.FRMR, False, True, info=bytes(4)), "NNNNN"),
    (Frame(K.UI, True, info=bytes(261)), "OOOOO"),
])
def test_unasked_frame_is_reported(state: State, frame: Frame, letters: str) -> None:
    peer = in_state(state)
    peer.link.receive(encode(frame, NETWORK), peer.now)
    troubles = [event.letter for event in peer.link.take_events() if isinstance(event, Trouble)]
    assert troubles == letters[state.value - 4].split()
    assert sum(peer.link.counters.troubles.values()) == len(troubles)


@pytest.mark.parametrize("state", State)
def test_ui_and_xid_change_nothing(state: State) -> None:
    peer = in_state(state)
    deadline = peer.link.next_deadline()
    assert peer.hears(K.UI, True, info=b"to all") == [ReceivedUnit(b"to all")]
    assert peer.hears(K.XID, False, True, info=b"\x82") == []
    assert peer.said() == []
    peer.hears(K.XID, True, False, info=bytes.fromhex("82 80 00 03 07 01 03"))
    peer.hears(K.XID, True, True)
    peer.link.send_unit(b"from us", peer.now)
    assert peer.said() == [Frame(K.XID, False, False), Frame(K.XID, False, True),
                           Frame(K.UI, True, info=b"from us")]
    assert (peer.link.state, peer.link.next_deadline()) == (state, deadline)


@pytest.mark.parametrize("state", State)
def test_deactivation_ends_whatever_there_is(state: State) -> None:
    peer = in_state(state)
    peer.link.deactivate(peer.now)
    told = [] if state is State.TEI_ASSIGNED else [Released("the line is down")]
    assert peer.link.take_events() == told
    assert (peer.said(), peer.link.state) == ([], State.TEI_ASSIGNED)


@pytest.mark.parametrize(("frame", "event"), [
    (Frame(K.INFORMATION, True, info=b"setup"), [Received(b"setup")]),
    (Frame(K.RR, True, True), []),
    (Frame(K.RNR, False), []),
    (Frame(K.REJ, True), []),
])
def test_after_crossing_sabmes_the_first_frame_is_as_good_as_ua(frame: Frame, event: list[LinkEvent]) -> None:
    peer = in_state(State.AWAITING_ESTABLISHMENT)
    peer.link.receive(encode(frame, NETWORK), 0.0)              # before the peer's SABME it means nothing
    assert (peer.link.take_events(), peer.said()) == ([], [])
    peer.hears(K.SABME, True, True)
    assert (peer.said(), peer.link.state) == ([Frame(K.UA, False, True)], State.AWAITING_ESTABLISHMENT)
    peer.link.receive(encode(frame, NETWORK), 0.0)
    assert peer.link.take_events() == [Established(by_peer=False, reset=False), *event]
    assert peer.link.state is State.MULTIPLE_FRAME
    assert peer.hears(K.INFORMATION, True, ns=len(event), info=b"next") == [Received(b"next")]


@pytest.mark.parametrize("frame", [
    Frame(K.INFORMATION, True, nr=1, info=b"x"),                # of the link before
    Frame(K.RR, False, True),                                   # an answer, and we did not ask
])
def test_after_crossing_sabmes_not_every_frame_will_do(frame: Frame) -> None:
    peer = in_state(State.AWAITING_ESTABLISHMENT)
    peer.hears(K.SABME, True, True)
    peer.link.receive(encode(frame, NETWORK), 0.0)
    assert (peer.link.take_events(), peer.link.state) == ([], State.AWAITING_ESTABLISHMENT)


@pytest.mark.parametrize("between", ["T200", "DISC"])
def test_after_crossing_sabmes_a_new_turn_counts(between: str) -> None:
    """Our SABME sent again may be on the way, or the peer has released: no frame stands for UA."""
    peer = in_state(State.AWAITING_ESTABLISHMENT)
    peer.hears(K.SABME, True, True)
    if between == "T200":
        peer.waits()
    else:
        peer.hears(K.DISC, True, True)
    assert peer.hears(K.INFORMATION, True, info=b"x") == []
    assert peer.link.state is State.AWAITING_ESTABLISHMENT


def test_dm_with_f_0_invites() -> None:
    peer = in_state(State.TEI_ASSIGNED)
    peer.hears(K.DM, False, True)
    assert peer.said() == []
    peer.hears(K.DM, False, False)
    assert peer.said() == [Frame(K.SABME, True, True)]
    assert peer.hears(K.DM, False, True) == [Released("the peer answered DM")]


@pytest.mark.parametrize("state", UP)
def test_reset_by_the_peer_tells_of_lost_messages(state: State) -> None:
    peer = in_state(state)
    peer.sends(b"lost")
    peer.hears(K.RR, False, True, nr=0)           # out of timer recovery, so that it is sent
    peer.said()
    events = peer.hears(K.SABME, True, True)
    assert events[-2:] == [Trouble("F"), Established(by_peer=True, reset=True, lost=True)]
    assert peer.said() == [Frame(K.UA, False, True)]


@pytest.mark.parametrize(("state", "frame"), [
    (State.MULTIPLE_FRAME, Frame(K.RNR, False, nr=1)),
    (State.TIMER_RECOVERY, Frame(K.RR, True, nr=1)),
    (State.TIMER_RECOVERY, Frame(K.INFORMATION, True, nr=1, info=b"x")),
])
def test_a_reset_with_nothing_outstanding_loses_nothing(state: State, frame: Frame) -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.sends(b"arrived")
    if state is State.TIMER_RECOVERY:
        peer.waits()
    peer.link.receive(encode(frame, NETWORK), peer.now)
    peer.link.take_events()
    assert peer.hears(K.SABME, True, True) == [
        Trouble("F"), Established(by_peer=True, reset=True, lost=False)]


@pytest.mark.parametrize("frame", [Frame(K.SABME, True, True), Frame(K.DISC, True, True),
                                   Frame(K.FRMR, False, info=bytes(5)), None])
@pytest.mark.parametrize("ns", [0, 1], ids=["acknowledgement pending", "gap rejected"])
def test_nothing_of_the_old_link_reaches_into_the_new_one(frame: Frame | None, ns: int) -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.sends(b"old")
    peer.hears(K.RNR, False)
    peer.said()
    peer.hears(K.INFORMATION, True, ns=ns, info=b"x")
    if ns:
        peer.said()
    if frame is None:
        peer.link.establish(0.0)
    else:
        peer.link.receive(encode(frame, NETWORK), 0.0)
    peer.hears(K.UA, False, True)
    peer.hears(K.SABME, True, True)
    assert {each.kind for each in peer.said()} <= {K.SABME, K.UA}
    peer.sends(b"new")
    assert [each.info for each in peer.said()] == [b"new"]
    peer.hears(K.INFORMATION, True, ns=1, info=b"x")
    assert peer.said() == [Frame(K.REJ, False, nr=0)]


def test_release_drops_the_pending_acknowledgement() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    peer.hears(K.INFORMATION, True, info=b"x")
    peer.link.release(0.0)
    assert peer.said() == [Frame(K.DISC, True, True)]


def test_messages_wait_for_a_reset_but_not_for_an_establishment() -> None:
    peer = in_state(State.AWAITING_ESTABLISHMENT)
    with pytest.raises(StateError, match="not up"):
        peer.sends(b"x")
    peer = in_state(State.MULTIPLE_FRAME)
    peer.hears(K.FRMR, False, info=bytes(5))
    peer.sends(b"x")
    peer.said()
    peer.hears(K.UA, False, True)
    assert [frame.info for frame in peer.said()] == [b"x"]


@pytest.mark.parametrize("wrong", [
    {"t200_s": 0.0}, {"t200_s": 10.0}, {"k": 0}, {"k": 128}, {"n200": 0}, {"n201_octets": 0},
    {"queue_limit": 0}])
def test_parameters_that_make_no_link(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Parameters(**wrong)                       # type: ignore[arg-type]


def test_send_needs_a_link_room_and_a_fitting_message() -> None:
    peer = Peer(n201_octets=10, queue_limit=8, k=7)
    with pytest.raises(StateError, match="not up"):
        peer.sends(b"x")
    peer.hears(K.SABME, True, True)
    peer.sends(*[bytes(10)] * 8)
    with pytest.raises(StateError, match="8 messages wait"):
        peer.sends(b"x")
    for misfit in (b"", bytes(11)):
        with pytest.raises(ValueError, match="N201"):
            peer.sends(misfit)


def test_frames_of_others_are_counted_and_passed_over() -> None:
    peer = in_state(State.MULTIPLE_FRAME)
    for octets in ("fe ff 03 0f", "02 03 7f", "00 03 7f", "02", "02 00 7f"):
        peer.link.receive(bytes.fromhex(octets), 0.0)
    assert (peer.link.take_events(), peer.said(), peer.link.state) == ([], [], State.MULTIPLE_FRAME)
    counters = peer.link.counters
    assert (counters.foreign, counters.invalid, counters.frames_in) == (3, 2, 6)


# --- anything at all

numbers = st.integers(0, 127)
frames = st.builds(
    lambda sender, kind, command, pf, ns, nr, info: encode(Frame(kind, command, pf, ns, nr, info), sender),
    st.just(NETWORK), st.sampled_from(FrameKind), st.booleans(), st.booleans(),
    st.integers(0, 3) | numbers, st.integers(0, 3) | numbers, st.binary(max_size=3))
requests = st.sampled_from(("establish", "release", "send", "expire", "busy", "ready", "drain", "deactivate"))
moves = st.lists(st.tuples(st.just("receive"), frames | st.binary(max_size=300))
                 | st.tuples(requests, st.just(b"")), max_size=60)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(State), moves)
def test_anything_at_any_time_keeps_the_link_whole(state: State, moves: list[tuple[str, bytes]]) -> None:
    peer = in_state(state, k=3, n200=2, queue_limit=5)
    link, now = peer.link, peer.now
    for move, octets in moves:
        match move:
            case "receive":
                link.receive(octets, now)
            case "send":
                try:
                    link.send(b"x", now)
                except StateError:
                    assert link.state not in UP or len(link._entity.queue) == 5
            case "expire":
                now = link.next_deadline() or now
                link.expire(now)
            case "busy" | "ready":
                link.set_busy(move == "busy", now)
            case "drain":
                link.take_frames()
                link.take_events()
            case _:
                getattr(link, move)(now)
        entity = link._entity
        t200, t203 = entity.t200_at != NEVER, entity.t203_at != NEVER
        match link.state:
            case State.TEI_ASSIGNED:
                assert not t200 and not t203 and not entity.queue
            case State.MULTIPLE_FRAME:
                assert t200 is not t203
                assert t200 or not entity.outstanding()
            case _:
                assert t200 and not t203
        assert entity.outstanding() <= min(3, len(entity.queue)) or link.state is State.AWAITING_ESTABLISHMENT
        assert len(entity.queue) <= 5
        assert link.next_deadline() is not None or link.state is State.TEI_ASSIGNED
