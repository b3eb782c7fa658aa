"""A data link entity: its variables and timers, the frames it sends, and the procedures of Annex B that
several cells of the table share. What happens when is table.py's.
"""
from collections import deque
from math import inf

from appliance.isdn.lapd import I_FRAME, Frame, FrameKind
from appliance.isdn.q921.events import Established, LinkEvent, Released, Trouble
from appliance.isdn.q921.states import MODULO, UP, On, Parameters, State
from appliance.isdn.q921.statistics import LinkCounters

NEVER = inf                                       # of a timer that does not run
NO_FRAME = Frame(FrameKind.UI, True)


class Entity:
    """`now`, `frame`, `info` and `letter` belong to the input that is being dealt with."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.state = State.TEI_ASSIGNED
        self.counters = LinkCounters()
        self.frames: list[Frame] = []             # to be sent
        self.events: list[LinkEvent] = []         # to be told
        self.queue: deque[bytes] = deque()        # from V(A) on: sent and not acknowledged, then not sent
        self.vs = self.va = self.vr = 0           # V(S), V(A), V(R)
        self.retries = 0                          # RC
        self.t200_at = self.t203_at = NEVER       # when they expire
        self.by_layer3 = False                    # "layer 3 initiated"
        self.was_up = False                       # before the SABME that we wait for
        self.crossed = False                      # the peer's SABME was answered since we sent ours
        self.own_busy = self.peer_busy = False
        self.rejecting = False                    # the REJ exception condition
        self.ack_pending = False
        self.saved: On | None = None              # a request that waits for the next state
        self.up_s, self.up_since = 0.0, 0.0
        self.now, self.frame, self.info, self.letter = 0.0, NO_FRAME, b"", ""

    # --- states

    def go(self, state: State) -> None:
        if self.state in UP and state not in UP:
            self.up_s += self.now - self.up_since
        elif state in UP and self.state not in UP:
            self.up_since = self.now
        self.state = state

    def up(self) -> None:
        """Multiple frame operation begins, or begins anew."""
        self.vs = self.va = self.vr = 0
        self.t200_at, self.t203_at = NEVER, self.now + self.parameters.t203_s
        self.go(State.MULTIPLE_FRAME)
        self.counters.established += 1
        if self.own_busy:                         # the caller's condition goes on; the peer does not know it
            self.supervise(command=False, pf=False)

    def down(self, reason: str) -> None:
        self.queue.clear()
        self.vs = self.va                         # nothing is outstanding any more
        self.t200_at = self.t203_at = NEVER
        self.go(State.TEI_ASSIGNED)
        self.events.append(Released(reason))

    def send_sabme(self, *, by_layer3: bool) -> None:
        """Establish data link."""
        self.by_layer3 = by_layer3
        self.was_up = self.state in UP
        self.clear_exceptions()
        self.retries = 0
        self.t203_at = NEVER
        self.go(State.AWAITING_ESTABLISHMENT)
        self.poll(FrameKind.SABME)

    def clear_exceptions(self) -> None:
        """On the way out of states 7 and 8. Our own busy condition stays: it is the caller's, see up()."""
        self.peer_busy = self.rejecting = self.ack_pending = False

    def reset_done(self, *, by_peer: bool) -> None:
        """A reset that layer 3 did not ask for; with frames outstanding the queue is dropped (5.7.2)."""
        lost = self.outstanding() > 0
        if lost:
            self.queue.clear()
        self.events.append(Established(by_peer, reset=True, lost=lost))

    def trouble(self, letter: str) -> None:
        self.counters.troubles[letter] += 1
        self.events.append(Trouble(letter))

    # --- acknowledgements

    def outstanding(self) -> int:
        return (self.vs - self.va) % MODULO

    def nr_is_valid(self) -> bool:
        """V(A) <= N(R) <= V(S); if not, the link is re-established (5.8.2)."""
        if (self.frame.nr - self.va) % MODULO <= (self.vs - self.va) % MODULO:
            return True
        self.trouble("J")
        self.send_sabme(by_layer3=False)
        return False

    def acknowledged(self) -> None:
        while self.va != self.frame.nr:
            self.queue.popleft()
            self.va = (self.va + 1) % MODULO

    def acknowledged_and_timed(self) -> None:
        """5.6.3.2: T200 runs anew only when something was acknowledged."""
        progress = self.va != self.frame.nr
        self.acknowledged()
        if self.va == self.vs:
            self.t200_at, self.t203_at = NEVER, self.now + self.parameters.t203_s
        elif progress:
            self.t200_at = self.now + self.parameters.t200_s

    def retransmit(self) -> None:
        """Invoke retransmission: all from N(R) on are to be sent again."""
        self.acknowledged()
        self.counters.retransmitted += self.outstanding()
        self.vs = self.va
        self.t200_at, self.t203_at = NEVER, self.now + self.parameters.t203_s

    # --- frames sent

    def send_next(self) -> None:
        """The first I frame of the queue that is not outstanding."""
        info = self.queue[self.outstanding()]
        self.send(Frame(I_FRAME, True, False, self.vs, self.vr, info))
        self.vs = (self.vs + 1) % MODULO
        self.ack_pending = False
        if self.t200_at == NEVER:
            self.t200_at, self.t203_at = self.now + self.parameters.t200_s, NEVER

    def poll(self, kind: FrameKind) -> None:
        """A SABME or DISC, which must be answered."""
        self.crossed = False
        self.send(Frame(kind, command=True, pf=True))
        self.t200_at = self.now + self.parameters.t200_s

    def respond(self, kind: FrameKind) -> None:
        """F = P."""
        self.send(Frame(kind, command=False, pf=self.frame.pf))

    def supervise(self, *, command: bool, pf: bool) -> None:
        """RR, or RNR while we are busy."""
        kind = FrameKind.RNR if self.own_busy else FrameKind.RR
        self.send(Frame(kind, command, pf, 0, self.vr))
        self.ack_pending = False

    def reject(self) -> None:
        self.send(Frame(FrameKind.REJ, command=False, pf=self.frame.pf, nr=self.vr))
        self.ack_pending = False

    def enquire(self) -> None:
        """Transmit enquiry; state 8 waits for the answer."""
        self.supervise(command=True, pf=True)
        self.t200_at = self.now + self.parameters.t200_s
        self.go(State.TIMER_RECOVERY)

    def send(self, frame: Frame) -> None:
        self.counters.sent[frame.kind] += 1
        self.frames.append(frame)
