"""One LAPD link on a primary-rate D-channel (SAPI 0, TEI 0). Time goes in; frames, events and the next
deadline come out.

Ref: ITU-T Q.921 (09/97). State numbers and cells are Annex B's, letters of Trouble those of table II.1; bare
clause numbers are Q.921's. Unnumbered information and XID are passed over: primary rate has no use for them.
"""
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from appliance.errors import DecodeError, StateError
from appliance.isdn.lapd import I_FRAME, Frame, FrameError, FrameKind, Side, decode, encode

MODULO = 128


class State(Enum):                                # 1-3 assign a TEI; on primary rate it is fixed
    TEI_ASSIGNED = 4
    AWAITING_ESTABLISHMENT = 5
    AWAITING_RELEASE = 6
    MULTIPLE_FRAME = 7
    TIMER_RECOVERY = 8


class On(Enum):
    ESTABLISH = "DL-ESTABLISH request"
    RELEASE = "DL-RELEASE request"
    DATA = "DL-DATA request"
    BUSY = "own receiver becomes busy"
    READY = "own receiver becomes ready"
    SABME = "SABME received"
    DISC = "DISC received"
    UA = "UA received"
    DM = "DM received"
    FRMR = "FRMR received"
    INFORMATION = "I received"
    RR = "RR received"
    RNR = "RNR received"
    REJ = "REJ received"
    UI = "UI received"
    XID = "XID received"
    BAD = "frame rejection condition"             # 3.6.11
    T200 = "T200 expired"
    T203 = "T203 expired"


@dataclass(frozen=True, slots=True)
class Established:
    """The link is up. `by_peer`: the peer asked; `reset`: it was up before; `lost`: messages of ours may be
    lost by it, which is when the Recommendation tells layer 3 of a reset."""

    by_peer: bool
    reset: bool
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The link is down and stays so until one side establishes it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """One layer 3 message, exactly once and in order."""

    info: bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """MDL-ERROR indication: a letter of table II.1."""

    letter: str


LinkEvent = Established | Released | Received | Trouble

TROUBLES = {                                      # what the letters stand for; who did it, then what
    "A": "the peer answered an enquiry that we did not make",
    "B": "the peer sent DM, F = 1, that answers nothing",
    "C": "the peer sent UA, F = 1, that answers nothing",
    "D": "the peer sent UA, F = 0, that answers nothing",
    "E": "the peer sent DM: it has no link",
    "F": "the peer set the link up once more",
    "G": "the peer does not answer SABME",
    "H": "the peer does not answer DISC",
    "I": "the peer does not answer our enquiries",
    "J": "the peer acknowledged a frame that we did not send",
    "K": "the peer sent FRMR: it takes us to break the protocol",
    "L": "the peer sent a frame that does not exist, or we hear ourselves",
    "M": "the peer sent information in a frame that has none",
    "N": "the peer sent a frame of a wrong length",
    "O": "the peer sent more information than N201 allows",
}


@dataclass(slots=True)
class LinkCounters:
    """Since the link was made; `foreign` is for other SAPIs and TEIs, `invalid` for no frame at all (2.9)."""

    frames_in: int = 0
    frames_out: int = 0
    retransmitted: int = 0                        # I frames that were to be sent once more
    rejects_in: int = 0
    rejects_out: int = 0
    foreign: int = 0
    invalid: int = 0
    troubles: Counter[str] = field(default_factory=Counter)


