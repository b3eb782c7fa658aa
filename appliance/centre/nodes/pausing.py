"""Nodes between which nothing that the caller keys in is kept."""

from appliance.centre import recording
from appliance.centre.flow import PauseNode, ResumeNode
from appliance.centre.nodes.base import Doing, Go
from appliance.centre.state import Contact
from appliance.centre.turn import Turn


class Pausing(Doing[PauseNode]):
    def enter(self, turn: Turn, contact: Contact, node: PauseNode) -> Go | None:
        recording.pause(turn, contact, min(node.for_s, turn.setup.control.pause_s), recording.FLOW)
        return Go(node.next)


class Resuming(Doing[ResumeNode]):
    def enter(self, turn: Turn, contact: Contact, node: ResumeNode) -> Go | None:
        recording.resume(turn, contact, recording.FLOW)
        return Go(node.next)
