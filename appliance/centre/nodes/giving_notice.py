"""A flow tells people on the pages; webui takes it from the board."""

from appliance.centre import events
from appliance.centre.flow import NoticeNode
from appliance.centre.nodes.base import Doing, Go, filled
from appliance.centre.state import Contact
from appliance.centre.turn import Turn

TEXT_MOST = 500                                   # characters, as of every notice
MOST = 50                                         # that are kept at a time, whatever callers do


class GivingNotice(Doing[NoticeNode]):
    def enter(self, turn: Turn, contact: Contact, node: NoticeNode) -> Go | None:
        given, here = turn.state.notices, f"{contact.flow} {contact.node}"
        if any(one.node == here and one.again_at > turn.now for one in given.values()):
            return Go(node.next, "told lately")
        if sum(max(one.until, one.again_at) > turn.now for one in given.values()) >= MOST:
            turn.log(events.NotComputed(what=f"there are {MOST} notices of flows already"), contact)
            return Go(node.next, "error")
        text = " ".join(filled(contact, node.text).split())[:TEXT_MOST]
        if not text:
            turn.log(events.NotComputed(what="the notice has no text"), contact)
            return Go(node.next, "error")
        turn.log(events.NoticeGiven(
            notice=turn.setup.new_id(), node=here, text=text, urgency=node.urgency, group=node.group or "",
            until=turn.now + node.for_s, again_at=turn.now + node.every_s), contact)
        return Go(node.next)
