"""What is done in the cells of table.py that set the link up, end it or find it broken.

Ref: 5.5, 5.7, 5.8.5-5.8.7 of Q.921.
"""
from collections.abc import Callable

from appliance.errors import StateError
from appliance.isdn.lapd import Frame, FrameKind
from appliance.isdn.q921.entity import NEVER, Entity
from appliance.isdn.q921.events import Established, ReceivedUnit
from appliance.isdn.q921.states import On, State

# --- any state


def ignore(link: Entity) -> None: ...


def refuse(link: Entity) -> None:
    raise StateError(f"the data link is not up, its state is {link.state.name}")


def send_unit(link: Entity) -> None:
    link.send(Frame(FrameKind.UI, True, info=link.info))


def unit(link: Entity) -> None:
    link.events.append(ReceivedUnit(link.frame.info))


def answer_xid(link: Entity) -> None:
    """3.6.12: what cannot be interpreted, and that is all of it here, is answered without information. So the
    peer knows that nothing was negotiated and the parameters are the defaults of 5.9 (5.4)."""
    if link.frame.command:
        link.respond(FrameKind.XID)


# --- requests


def begin(link: Entity) -> None:
    link.queue.clear()
    link.send_sabme(by_layer3=True)


def begin_instead(link: Entity) -> None:
    """State 5: the re-establishment becomes layer 3's."""
    link.queue.clear()
    link.by_layer3, link.saved = True, None


def begin_later(link: Entity) -> None:
    link.saved = On.ESTABLISH


def end(link: Entity) -> None:
    link.queue.clear()
    link.vs = link.va
    link.retries = 0
    link.t203_at = NEVER
    link.clear_exceptions()
    link.go(State.AWAITING_RELEASE)
    link.poll(FrameKind.DISC)


def end_at_once(link: Entity) -> None:
    link.down("was not up")


def end_later(link: Entity) -> None:
    link.saved = On.RELEASE


def end_after_all(link: Entity) -> None:
    """State 6: no establishment after it."""
    link.saved = None


def deactivated(link: Entity) -> None:
    link.clear_exceptions()
    link.saved = None
    link.down("the line is down")


# --- unnumbered frames received


def accept(link: Entity) -> None:
    """SABME in state 4."""
    link.respond(FrameKind.UA)
    link.events.append(Established(by_peer=True, reset=False))
    link.up()


def accept_reset(link: Entity) -> None:
    """SABME in states 7 and 8."""
    link.respond(FrameKind.UA)
    link.clear_exceptions()
    link.trouble("F")
    link.reset_done(by_peer=True)
    link.up()


def answer_crossing(link: Entity) -> None:
    """SABME in state 5."""
    link.respond(FrameKind.UA)
    link.crossed = True


def refuse_sabme(link: Entity) -> None:
    """SABME in state 6."""
    link.respond(FrameKind.DM)


def refuse_disc(link: Entity) -> None:
    """DISC in states 4 and 5."""
    link.respond(FrameKind.DM)
    link.crossed = False


def agree_to_disc(link: Entity) -> None:
    """DISC in state 6."""
    link.respond(FrameKind.UA)


def be_released(link: Entity) -> None:
    """DISC in states 7 and 8."""
    link.respond(FrameKind.UA)
    link.clear_exceptions()
    link.down("the peer sent DISC")


def established(link: Entity) -> None:
    """UA in state 5."""
    if link.frame.pf:
        _complete(link)
    else:
        link.trouble("D")


def after_crossing(then: Callable[[Entity], None]) -> Callable[[Entity], None]:
    """An I or supervisory frame in state 5. By 5.5.1.2 it is passed over, and so it is, but for one case.

    SABMEs crossed, we answered the peer's, our own is not answered yet: now the peer shows by this frame that
    it is in state 7, all its numbers 0. On a line that keeps frames in order our SABME has come before our UA
    or never will: its UA was lost, or our SABME was. The frame is taken as that UA, then as what it is. To
    pass it over would cost the peer's first message and, T200 later, a reset of a link that was just set up.
    """
    def decide(link: Entity) -> None:
        if link.crossed and link.frame.nr == 0 and (link.frame.command or not link.frame.pf):
            _complete(link)
            then(link)
    return decide


def _complete(link: Entity) -> None:
    if link.by_layer3:
        link.events.append(Established(by_peer=False, reset=link.was_up, lost=link.was_up))
    else:
        link.reset_done(by_peer=False)
    link.up()


def released(link: Entity) -> None:
    """UA in state 6."""
    if link.frame.pf:
        link.down("as asked")
    else:
        link.trouble("D")


def unasked_ua(link: Entity) -> None:
    link.trouble("C" if link.frame.pf else "D")


def invited(link: Entity) -> None:
    """DM in state 4; F = 0 asks for a link (5.5.1.1)."""
    if not link.frame.pf:
        link.send_sabme(by_layer3=True)


def refused(link: Entity) -> None:
    """DM in state 5; F = 0 may have crossed our SABME (5.5.5.3)."""
    if link.frame.pf:
        link.down("the peer answered DM")


def released_already(link: Entity) -> None:
    """DM in state 6."""
    if link.frame.pf:
        link.down("as asked")


def unasked_dm(link: Entity) -> None:
    """DM in state 7."""
    link.trouble("B" if link.frame.pf else "E")
    if not link.frame.pf:
        link.send_sabme(by_layer3=False)


def lost_peer(link: Entity) -> None:
    """DM in state 8, where F = 1 may answer our enquiry (5.7.1)."""
    link.trouble("B" if link.frame.pf else "E")
    link.send_sabme(by_layer3=False)


def frame_reject(link: Entity) -> None:
    link.trouble("K")
    link.send_sabme(by_layer3=False)


def report_bad(link: Entity) -> None:
    link.trouble(link.letter)


def reset_for_bad(link: Entity) -> None:
    link.trouble(link.letter)
    link.send_sabme(by_layer3=False)


# --- T200


def sabme_again(link: Entity) -> None:
    """T200 in state 5."""
    if link.retries == link.parameters.n200:
        link.trouble("G")
        link.down(f"no answer to SABME, sent {link.retries + 1} times")
    else:
        link.retries += 1
        link.poll(FrameKind.SABME)


def disc_again(link: Entity) -> None:
    """T200 in state 6."""
    if link.retries == link.parameters.n200:
        link.trouble("H")
        link.down(f"no answer to DISC, sent {link.retries + 1} times")
    else:
        link.retries += 1
        link.poll(FrameKind.DISC)
