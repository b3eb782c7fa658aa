"""What is done in the cells of table.py that carry messages (5.6, 5.8.1-5.8.3, 5.10)."""
from dataclasses import replace

from appliance.errors import StateError
from appliance.isdn.lapd import I_FRAME, FrameKind
from appliance.isdn.q921.connection import refuse
from appliance.isdn.q921.entity import NEVER, Entity
from appliance.isdn.q921.events import Received
from appliance.isdn.q921.states import MODULO, State

# --- requests and the queue


def enqueue(link: Entity) -> None:
    if len(link.queue) >= link.parameters.queue_limit:
        raise StateError(f"{len(link.queue)} messages wait for the data link already")
    link.queue.append(link.info)
    link.counters.longest_queue = max(link.counters.longest_queue, len(link.queue))


def enqueue_if_resetting(link: Entity) -> None:
    """State 5: no message goes before an establishment that layer 3 asked for."""
    if link.by_layer3:
        refuse(link)
    enqueue(link)


def send_queued(link: Entity) -> None:
    """State 7: as many as the window holds."""
    while not link.peer_busy and link.outstanding() < min(link.parameters.k, len(link.queue)):
        link.send_next()


def acknowledge(link: Entity) -> None:
    """An I frame that waits to go out since before the last one came in says its N(R) anew."""
    if link.frames and link.frames[-1].kind is I_FRAME:
        link.frames[-1] = replace(link.frames[-1], nr=link.vr)
        link.ack_pending = False
    else:
        link.supervise(command=False, pf=False)


# --- own receiver busy (5.6.6)


def note_busy(link: Entity) -> None:
    link.own_busy = True


def note_ready(link: Entity) -> None:
    link.own_busy = False


def turn_busy(link: Entity) -> None:
    if not link.own_busy:
        link.own_busy = True
        link.supervise(command=False, pf=False)


def turn_ready(link: Entity) -> None:
    if link.own_busy:
        link.own_busy = False
        link.supervise(command=False, pf=False)


# --- I frames received


def information(link: Entity) -> None:
    """State 7."""
    _take(link)
    if link.nr_is_valid():
        if link.peer_busy:
            link.acknowledged()
        else:
            link.acknowledged_and_timed()


def information_recovering(link: Entity) -> None:
    """State 8."""
    _take(link)
    if link.nr_is_valid():
        link.acknowledged()


def _take(link: Entity) -> None:
    frame = link.frame
    if not link.own_busy and frame.ns == link.vr:
        link.vr = (link.vr + 1) % MODULO
        link.rejecting = False
        link.ack_pending = True
        link.events.append(Received(frame.info))
    elif not link.own_busy and not link.rejecting:
        link.rejecting = True                     # N(S) sequence error, 5.8.1
        link.reject()
        return
    if frame.pf:
        link.supervise(command=False, pf=True)


# --- supervisory frames received


def ready(link: Entity) -> None:
    """RR in state 7."""
    link.peer_busy = False
    _answer_poll(link)
    if link.nr_is_valid():
        link.acknowledged_and_timed()


def not_ready(link: Entity) -> None:
    """RNR in state 7: T200 asks whether the peer is ready again."""
    link.peer_busy = True
    _answer_poll(link)
    if link.nr_is_valid():
        link.acknowledged()
        link.t200_at, link.t203_at = link.now + link.parameters.t200_s, NEVER


def rejected(link: Entity) -> None:
    """REJ in state 7."""
    link.peer_busy = False
    _answer_poll(link)
    if link.nr_is_valid():
        link.retransmit()


def recover(link: Entity) -> None:
    """RR, RNR or REJ in state 8; a response with F = 1 ends it."""
    link.peer_busy = link.frame.kind is FrameKind.RNR
    recovered = not link.frame.command and link.frame.pf
    if not recovered:
        _answer_poll(link)
    if not link.nr_is_valid():
        return
    if not recovered:
        link.acknowledged()
        return
    link.go(State.MULTIPLE_FRAME)
    link.retransmit()
    if link.peer_busy:                            # T200 goes on, to ask again
        link.t200_at, link.t203_at = link.now + link.parameters.t200_s, NEVER


def _answer_poll(link: Entity) -> None:
    if link.frame.pf and link.frame.command:
        link.supervise(command=False, pf=True)
    elif link.frame.pf:
        link.trouble("A")


# --- timers


def ask_for_acknowledgement(link: Entity) -> None:
    """T200 in state 7: the I frame was the first try."""
    link.retries = 1
    link.enquire()


def ask_for_life(link: Entity) -> None:
    """T203 in state 7."""
    link.retries = 0
    link.enquire()


def ask_again(link: Entity) -> None:
    """T200 in state 8."""
    if link.retries == link.parameters.n200:
        link.trouble("I")
        link.send_sabme(by_layer3=False)
    else:
        link.retries += 1
        link.enquire()