class Link:
    """A point-to-point link in any of states 4 to 8.

    Feed it with establish, release, send, set_busy, receive and expire; after each turn act on take_events,
    send what take_frames gives, and call expire at next_deadline. `now` is any monotonic time in seconds.
    """

    def __init__(self, side: Side, *, t200_s: float = 1.0, t203_s: float = 10.0, n200: int = 3,
                 n201_octets: int = 260, k: int = 7, queue_limit: int = 1000) -> None:    # 5.9
        if not (0 < k < MODULO and n200 > 0 and 0 < t200_s < t203_s):
            raise ValueError(f"k={k}, n200={n200}, t200_s={t200_s}, t203_s={t203_s}")
        self.side = side
        self.state = State.TEI_ASSIGNED
        self.counters = LinkCounters()
        self._durations_s = {On.T200: t200_s, On.T203: t203_s}
        self._n200, self._n201_octets, self._k, self._queue_limit = n200, n201_octets, k, queue_limit
        self._deadlines: dict[On, float] = {}
        self._frames: list[bytes] = []
        self._events: list[LinkEvent] = []
        self._queue: deque[bytes] = deque()       # from V(A) on: sent and not acknowledged, then not sent
        self._vs = self._va = self._vr = 0
        self._retries = 0                         # RC
        self._by_layer3 = False                   # "layer 3 initiated" of Annex B
        self._was_up = False                      # before the SABME that we wait for
        self._own_busy = self._peer_busy = False
        self._rejecting = False                   # the REJ exception condition
        self._ack_pending = False
        self._saved: On | None = None             # a request that waits for the next state
        self._now, self._frame, self._info, self._letter = 0.0, Frame(FrameKind.UI, True), b"", ""

    # --- inputs

    def establish(self, now: float) -> None:
        """DL-ESTABLISH request. Ends in Established or Released; messages not acknowledged are dropped."""
        self._fire(On.ESTABLISH, now)

    def release(self, now: float) -> None:
        """DL-RELEASE request. Ends in Released; messages not acknowledged are dropped."""
        self._fire(On.RELEASE, now)

    def send(self, info: bytes, now: float) -> None:
        """DL-DATA request: queue one message. StateError when the link is down or the queue is full."""
        if not 0 < len(info) <= self._n201_octets:
            raise ValueError(f"{len(info)} octets of information, N201 is {self._n201_octets}")
        self._info = info
        self._fire(On.DATA, now)

    def set_busy(self, busy: bool, now: float) -> None:
        """Refuse I frames for now, or accept them again (5.6.5.2)."""
        self._fire(On.BUSY if busy else On.READY, now)

    def receive(self, octets: bytes, now: float) -> None:
        """One frame without flags and FCS, whatever it holds."""
        self.counters.frames_in += 1
        try:
            frame = decode(octets, self.side.peer)
            if frame.kind is I_FRAME and len(frame.info) > self._n201_octets:
                raise FrameError("O", "3.6.11", "longer than N201", sapi=frame.sapi, tei=frame.tei)
        except FrameError as error:
            address, on, self._letter = (error.sapi, error.tei), On.BAD, error.letter
        except DecodeError:
            self.counters.invalid += 1
            return
        else:
            address, on, self._frame = (frame.sapi, frame.tei), On[frame.kind.name], frame
        if address != (0, 0):
            self.counters.foreign += 1
            return
        self._fire(on, now)

    def expire(self, now: float) -> None:
        """Let the timers whose deadline is not after `now` run out."""
        for timer in [timer for timer, at in self._deadlines.items() if at <= now]:
            del self._deadlines[timer]
            self._fire(timer, now)

    # --- outputs

    def next_deadline(self) -> float | None:
        """When to call expire, None when no timer runs."""
        return min(self._deadlines.values(), default=None)

    def take_frames(self) -> list[bytes]:
        """The frames to send now. What came in since the last time is acknowledged here, once (5.6.2.1)."""
        if self._ack_pending:
            self._supervise(command=False, pf=False)
        frames, self._frames = self._frames, []
        return frames

    def take_events(self) -> list[LinkEvent]:
        """What happened since the last time."""
        events, self._events = self._events, []
        return events

    # --- one turn

    def _fire(self, on: On, now: float) -> None:
        self._now, before = now, self.state
        TABLE[before, on](self)
        if self._saved and self.state is not before:
            saved, self._saved = self._saved, None
            TABLE[self.state, saved](self)
        while (self.state is State.MULTIPLE_FRAME and not self._peer_busy
               and self._outstanding() < min(self._k, len(self._queue))):
            self._send_next()

    def _ignore(self) -> None: ...

    # --- requests

    def _begin(self) -> None:
        self._queue.clear()
        self._send_sabme(by_layer3=True)

    def _begin_instead(self) -> None:             # in state 5: the re-establishment becomes layer 3's
        self._queue.clear()
        self._by_layer3, self._saved = True, None

    def _begin_later(self) -> None:
        self._saved = On.ESTABLISH

    def _end(self) -> None:
        self._retries = 0
        self._clear_exceptions()
        self._stop(On.T203)
        self.state = State.AWAITING_RELEASE
        self._poll(FrameKind.DISC)

    def _end_at_once(self) -> None:
        self._down("was not up")

    def _end_later(self) -> None:
        self._saved = On.RELEASE

    def _end_after_all(self) -> None:             # in state 6: no establishment after it
        self._saved = None

    def _enqueue(self) -> None:
        if len(self._queue) >= self._queue_limit:
            raise StateError(f"{len(self._queue)} messages wait for the data link already")
        self._queue.append(self._info)

    def _enqueue_if_resetting(self) -> None:
        if self._by_layer3:
            self._refuse()
        self._enqueue()

    def _refuse(self) -> None:
        raise StateError(f"the data link is not up, its state is {self.state.name}")

    def _note_busy(self) -> None:
        self._own_busy = True

    def _note_ready(self) -> None:
        self._own_busy = False

    def _turn_busy(self) -> None:
        if not self._own_busy:
            self._own_busy = True
            self._supervise(command=False, pf=False)

    def _turn_ready(self) -> None:
        if self._own_busy:
            self._own_busy = False
            self._supervise(command=False, pf=False)

    # --- unnumbered frames

    def _accept(self) -> None:                    # SABME in state 4
        self._respond(FrameKind.UA)
        self._events.append(Established(by_peer=True, reset=False))
        self._up()

    def _accept_reset(self) -> None:              # SABME in states 7 and 8
        self._respond(FrameKind.UA)
        self._clear_exceptions()
        self._trouble("F")
        self._reset_done(by_peer=True)
        self._up()

    def _answer_ua(self) -> None:
        self._respond(FrameKind.UA)

    def _answer_dm(self) -> None:
        self._respond(FrameKind.DM)

    def _be_released(self) -> None:
        self._respond(FrameKind.UA)
        self._clear_exceptions()
        self._down("the peer sent DISC")

    def _established(self) -> None:               # UA in state 5
        if not self._frame.pf:
            self._trouble("D")
            return
        if self._by_layer3:
            self._events.append(Established(by_peer=False, reset=self._was_up, lost=self._was_up))
        else:
            self._reset_done(by_peer=False)
        self._up()

    def _released(self) -> None:                  # UA in state 6
        if self._frame.pf:
            self._down("as asked")
        else:
            self._trouble("D")

    def _unasked_ua(self) -> None:
        self._trouble("C" if self._frame.pf else "D")

    def _invited(self) -> None:                   # DM in state 4; F = 0 asks for a link (5.5.1.1)
        if not self._frame.pf:
            self._send_sabme(by_layer3=True)

    def _refused(self) -> None:                   # DM in state 5
        if self._frame.pf:
            self._down("the peer answered DM")

    def _released_already(self) -> None:          # DM in state 6
        if self._frame.pf:
            self._down("as asked")

    def _unasked_dm(self) -> None:                # DM in state 7
        self._trouble("B" if self._frame.pf else "E")
        if not self._frame.pf:
            self._send_sabme(by_layer3=False)

    def _lost_peer(self) -> None:                 # DM in state 8, where F = 1 may answer our enquiry (5.7.1)
        self._trouble("B" if self._frame.pf else "E")
        self._send_sabme(by_layer3=False)

    def _frame_reject(self) -> None:
        self._trouble("K")
        self._send_sabme(by_layer3=False)

    def _report_bad(self) -> None:
        self._trouble(self._letter)

    def _reset_for_bad(self) -> None:
        self._trouble(self._letter)
        self._send_sabme(by_layer3=False)

    # --- I frames received

    def _information(self) -> None:               # state 7
        self._take_information()
        if self._nr_is_valid():
            if self._peer_busy:
                self._acknowledged()
            else:
                self._acknowledged_and_timed()

    def _information_recovering(self) -> None:    # state 8
        self._take_information()
        if self._nr_is_valid():
            self._acknowledged()

    def _take_information(self) -> None:
        frame = self._frame
        if not self._own_busy and frame.ns == self._vr:
            self._vr = (self._vr + 1) % MODULO
            self._rejecting = False
            self._ack_pending = True
            self._events.append(Received(frame.info))
        elif not self._own_busy and not self._rejecting:
            self._rejecting = True
            self._reject()
            return
        if frame.pf:
            self._supervise(command=False, pf=True)

    # --- supervisory frames received

    def _ready(self) -> None:                     # RR in state 7
        self._peer_busy = False
        self._answer_poll()
        if self._nr_is_valid():
            self._acknowledged_and_timed()

    def _not_ready(self) -> None:                 # RNR in state 7
        self._peer_busy = True
        self._answer_poll()
        if self._nr_is_valid():
            self._acknowledged()
            self._stop(On.T203)
            self._start(On.T200)

    def _rejected(self) -> None:                  # REJ in state 7
        self.counters.rejects_in += 1
        self._peer_busy = False
        self._answer_poll()
        if self._nr_is_valid():
            self._retransmit()

    def _recover(self) -> None:                   # RR, RNR or REJ in state 8
        self.counters.rejects_in += self._frame.kind is FrameKind.REJ
        self._peer_busy = self._frame.kind is FrameKind.RNR
        recovered = not self._frame.command and self._frame.pf
        if not recovered:
            self._answer_poll()
        if not self._nr_is_valid():
            return
        if not recovered:
            self._acknowledged()
            return
        self.state = State.MULTIPLE_FRAME
        self._retransmit()
        if self._peer_busy:                       # T200 goes on, to ask again
            self._stop(On.T203)
            self._start(On.T200)

    def _answer_poll(self) -> None:
        if self._frame.pf and self._frame.command:
            self._supervise(command=False, pf=True)
        elif self._frame.pf:
            self._trouble("A")

    # --- timers

    def _sabme_again(self) -> None:               # T200 in state 5
        if self._retries == self._n200:
            self._trouble("G")
            self._down(f"no answer to SABME, sent {self._n200 + 1} times")
        else:
            self._retries += 1
            self._poll(FrameKind.SABME)

    def _disc_again(self) -> None:                # T200 in state 6
        if self._retries == self._n200:
            self._trouble("H")
            self._down(f"no answer to DISC, sent {self._n200 + 1} times")
        else:
            self._retries += 1
            self._poll(FrameKind.DISC)

    def _ask_for_acknowledgement(self) -> None:   # T200 in state 7: the I frame was the first try
        self._retries = 1
        self._enquire()

    def _ask_for_life(self) -> None:              # T203 in state 7
        self._retries = 0
        self._enquire()

    def _ask_again(self) -> None:                 # T200 in state 8
        if self._retries == self._n200:
            self._trouble("I")
            self._send_sabme(by_layer3=False)
        else:
            self._retries += 1
            self._enquire()

    # --- the procedures of Annex B that several cells use

    def _enquire(self) -> None:
        self._supervise(command=True, pf=True)
        self._start(On.T200)
        self.state = State.TIMER_RECOVERY

    def _send_sabme(self, *, by_layer3: bool) -> None:
        self._by_layer3 = by_layer3
        self._was_up = self.state in (State.MULTIPLE_FRAME, State.TIMER_RECOVERY)
        self._clear_exceptions()
        self._retries = 0
        self._stop(On.T203)
        self.state = State.AWAITING_ESTABLISHMENT
        self._poll(FrameKind.SABME)

    def _up(self) -> None:
        self._vs = self._va = self._vr = 0
        self._stop(On.T200)
        self._start(On.T203)
        self.state = State.MULTIPLE_FRAME

    def _down(self, reason: str) -> None:
        self._queue.clear()
        self._vs = self._va                       # nothing is outstanding any more
        self._stop(On.T200)
        self._stop(On.T203)
        self.state = State.TEI_ASSIGNED
        self._events.append(Released(reason))

    def _clear_exceptions(self) -> None:
        """Done on the way out of states 7 and 8. Our own busy condition stays: it is the caller's."""
        self._peer_busy = self._rejecting = self._ack_pending = False

    def _reset_done(self, *, by_peer: bool) -> None:
        """A reset that layer 3 did not ask for; with frames outstanding the queue is dropped (5.7.3)."""
        lost = self._outstanding() > 0
        if lost:
            self._queue.clear()
        self._events.append(Established(by_peer, reset=True, lost=lost))

    def _outstanding(self) -> int:
        return (self._vs - self._va) % MODULO

    def _nr_is_valid(self) -> bool:
        """V(A) <= N(R) <= V(S); if not, the link is re-established (5.8.5)."""
        if (self._frame.nr - self._va) % MODULO <= self._outstanding():
            return True
        self._trouble("J")
        self._send_sabme(by_layer3=False)
        return False

    def _acknowledged(self) -> None:
        while self._va != self._frame.nr:
            self._queue.popleft()
            self._va = (self._va + 1) % MODULO

    def _acknowledged_and_timed(self) -> None:
        progress = self._va != self._frame.nr
        self._acknowledged()
        if self._va == self._vs:
            self._stop(On.T200)
            self._start(On.T203)
        elif progress:
            self._start(On.T200)

    def _retransmit(self) -> None:
        """Invoke retransmission: all from N(R) on are to be sent again."""
        self._acknowledged()
        self.counters.retransmitted += self._outstanding()
        self._vs = self._va
        self._stop(On.T200)
        self._start(On.T203)

    def _trouble(self, letter: str) -> None:
        self.counters.troubles[letter] += 1
        self._events.append(Trouble(letter))

    def _start(self, timer: On) -> None:
        self._deadlines[timer] = self._now + self._durations_s[timer]

    def _stop(self, timer: On) -> None:
        self._deadlines.pop(timer, None)

    # --- frames sent

    def _send_next(self) -> None:
        info = self._queue[self._outstanding()]
        self._send(Frame(I_FRAME, command=True, ns=self._vs, nr=self._vr, info=info))
        self._vs = (self._vs + 1) % MODULO
        self._ack_pending = False
        if On.T200 not in self._deadlines:
            self._stop(On.T203)
            self._start(On.T200)

    def _poll(self, kind: FrameKind) -> None:
        self._send(Frame(kind, command=True, pf=True))
        self._start(On.T200)

    def _respond(self, kind: FrameKind) -> None:
        self._send(Frame(kind, command=False, pf=self._frame.pf))

    def _supervise(self, *, command: bool, pf: bool) -> None:
        kind = FrameKind.RNR if self._own_busy else FrameKind.RR
        self._send(Frame(kind, command, pf, nr=self._vr))
        self._ack_pending = False

    def _reject(self) -> None:
        self.counters.rejects_out += 1
        self._send(Frame(FrameKind.REJ, command=False, pf=self._frame.pf, nr=self._vr))
        self._ack_pending = False

    def _send(self, frame: Frame) -> None:
        self.counters.frames_out += 1
        self._frames.append(encode(frame, self.side))


