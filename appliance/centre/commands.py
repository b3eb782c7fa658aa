"""What people ask of the centre: one row for each request. Answered when its entries are on the disk."""

from collections.abc import Callable
from typing import Any

from appliance.bus.messages import (
    AgentReply,
    AssignAgents,
    Done,
    DrainCentre,
    ExplainAgent,
    ExplainContact,
    ExplainRoute,
    ExtendWrapUp,
    ForceCalendar,
    GetCalendars,
    GetCrew,
    GetLegContacts,
    GetRoutePlan,
    LegContacts,
    LogIn,
    LogOut,
    LookAtCalendar,
    Reply,
    Request,
    SetNotReady,
    SetPriority,
    SetReady,
    TraceBegun,
    TraceCaller,
    TryAssignment,
)
from appliance.centre import agents, assigning, explaining, told
from appliance.centre.board import agent_info
from appliance.centre.callbacks.requests import CALLBACKS
from appliance.centre.control.requests import CONTROL
from appliance.centre.entry import asking, forcing
from appliance.centre.state import Agent
from appliance.centre.turn import Turn
from appliance.centre.voicemail import MESSAGES

LONGEST_DRAIN_S = 60.0


def _trace(turn: Turn, request: TraceCaller) -> TraceBegun:
    return TraceBegun(contact=told.trace(turn, request.name, request.by))


def _drain(turn: Turn, request: DrainCentre) -> Done:
    """In no log: it ends by itself when nobody asks again."""
    turn.memory.drained_until = turn.now + min(max(request.for_s, 0.0), LONGEST_DRAIN_S)
    return Done()


def _agent(agent: Agent) -> AgentReply:
    return AgentReply(agent=agent_info(agent))


# A command that cannot be raises StateError before it has changed anything: who, why not, what to do.
COMMANDS: dict[type[Request[Any]], Callable[[Turn, Any], Reply]] = {
    TraceCaller: _trace,
    DrainCentre: _drain,
    ExplainRoute: asking.explain_route,
    GetRoutePlan: lambda turn, _: asking.route_plan(turn),
    GetLegContacts: lambda turn, _: LegContacts(contacts=dict(turn.state.legs)),
    GetCalendars: lambda turn, _: forcing.calendars(turn),
    ForceCalendar: forcing.force,
    LookAtCalendar: forcing.look,
    ExplainContact: explaining.contact,
    ExplainAgent: explaining.agent,
    SetPriority: explaining.set_priority,
    GetCrew: lambda turn, _: assigning.crew(turn),
    TryAssignment: assigning.effect,
    AssignAgents: assigning.assign,
    **CONTROL,
    **CALLBACKS,
    **MESSAGES,
    LogIn: lambda turn, asked: _agent(agents.log_in(
        turn, asked.agent, asked.extension, asked.trunk, ready=asked.ready, by=asked.by)),
    LogOut: lambda turn, asked: _agent(agents.log_out(turn, asked.agent, asked.by)),
    SetReady: lambda turn, asked: _agent(agents.ready(turn, asked.agent, asked.by)),
    SetNotReady: lambda turn, asked: _agent(agents.not_ready(turn, asked.agent, asked.reason, asked.by)),
    ExtendWrapUp: lambda turn, asked: _agent(agents.extend_wrap_up(turn, asked.agent, asked.for_s, asked.by)),
}
