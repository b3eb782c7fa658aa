"""What each kind of node does with a contact. A new kind: a class in flow/model.py, and here, and a row."""

from dataclasses import replace
from typing import Any

from appliance.bus.messages import StopPlay, StopRecording
from appliance.centre import events, voicemail
from appliance.centre.effects import EffectDone
from appliance.centre.flow import (
    AgentNode,
    AuthenticateNode,
    BranchNode,
    CallbackNode,
    CollectNode,
    HangupNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    Node,
    NoticeNode,
    PauseNode,
    PlayNode,
    QueueNode,
    RecordNode,
    ReplayNode,
    ResumeNode,
    ReturnNode,
    SayNode,
    SetNode,
    SubflowNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
)
from appliance.centre.nodes.base import Doing, Go, mask, place
from appliance.centre.nodes.deciding import Branching, LookingUp, Opening, Setting, Speaking
from appliance.centre.nodes.desks import AtDesk
from appliance.centre.nodes.giving_notice import GivingNotice
from appliance.centre.nodes.leaving import GoingThrough, HangingUp, Queueing, Returning, Transferring
from appliance.centre.nodes.pausing import Pausing, Resuming
from appliance.centre.nodes.promising import Promising, Surveying, TakingMessage
from appliance.centre.nodes.replaying import Replaying
from appliance.centre.nodes.talking import (
    Authenticating,
    Choosing,
    Collecting,
    Playing,
    Recording,
    Saying,
    record_message,
)
from appliance.centre.state import Contact
from appliance.centre.turn import TEMPORARY_FAILURE, Turn
from appliance.errors import StateError

STEPS_AT_ONCE = 100                               # nodes, until one awaits something
STEPS_MOST = 1000                                 # of a contact: whatever its caller does, the log of it ends

NODES: dict[type[Node], Doing[Any]] = {
    PlayNode: Playing(),
    SayNode: Saying(),
    MenuNode: Choosing(),
    CollectNode: Collecting(),
    SetNode: Setting(),
    BranchNode: Branching(),
    LookupNode: LookingUp(),
    AuthenticateNode: Authenticating(),
    LanguageNode: Speaking(),
    AgentNode: AtDesk(),
    HoursNode: Opening(),
    QueueNode: Queueing(),
    TransferNode: Transferring(),
    RecordNode: Recording(),
    SubflowNode: GoingThrough(),
    ReturnNode: Returning(),
    HangupNode: HangingUp(),
    CallbackNode: Promising(),
    VoicemailNode: TakingMessage(),
    SurveyNode: Surveying(),
    NoticeNode: GivingNotice(),
    PauseNode: Pausing(),
    ResumeNode: Resuming(),
    ReplayNode: Replaying(),
}


def start(turn: Turn, contact: Contact, flow: str, language: str = "") -> None:
    """The contact enters `flow` at its beginning; language "": the flow's own."""
    begun = turn.setup.flows[flow]
    turn.log(events.FlowBegun(flow=flow, version=turn.setup.version(flow),
                              language=language or begun.language, variables=begun.variables), contact)
    _walk(turn, contact, Go(begun.start, "begin"))


def press(turn: Turn, contact: Contact, digit: str) -> None:
    if contact.node and contact.record.state in ("flow", "queue"):
        doing, node = _at(turn, contact)
        if contact.record.state == "flow" or isinstance(node, QueueNode):      # not where an agent sent it
            _walk(turn, contact, doing.digit(turn, contact, node, digit))


def play_over(turn: Turn, contact: Contact) -> None:
    if contact.record.state == "flow" and contact.node:
        doing, node = _at(turn, contact)
        _walk(turn, contact, doing.play_over(turn, contact, node))


def no_digit(turn: Turn, contact: Contact) -> None:
    turn.log(events.DigitAwaited(until=0.0), contact)
    doing, node = _at(turn, contact)
    _walk(turn, contact, doing.no_digit(turn, contact, node))


def overflow(turn: Turn, contact: Contact) -> None:
    doing, node = _at(turn, contact)
    _walk(turn, contact, doing.overflow(turn, contact, node))