# One row per input, one column per state 4 to 8: figures B.4 to B.8; 5.5.4 says what state 4 discards.
L = Link
ROWS: dict[On, tuple[Callable[[Link], None], ...]] = {
    On.ESTABLISH: (L._begin, L._begin_instead, L._begin_later, L._begin, L._begin),
    On.RELEASE: (L._end_at_once, L._end_later, L._end_after_all, L._end, L._end),
    On.DATA: (L._refuse, L._enqueue_if_resetting, L._refuse, L._enqueue, L._enqueue),
    On.BUSY: (L._note_busy, L._note_busy, L._note_busy, L._turn_busy, L._turn_busy),
    On.READY: (L._note_ready, L._note_ready, L._note_ready, L._turn_ready, L._turn_ready),
    On.SABME: (L._accept, L._answer_ua, L._answer_dm, L._accept_reset, L._accept_reset),
    On.DISC: (L._answer_dm, L._answer_dm, L._answer_ua, L._be_released, L._be_released),
    On.UA: (L._unasked_ua, L._established, L._released, L._unasked_ua, L._unasked_ua),
    On.DM: (L._invited, L._refused, L._released_already, L._unasked_dm, L._lost_peer),
    On.FRMR: (L._ignore, L._ignore, L._ignore, L._frame_reject, L._frame_reject),
    On.INFORMATION: (L._ignore, L._ignore, L._ignore, L._information, L._information_recovering),
    On.RR: (L._ignore, L._ignore, L._ignore, L._ready, L._recover),
    On.RNR: (L._ignore, L._ignore, L._ignore, L._not_ready, L._recover),
    On.REJ: (L._ignore, L._ignore, L._ignore, L._rejected, L._recover),
    On.UI: (L._ignore,) * 5,
    On.XID: (L._ignore,) * 5,
    On.BAD: (L._report_bad, L._report_bad, L._report_bad, L._reset_for_bad, L._reset_for_bad),
    On.T200: (L._ignore, L._sabme_again, L._disc_again, L._ask_for_acknowledgement,
              L._ask_again),
    On.T203: (L._ignore, L._ignore, L._ignore, L._ask_for_life, L._ignore),
}
TABLE = {(state, on): cell for on, row in ROWS.items() for state, cell in zip(State, row, strict=True)}
