"""Any order of things that can happen, with messages lost, late and twice, and acdd killed at any moment.

After every step: no violation, replay of the log gives the same state, no caller waits while an agent could
be rung, and spand does what it would be told again. At the end all have hung up and nothing is left over.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    Bridge,
    CallAlerting,
    CallAnswered,
    CallCharged,
    CallDigits,
    CancelConsult,
    Charge,
    Confer,
    Consult,
    DeflectionWanted,
    Digit,
    EndTalk,
    Event,
    ExtendWrapUp,
    Fetch,
    HideTalk,
    Hold,
    JoinConference,
    LogIn,
    LogOut,
    MaskDigits,
    Monitor,
    Park,
    PickUp,
    PlaceCall,
    Play,
    PlayEnded,
    RecordTalk,
    Request,
    Retrieve,
    SetNotReady,
    SetReady,
    ShowTalk,
    StartRecording,
    StopMonitor,
    StopRecordingTalk,
    Supervise,
    TakeOver,
    Transfer,
)
from appliance.centre.engine import Engine
from appliance.centre.recording import talk_of
from appliance.centre.timers import timers_of
from appliance.centre.turn import Turn
from appliance.config.recording import RecordingConfig, RecordingRule, decide
from appliance.errors import StateError
from tests.centre.office import AGENTS, CENTRE, Office, incoming, setup

CAUSES = st.sampled_from([16, 17, 19, 21, 34])
BY = st.sampled_from(["far", "far", "line", "near"])
PICK = st.integers(min_value=0, max_value=63)
NUMBERS = ["5000", "5000", "5001", "5009", "777", "5"]

ALL_RING = CENTRE.model_copy(update={"queues": [        # at sales one telephone rings, at service all do
    CENTRE.queues[0], CENTRE.queues[1].model_copy(update={"strategy": "ring-all", "wrap_up_s": 3.0})]})

POLICY = RecordingConfig(rules=[
    RecordingRule(name="bo", agent="bo", record="never"),
    RecordingRule(name="consultations", direction="internal", record="never"),
    RecordingRule(name="cy", agent="cy", record="on-demand"),
    RecordingRule(name="dee", agent="dee", record="on-demand", keep="whole"),
    RecordingRule(name="short", called="5001", record="always"),
    RecordingRule(name="some", direction="out", percent=50.0)])


class Branch(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.office = Office(replace(setup(ALL_RING), recording=POLICY))
        self.shadow = Engine(self.office.setup)
        self.replayed = 0
        self.legs = 0
        self.said: list[Any] = []

    # --- callers and extensions

    @rule(number=st.sampled_from(NUMBERS), whole=st.booleans())
    def caller(self, number: str, whole: bool) -> None:
        self.legs += 1
        self.office.call(f"c{self.legs}", number, complete=whole)
        self.said.append(incoming(f"c{self.legs}", number, complete=whole))

    @rule(agent=PICK, number=st.sampled_from(["0123", "110", "11", "9", "012345"]), whole=st.booleans())
    def extension(self, agent: int, number: str, whole: bool) -> None:
        self.legs += 1
        self.office.call(f"e{self.legs}", number, trunk="pbx", calling=str(8001 + agent % (len(AGENTS) + 1)),
                         complete=whole)

    @rule(pick=PICK, more=st.sampled_from("0179"), complete=st.booleans())
    def dialled_on(self, pick: int, more: str, complete: bool) -> None:
        if (leg := self._leg(pick, "overlap")) is not None:
            called = self.office.calls[leg].called + more
            self._give(CallDigits(leg=leg, called=called, complete=complete))

    @rule(pick=PICK, digit=st.sampled_from("1129*"))
    def press(self, pick: int, digit: str) -> None:
        if (leg := self._leg(pick, "answered")) is not None:
            self._give(Digit(leg=leg, digit=digit, at=self.office.now))

    @rule(pick=PICK, fails=st.booleans())
    def prompt_is_over(self, pick: int, fails: bool) -> None:
        playing = [play for play in self.office.playing.values()
                   if (fails or not play.repeat) and not play.play.endswith("-hold")]
        if playing:
            play = playing[pick % len(playing)]
            del self.office.playing[play.leg]
            self._give(PlayEnded(leg=play.leg, play=play.play, finished=not fails,
                                 error="gone" if fails else ""))

    @rule(pick=PICK)
    def rings(self, pick: int) -> None:
        if (leg := self._leg(pick, "offered", inbound=False)) is not None:
            self.office.alerting(leg)
            self.said.append(CallAlerting(leg=leg))

    @rule(pick=PICK, heard=st.booleans())
    def answers(self, pick: int, heard: bool) -> None:
        leg = self._leg(pick, "offered", "alerting", inbound=False)
        if leg is not None and heard:
            self.office.answer(leg)
            self.said.append(CallAnswered(leg=leg, at=self.office.now))
        elif leg is not None:
            self.office._state(leg, "answered")
            self.office.restart()

    @rule(pick=PICK, cause=CAUSES, by=BY, heard=st.booleans())
    def hangs_up(self, pick: int, cause: int, by: str, heard: bool) -> None:
        if (leg := self._leg(pick, "offered", "overlap", "proceeding", "alerting", "answered")) is not None:
            event = self.office.release(leg, cause, by)
            if heard:
                self._give(event)
            else:
                self.office.restart()

    @rule(pick=PICK, to=st.sampled_from(["0139", "777"]))
    def telephone_is_diverted(self, pick: int, to: str) -> None:
        if (leg := self._leg(pick, "offered", "alerting", inbound=False)) is not None:
            self._give(DeflectionWanted(leg=leg, to=to))

    @rule(pick=PICK)
    def is_charged(self, pick: int) -> None:
        if (leg := self._leg(pick, "answered", "clearing")) is not None:
            self._give(CallCharged(leg=leg, charge=Charge(units=1)))

    @rule()
    def clears(self) -> None:
        self.office.clear()

    # --- agents

    @rule(pick=st.sampled_from(AGENTS), extension=st.sampled_from(["", "8001", "8009"]), ready=st.booleans())
    def log_in(self, pick: str, extension: str, ready: bool) -> None:
        self._ask(LogIn(agent=pick, extension=extension, ready=ready))

    @rule(pick=st.sampled_from(AGENTS), reason=st.sampled_from(["", "lunch", "meeting"]))
    def not_ready(self, pick: str, reason: str) -> None:
        self._ask(SetNotReady(agent=pick, reason=reason))

    @rule(ask=st.sampled_from([LogOut, SetReady]), pick=st.sampled_from(AGENTS))
    def leaves_or_is_back(self, ask: type[LogOut | SetReady], pick: str) -> None:
        self._ask(ask(agent=pick))

    @rule(pick=st.sampled_from(AGENTS), for_s=st.sampled_from([7.0, 0.0]))
    def needs_more_time(self, pick: str, for_s: float) -> None:
        self._ask(ExtendWrapUp(agent=pick, for_s=for_s))

    @rule(pick=st.sampled_from(AGENTS), also=st.sampled_from(["", "sales", "service"]),
          without=st.sampled_from(["", "sales", "service"]), for_s=st.sampled_from([0.0, 20.0]),
          log_out=st.booleans())
    def is_lent(self, pick: str, also: str, without: str, for_s: float, log_out: bool) -> None:
        self._ask(AssignAgents(by="boss", assignments=[Assigning(
            agent=pick, also=[also] if also else [], without=[without] if without else [],
            until=self.office.now + for_s if for_s else 0.0, until_log_out=log_out)]))

    # --- call control

    @rule(pick=st.sampled_from(AGENTS), what=st.sampled_from([
        Hold, Retrieve, CancelConsult, Park, EndTalk, ShowTalk, HideTalk, PickUp, Transfer, Confer,
        RecordTalk, StopRecordingTalk]))
    def does(self, pick: str, what: Callable[..., Request[Any]]) -> None:
        self._ask(what(agent=pick))

    @rule(pick=st.sampled_from(AGENTS), what=st.sampled_from([Consult, Transfer, Confer, PlaceCall]),
          to=st.sampled_from([*AGENTS, "8100", "0123", "queue:service"]))
    def turns_to(self, pick: str, what: Callable[..., Request[Any]], to: str) -> None:
        self._ask(what(agent=pick, to=to))

    @rule(pick=st.sampled_from(AGENTS), what=st.sampled_from([Monitor, StopMonitor, TakeOver]),
          at=st.sampled_from([*AGENTS, "8100"]))
    def supervises(self, pick: str, what: Callable[..., Request[Any]], at: str) -> None:
        self._ask(what(agent=pick, at=at))

    @rule(pick=st.sampled_from(AGENTS), slot=st.sampled_from([1, 2]))
    def fetches(self, pick: str, slot: int) -> None:
        self._ask(Fetch(agent=pick, slot=slot))

    @rule(pick=PICK)
    def killed_before_a_command_is_done(self, pick: int) -> None:
        asked = Consult(agent=AGENTS[pick % len(AGENTS)], to=AGENTS[(pick + 1) % len(AGENTS)])
        with suppress(StateError):
            self.office.engine.command(asked, self.office.now)
        self.office._settle(acting=False)
        self.office.restart()

    # --- time, and what goes wrong

    @rule(seconds=st.sampled_from([0.5, 5.0, 15.0, 31.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.office.pass_time(seconds)

    @precondition(lambda self: self.said)
    @rule(pick=PICK)
    def said_twice(self, pick: int) -> None:
        self.office.give(self.said[pick % len(self.said)])

    @rule(pick=PICK)
    def exchange_forgets_a_ring(self, pick: int) -> None:
        if (leg := self._leg(pick, "offered", "alerting", inbound=False)) is not None:
            del self.office.calls[leg]
            self.office.give(self.office.table())

    @rule(number=st.sampled_from(NUMBERS))
    def killed_before_acting(self, number: str) -> None:
        self.legs += 1
        leg = f"k{self.legs}"
        self.office._table(leg, "telco", True, "offered", number, "139")
        self.office.crash(incoming(leg, number, at=self.office.now))

    @rule(pick=PICK, cause=CAUSES)
    def killed_before_hanging_up(self, pick: int, cause: int) -> None:
        if (leg := self._leg(pick, "answered")) is not None:
            self.office.crash(self.office.release(leg, cause, "far"))

    @rule()
    def restart(self) -> None:
        before = self.office.engine.state
        self.office.restart()
        assert self.office.engine.state == before

    @rule()
    def checkpoint(self) -> None:
        self.office.engine.checkpoint(self.office.now)
        self.office._settle()

    # --- what is always true

    @invariant()
    def replay_gives_the_same(self) -> None:
        self.shadow.replay(self.office.log[self.replayed:])
        self.replayed = len(self.office.log)
        assert self.shadow.state == self.office.engine.state

    @invariant()
    def timers_are_those_of_the_state(self) -> None:
        kept, state = self.office.engine._timers, self.office.engine.state
        assert kept.due(math.inf) == timers_of(state).due(math.inf)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        state, queues = self.office.engine.state, self.office.setup.queues
        free = [agent for agent in state.agents.values() if agent.free]
        for contact in state.contacts.values():
            if contact.record.state == "queue":
                queue = contact.record.queue
                for agent in free:
                    serves, by_hand = agent.name in queues[queue].agents, agent.assigned
                    if by_hand is not None:
                        serves = (serves or queue in by_hand.also) and queue not in by_hand.without
                    assert not serves

    @invariant()
    def spand_does_what_it_would_be_told(self) -> None:
        office, held = self.office, self.office.engine.state.legs
        wishes = office.engine.media_wishes()
        assert {one.leg: one for one in wishes if isinstance(one, Play)} == {
            leg: play for leg, play in office.playing.items() if leg in held}
        assert {frozenset((one.leg_a, one.leg_b)) for one in wishes if isinstance(one, Bridge)} == {
            pair for pair in office.bridged if pair <= held.keys()}
        assert {one.recording: one for one in wishes if isinstance(one, StartRecording)} == {
            name: one for name, one in office.recording.items() if one.caller_leg in held}
        assert {one.leg: one.conference for one in wishes if isinstance(one, JoinConference)} == {
            leg: name for leg, name in office.conferences.items() if leg in held}
        assert {one.supervisor: one for one in wishes if isinstance(one, Supervise)} == {
            leg: one for leg, one in office.supervising.items() if leg in held and one.agent in held}
        assert {one.leg for one in wishes if isinstance(one, MaskDigits) and one.on} == (
            office.masked & held.keys())

    @invariant()
    def what_is_wanted_is_recorded_and_nothing_paused_is_heard(self) -> None:
        office = self.office
        for contact in office.engine.state.contacts.values():
            if contact.paused_until:
                assert contact.customer_leg in office.masked
            if contact.record.state != "talking":
                continue
            agent = contact.record.agent
            talk = talk_of(Turn(office.engine.state, office.setup, office.now, office.engine._floor,
                                office.engine._timers), contact, agent, queue=False)
            wanted = decide(office.setup.recording, talk)
            running = [one for one in office.recording.values() if one.caller_leg == contact.customer_leg]
            assert len(running) <= 1
            assert bool(running) == (wanted.runs if wanted.record != "on-demand" else bool(contact.recording))
            assert all(one.paused for one in running) or not contact.paused_until
            consults = contact.held and any(one.role == "consulted" and one.talking
                                            for one in contact.parties.values())
            assert all(one.paused == (consults or bool(contact.paused_until)) for one in running)

    @invariant()
    def records_are_the_engine_s(self) -> None:
        live = {name: record for name, record in self.office.records.items() if record.state != "ended"}
        assert live == {name: one.record for name, one in self.office.engine.state.contacts.items()}

    def teardown(self) -> None:
        office = self.office
        for leg in list(office.calls):
            if leg in office.calls:
                office.hang_up(leg)
        office.clear()
        for name in AGENTS:
            if office.agent(name).extension == "8009":
                office.command(LogOut(agent=name))
        for name in AGENTS:
            self._ask(LogIn(agent=name))
            self._ask(SetReady(agent=name))
        office.pass_time(200.0)
        assert not office.calls and not office.recording and not office.engine.state.legs
        assert {agent.state for agent in office.engine.state.agents.values()} <= {"ready", "logged-out"}
        assert all(one.ended_at for record in office.records.values() for one in record.segments)
        assert {record.outcome for record in office.records.values()} <= {
            "answered", "abandoned", "rejected", "failed", "forwarded", "callback", "withdrawn"}
        again = Engine(office.setup)
        again.replay(office.log)
        assert again.state == office.engine.state

    def _give(self, event: Event) -> None:
        self.said.append(event)
        self.office.give(event)

    def _ask(self, request: Request[Any]) -> None:
        before = len(self.office.log)
        try:
            self.office.command(request)
        except StateError:
            assert len(self.office.log) == before

    def _leg(self, pick: int, *states: str, inbound: bool | None = None) -> str | None:
        legs = [call.leg for call in self.office.calls.values()
                if call.state in states and inbound in (None, call.inbound)]
        return legs[pick % len(legs)] if legs else None


Branch.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestInterleavings = Branch.TestCase
