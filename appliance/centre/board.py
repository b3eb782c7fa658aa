"""The board and the records as bus messages."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from appliance.bus.messages import AgentInfo, Board, ContactInfo, FlowNotice, QueueInfo, SupervisorInfo
from appliance.centre.state import Agent, Contact, State
from appliance.centre.turn import Setup
from appliance.store.records import ContactRecord


class Boards:
    """One after the other: only contacts that have changed are written anew."""

    def __init__(self) -> None:
        self._infos: dict[str, tuple[ContactRecord, ContactInfo]] = {}

    def board(self, state: State, setup: Setup, now: float, unreachable: Collection[str] = (),
              in_order: Callable[[str], Sequence[str]] = lambda queue: ()) -> Board:
        """Contacts oldest first, queues and agents in the configuration's order; `in_order`: of a queue.

        A callback that is not due is only counted. `unreachable`: whom no agent may serve.
        """
        order = {name: place for place, name in enumerate(setup.agents)}
        agents = sorted(state.agents.values(), key=lambda agent: order.get(agent.name, len(order)))
        lines, unreachable = state.lines(), frozenset(unreachable)
        promised = Counter(state.contacts[name].record.queue for name in state.callbacks.values())
        self._infos = {name: self._info(contact.record) for name, contact in state.contacts.items()}
        return Board(
            at=now,
            contacts=[info for record, info in self._infos.values() if record.state != "callback"],
            queues=[_queue(name, lines.get(name, []), promised[name], unreachable, in_order(name))
                    for name in setup.queues],
            agents=[agent_info(agent) for agent in agents],
            messages={box: sum(one.box == box and not one.heard_by for one in state.messages.values())
                      for box in setup.boxes},
            supervisors=[SupervisorInfo(contact=name, at=one.agent or one.number, mode=one.mode,
                                        talking=one.talking)
                         for name, contact in state.contacts.items()
                         for one in contact.parties.values() if one.role == "supervisor"],
            notices=[msgspec.convert(one, FlowNotice, from_attributes=True)
                     for one in state.notices.values() if one.until > now])

    def _info(self, record: ContactRecord) -> tuple[ContactRecord, ContactInfo]:
        known = self._infos.get(record.contact)
        return known if known is not None and known[0] is record else (record, contact_info(record))


def agent_info(agent: Agent) -> AgentInfo:
    return msgspec.convert(agent, AgentInfo, from_attributes=True)


def contact_info(record: ContactRecord) -> ContactInfo:
    return msgspec.convert(record, ContactInfo, from_attributes=True)


def _queue(name: str, line: Sequence[Contact], callbacks: int, unreachable: Collection[str],
           in_order: Sequence[str]) -> QueueInfo:
    ranks = {contact: rank for rank, contact in enumerate(in_order)}
    waiting = sorted((contact.record.contact for contact in line),
                     key=lambda contact: ranks.get(contact, len(ranks)))
    return QueueInfo(name=name, waiting=waiting, callbacks=callbacks,
                     oldest_since=min((contact.joined_at for contact in line), default=0.0),
                     unreachable=[one for one in waiting if one in unreachable])
