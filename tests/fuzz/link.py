"""D-channel frames of any octets, for a data link in each state, with messages outstanding."""

from appliance.isdn.lapd import I_FRAME, Frame, FrameKind, Side, decode, encode
from appliance.isdn.q921 import MODULO, UP, Established, Link, Parameters, Received, Released, State
from tests.fuzz.lapd import corpus as lapd_corpus

WAITING = 3                                       # messages that are outstanding or queued at the start
WINDOW = 2
MESSAGE = bytes.fromhex("08 02 00 01 62")
PARAMETERS = Parameters(k=WINDOW)
SABME, DISC, UA = ({side: encode(Frame(kind, command=kind is not FrameKind.UA, pf=True), side)
                    for side in Side} for kind in (FrameKind.SABME, FrameKind.DISC, FrameKind.UA))


def corpus() -> list[bytes]:
    """The vectors, and frames that fit what a link here has said and heard."""
    fitting = [encode(Frame(kind, command, pf, ns, nr, MESSAGE if kind is I_FRAME else b""), side)
               for kind in (I_FRAME, FrameKind.RR, FrameKind.RNR, FrameKind.REJ) for command in (True, False)
               for pf in (True, False) for ns, nr in ((0, 0), (0, 2), (1, 1), (0, 127)) for side in Side
               if command or kind is not I_FRAME]
    return lapd_corpus() + fitting + [frames[side] for frames in (SABME, DISC, UA) for side in Side]


def fuzz(data: bytes) -> None:
    """Twice, and all timers after it: no frame is sent that cannot be read, no number goes out of its window,
    and the link comes up again."""
    for side in Side:
        for state in State:
            link = _brought(side, state)
            now = 1.0
            for octets in (data, data):
                link.receive(octets, now)
                _check(link, side, now)
            for _ in range(12):
                if (deadline := link.next_deadline()) is not None and deadline < now + 11.0:
                    now = deadline
                    link.expire(now)
                    _check(link, side, now)
            _comes_up(link, side, now)


def _brought(side: Side, state: State) -> Link:
    link = Link(side, PARAMETERS)
    if state is not State.TEI_ASSIGNED:
        link.establish(0.0)
    if state in (*UP, State.AWAITING_RELEASE):
        link.receive(UA[side.peer], 0.0)
        for _ in range(WAITING):
            link.send(MESSAGE, 0.0)
    if state is State.AWAITING_RELEASE:
        link.release(0.0)
    if state is State.TIMER_RECOVERY:
        link.expire(1.0)
    assert link.state is state
    link.take_frames(), link.take_events()
    return link


def _check(link: Link, side: Side, now: float) -> None:
    events = link.take_events()
    assert sum(isinstance(event, Received) for event in events) <= 1
    if any(isinstance(event, Released) for event in events):
        assert link.state is State.TEI_ASSIGNED
    if any(isinstance(event, Established) for event in events):
        assert link.state in UP
    said = [decode(octets, side) for octets in link.take_frames()]
    assert all(frame.nr < MODULO and len(frame.info) <= PARAMETERS.n201_octets for frame in said)
    assert sum(frame.kind is I_FRAME for frame in said) <= WINDOW
    assert link.statistics(now).queued <= WAITING
    waits = link.state is not State.TEI_ASSIGNED
    assert waits == (link.next_deadline() is not None), f"{link.state.name}: {link.next_deadline()}"


def _comes_up(link: Link, side: Side, now: float) -> None:
    link.release(now)
    for _ in range(2):
        link.receive(UA[side.peer], now)
    link.take_frames()
    link.establish(now)
    link.receive(UA[side.peer], now)
    assert link.state is State.MULTIPLE_FRAME
    link.send(MESSAGE, now)
    frames = link.take_frames()
    assert decode(frames[-1], side).info == MESSAGE
