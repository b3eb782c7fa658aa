"""Agents in virtual time: shifts, breaks, how long they write after a call; and how their time went. Pure."""

from functools import partial
from random import Random

from appliance.bus.messages import ExtendWrapUp, LogIn, LogOut, SetNotReady, SetReady
from appliance.centre import events
from appliance.centre.agents import LOGGED_OUT, MOST_EXTENSION_S, NOT_READY, READY
from appliance.centre.events import decode
from appliance.centre.state import Agent
from appliance.sim.branch import Branch
from appliance.sim.loop import Loop
from appliance.sim.scenario import clock_s
from appliance.store.events import Entry

SEAT = "88{:04}"                                  # telephones of ours, for agents who have none
SIM = "sim"                                       # who asks


class Roster:
    def __init__(self, loop: Loop, branch: Branch, random: Random) -> None:
        self._loop, self._branch, self._random = loop, branch, random
        self._states: dict[str, tuple[str, float]] = {}          # of each agent: state, since
        self._queues: dict[str, str] = {}                        # of each agent's last talk
        self._shifts = branch.scenario.shifts
        setup = loop.engine.setup
        self._reason = next(iter(setup.reasons), "break")
        self._seats = {name: (SEAT.format(place), next(iter(setup.trunks), ""))
                       for place, (name, agent) in enumerate(setup.agents.items()) if agent.extension is None}
        for kind in (events.AgentJoined, events.AgentLeft, events.AgentChanged):
            loop.told[kind.__name__].append(self._told)
        loop.told[events.Talked.__name__].append(self._talked)
        self._plan()

    def close(self) -> None:
        """The day is over: what agents do now counts up to here."""
        for name in list(self._states):
            self._moved(name, "")

    def on_duty(self, name: str) -> str:
        """What the plan has for an agent now, as a state: logged-out, not-ready or ready."""
        shifts = [shift for shift in self._shifts if name in shift.agents]
        now_s = self._loop.now - self._loop.day.midnight
        here = [shift for shift in shifts if clock_s(shift.begins) <= now_s < clock_s(shift.ends)]
        if shifts and not here:
            return LOGGED_OUT
        breaks = [rest for shift in here for rest in shift.breaks]
        rests = any(clock_s(rest.begins) <= now_s < clock_s(rest.ends) for rest in breaks)
        return NOT_READY if rests else READY

    def _plan(self) -> None:
        """At every moment when the plan can have something else for an agent."""
        for name in self._loop.engine.setup.agents:
            self._loop.at(self._loop.now, partial(self._follow, name))
        for shift in self._shifts:
            for part in (shift, *shift.breaks):
                for clock in (part.begins, part.ends):
                    when = self._loop.day.midnight + clock_s(clock)
                    if when > self._loop.now:
                        for name in shift.agents:
                            self._loop.at(when, partial(self._follow, name))

    def _follow(self, name: str) -> None:
        """The agent does what the plan has; who writes after a call ends that first."""
        agent = self._loop.engine.state.agents.get(name)
        if agent is None:
            return
        wanted = self.on_duty(name)
        if wanted == READY and agent.state == LOGGED_OUT:
            extension, trunk = self._seats.get(name, ("", ""))
            self._loop.ask(LogIn(agent=name, extension=extension, trunk=trunk, ready=True, by=SIM))
        elif wanted == READY and (agent.state == NOT_READY or agent.wish):
            self._loop.ask(SetReady(agent=name, by=SIM))
        elif wanted != READY and agent.state == "wrap-up":
            self._loop.at(agent.until, partial(self._follow, name))
        elif wanted == LOGGED_OUT and agent.state != LOGGED_OUT:
            self._loop.ask(LogOut(agent=name, by=SIM))
        elif wanted == NOT_READY and agent.state not in (LOGGED_OUT, NOT_READY):
            self._loop.ask(SetNotReady(agent=name, reason=self._reason, by=SIM))

    def _told(self, entry: Entry) -> None:
        match decode(entry):
            case (events.AgentJoined(agent=name) | events.AgentLeft(agent=name)
                  | events.AgentChanged(agent=name)):
                self._is_now(name, self._loop.engine.state.agents.get(name))

    def _is_now(self, name: str, agent: Agent | None) -> None:
        state = agent.state if agent is not None else ""
        if self._states.get(name, ("", 0.0))[0] == state:
            return
        self._moved(name, state)
        if agent is not None and state == "wrap-up":
            self._writes(name, agent.since, agent.until)
        elif state in (LOGGED_OUT, NOT_READY) and self.on_duty(name) == READY:
            notices_at = self._loop.now + self._branch.scenario.agents.notices_s
            self._loop.at(notices_at, partial(self._follow, name))

    def _talked(self, entry: Entry) -> None:
        contact = self._loop.contacts.get(entry.contact)
        if contact is not None:
            self._queues[contact.record.agent] = contact.record.queue

    def _writes(self, name: str, since: float, until: float) -> None:
        served = self._branch.scenario.queues.get(self._queues.get(name, ""))
        if served is None or served.wrap_up is None:
            return
        for_s = min(served.wrap_up.quantile_s(self._random.random()), MOST_EXTENSION_S)
        longer_s = since + for_s - until
        if longer_s > 0:
            self._loop.at(since, partial(self._loop.ask, ExtendWrapUp(agent=name, for_s=longer_s, by=SIM)))
        else:
            self._loop.at(since + for_s, partial(self._has_written, name, since))

    def _has_written(self, name: str, since: float) -> None:
        agent = self._loop.engine.state.agents.get(name)
        if agent is not None and (agent.state, agent.since) == ("wrap-up", since):
            self._loop.ask(SetReady(agent=name, by=SIM))
            self._follow(name)

    def _moved(self, name: str, state: str) -> None:
        was, since = self._states.get(name, ("", self._loop.now))
        self._states[name] = state, self._loop.now
        if was:
            self._loop.day.spent(was, since, self._loop.now, self._queues.get(name, ""))