def done(turn: Turn, contact: Contact, given: EffectDone) -> None:
    """What was asked for is there; an answer that comes too late means nothing."""
    if contact.order and contact.order == given.order:
        turn.log(events.OrderOver(error=given.error), contact)
        doing, node = _at(turn, contact)
        _walk(turn, contact, doing.done(turn, contact, node, given))


def no_answer(turn: Turn, contact: Contact) -> None:
    """What was asked for has not come in its time."""
    done(turn, contact, EffectDone(order=contact.order, error="no answer in time"))


def resume(turn: Turn, contact: Contact) -> None:
    """After a restart: whoever was asked for something does not know of it any more."""
    if contact.order and contact.order not in turn.memory.orders.values():
        turn.log(events.OrderOver(error="acdd was started anew"), contact)
        doing, node = _at(turn, contact)
        _walk(turn, contact, doing.resume(turn, contact, node))


def over(turn: Turn, contact: Contact, outcome: str) -> None:
    """What happened elsewhere for the contact's node has this outcome."""
    doing, node = _at(turn, contact)
    _walk(turn, contact, doing.over(turn, contact, node, outcome))


def too_long(turn: Turn, contact: Contact) -> None:
    """The contact has been in the flow for as long as that may be."""
    _give_up(turn, contact, "too long in the flow")


def media_wishes(turn: Turn, contact: Contact) -> None:
    """What spand has to do for the contact beside its play."""
    if contact.record.state == "flow" and contact.connected and not contact.play:
        turn.do(StopPlay(leg=contact.arrived_leg))
    if contact.record.state == "flow" and contact.recording:
        record_message(turn, contact)
    elif contact.record.state == "flow" and contact.stopped:
        turn.do(StopRecording(recording=contact.stopped))
    if contact.message:
        voicemail.wish(turn, contact)


def known(turn: Turn, contact: Contact) -> bool:
    """The setup still has the place where the contact is."""
    flow = turn.setup.flow_of(contact)
    return (flow is not None and contact.node in flow.nodes
            and (not contact.record.queue or contact.record.queue in turn.setup.queues))


def _walk(turn: Turn, contact: Contact, go: Go | None) -> None:
    """From node to node until one awaits something."""
    steps, played = 0, contact.play
    while go is not None:
        name, flow = place(contact, go.to), turn.setup.flow_of(contact)
        if flow is None or name not in flow.nodes:
            return _give_up(turn, contact, f"there is no node {name}")
        if steps == STEPS_AT_ONCE or contact.steps >= STEPS_MOST:
            return _give_up(turn, contact, f"{contact.steps} nodes, {steps} of them at once")
        steps += 1
        mask(turn, contact, False)
        limit_at = contact.limit_at if contact.record.state == "flow" and contact.limit_at else 0.0
        turn.log(events.NodeEntered(
            flow=contact.flow, node=name, language=go.language or contact.language, by=go.by,
            limit_at=limit_at or turn.now + flow.limit_s), contact)
        go = _onward(turn, contact, flow.nodes[name], go.digit)
    if played and not contact.play and contact.record.contact in turn.state.contacts:
        turn.do(StopPlay(leg=contact.arrived_leg))
    return None


def _onward(turn: Turn, contact: Contact, node: Node, digit: str) -> Go | None:
    doing = NODES[type(node)]
    go = doing.enter(turn, contact, node)
    if not digit or contact.record.contact not in turn.state.contacts:
        return go
    if go is not None:
        return replace(go, digit=digit)
    return doing.digit(turn, contact, node, digit) if contact.record.state == "flow" else None


def _give_up(turn: Turn, contact: Contact, why: str) -> None:
    turn.log(events.GaveUp(why=why), contact)
    turn.end(contact, "failed", "box", TEMPORARY_FAILURE)


def _at(turn: Turn, contact: Contact) -> tuple[Doing[Any], Node]:
    flow = turn.setup.flow_of(contact)
    if flow is None:
        raise StateError(f"{contact.record.contact}: version {contact.version} of {contact.flow} is gone")
    node = flow.nodes[contact.node]
    return NODES[type(node)], node
