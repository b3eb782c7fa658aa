"""What agents do from their telephones."""

from appliance.centre import agents
from appliance.centre.flow import AgentNode
from appliance.centre.nodes.base import Doing, Go, filled
from appliance.centre.state import Agent, Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError

BY = "telephone"


class AtDesk(Doing[AgentNode]):
    def enter(self, turn: Turn, contact: Contact, node: AgentNode) -> Go | None:
        try:
            self._do(turn, contact, node)
        except StateError as error:
            return Go(node.refused, str(error)[:80])
        return Go(node.next)

    def _do(self, turn: Turn, contact: Contact, node: AgentNode) -> Agent:
        extension, trunk = contact.record.calling, contact.trunk
        if trunk not in turn.setup.trunks or not extension:
            raise StateError("not one of the box's own extensions")
        there = agents.at(turn, extension, trunk)
        name = filled(contact, node.agent) if node.agent is not None else there.name if there else ""
        leg = contact.arrived_leg                 # nothing rings at a telephone that is in this call
        if node.do == "log-in":
            return agents.log_in(turn, name, extension, trunk, ready=False, by=BY, leg=leg)
        if node.do == "log-out":
            return agents.log_out(turn, name, BY, leg)
        if node.do == "ready":
            return agents.ready(turn, name, BY, leg)
        return agents.not_ready(turn, name, node.reason or "", BY, leg)
