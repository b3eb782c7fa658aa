"""Any order of things, with callbacks among them: the same machine as of the whole centre, and more rules."""

from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from appliance.bus.messages import (
    BookCallback,
    CallAnswered,
    CancelCallback,
    FinishMessage,
    Heard,
    HearMessage,
    MarkCallback,
    MoveCallback,
    Request,
    Transfer,
)
from appliance.centre.engine import Engine
from appliance.config.callbacks import CallbackConfig
from appliance.errors import StateError
from tests.centre.callbacks.home import CUSTOMER, SOON, live, with_flow
from tests.centre.callbacks.test_survey import SURVEY
from tests.centre.callbacks.test_voicemail import BOX
from tests.centre.callbacks.test_voicemail import FLOW as VOICEMAIL
from tests.centre.office import AGENTS, CENTRE, Office
from tests.centre.test_interleavings import CAUSES, PICK, Branch

ONE, ANOTHER = "13900000001", "13900000002"
NUMBERS = [ONE, "0" + ONE, ANOTHER, CUSTOMER]


class CallingBack(Branch):
    @initialize(mode=st.sampled_from(["agent-first", "customer-first"]),
                strategy=st.sampled_from(["longest-idle", "ring-all"]))
    def open(self, mode: str = "agent-first", strategy: str = "longest-idle") -> None:
        sales, service = CENTRE.queues
        centre = CENTRE.model_copy(update={
            "queues": [sales.model_copy(update={"strategy": strategy}), service],
            "callbacks": CallbackConfig.model_validate({
                "mode": mode, "pause_s": 30.0, "tries": 2, "greeting": ["called-back"],
                "machines": True}),
            "voicemail": [BOX], "surveys": [SURVEY]})
        self.office = Office(with_flow(centre, SOON, VOICEMAIL))
        self.shadow = Engine(self.office.setup)
        self.replayed = 0
        self.legs = 0
        self.said = []
        self.places: dict[str, tuple[int, float]] = {}

    @rule(number=st.sampled_from(NUMBERS), agent=st.sampled_from(["", "", *AGENTS]),
          in_s=st.sampled_from([0.0, 0.0, 40.0]))
    def books(self, number: str, agent: str, in_s: float) -> None:
        self._ask(BookCallback(number=number, queue="sales", trunk="telco", agent=agent,
                               at=self.office.now + in_s if in_s else 0.0))

    @rule(number=st.sampled_from(NUMBERS))
    def wants_to_be_called_back(self, number: str) -> None:
        self.legs += 1
        leg = f"w{self.legs}"
        self.office.call(leg, "5001", calling=number)
        if self.office.calls[leg].state == "answered":
            self.office.press(leg, "2")

    @rule(pick=PICK, what=st.sampled_from(["cancel", "move", "machine", "wrong number"]))
    def thinks_better_of_it(self, pick: int, what: str) -> None:
        contacts = [name for name, one in self.office.engine.state.contacts.items()
                    if one.callback is not None]
        if contacts:
            name = contacts[pick % len(contacts)]
            if what == "cancel":
                self._ask(CancelCallback(contact=name))
            elif what == "move":
                self._ask(MoveCallback(contact=name, at=self.office.now + 20.0))
            else:
                self._ask(MarkCallback(contact=name, outcome=what))

    @rule()
    def all_agents_answer(self) -> None:
        for leg in self.office.ringing().values():
            if leg in self.office.calls and self.office.calls[leg].state in ("offered", "alerting"):
                self.office.answer(leg)

    @rule(pick=PICK)
    def customer_answers(self, pick: int) -> None:
        if legs := self._dialled():
            self.office.answer(legs[pick % len(legs)])

    @rule(pick=PICK, cause=CAUSES, heard=st.booleans())
    def customer_does_not(self, pick: int, cause: int, heard: bool) -> None:
        if legs := self._dialled():
            event = self.office.release(legs[pick % len(legs)], cause, "far")
            if heard:
                self._give(event)
            else:
                self.office.restart()

    @rule(pick=PICK)
    def killed_before_dialling_the_customer(self, pick: int) -> None:
        rung = [one for one in self.office.engine.state.contacts.values()
                if one.virtual and one.dialled_leg and self.office.calls[one.dialled_leg].state != "clearing"]
        if rung:
            leg = rung[pick % len(rung)].dialled_leg
            self.office._state(leg, "answered")
            self.office.crash(CallAnswered(leg=leg, at=self.office.now))

    @rule(pick=PICK)
    def killed_while_the_customer_answers(self, pick: int) -> None:
        if legs := self._dialled():
            leg = legs[pick % len(legs)]
            self.office._state(leg, "answered")
            self.office.crash(CallAnswered(leg=leg, at=self.office.now))

    @invariant()
    def nobody_is_dialled_twice(self) -> None:
        office = self.office
        dialled = Counter(number for number in live(office) if number in NUMBERS)
        assert max(dialled[ONE] + dialled["0" + ONE], dialled[ANOTHER], dialled[CUSTOMER]) <= 1
        tries = [one for one in office.engine.state.contacts.values()
                 if one.pending is not None and one.pending.try_until]
        canonical = office.setup.entrance.canonical
        there = {canonical(one.customer_number) for one in office.engine.state.contacts.values()
                 if one.pending is None}
        assert not there & {one.pending.number for one in tries if one.pending is not None}
        assert all(one.record.agent or one.pending.mode == "customer-first" for one in tries
                   if one.pending is not None)
        assert len(tries) <= sum(agent.state != "logged-out" for agent in office.engine.state.agents.values())

    @invariant()
    def places_are_kept_and_nothing_is_lost(self) -> None:
        state = self.office.engine.state
        for name, contact in state.contacts.items():
            if contact.pending is not None and contact.line:
                place = contact.line, contact.joined_at
                assert self.places.setdefault(name, place) == place
        booked = {entry.contact for entry in self.office.log if entry.kind == "CallbackBooked"}
        for name in booked - set(state.callbacks.values()):
            record = self.office.records[name]
            assert record.state == "ended" or any(one.kind == "talk" for one in record.segments)

    @rule(number=st.sampled_from(NUMBERS), agent=st.sampled_from(["", *AGENTS]), cancels=st.booleans())
    def killed_before_a_wish_is_acted_on(self, number: str, agent: str, cancels: bool) -> None:
        promised = list(self.office.engine.state.callbacks.values())
        asked: Request[Any] = CancelCallback(contact=promised[0]) if cancels and promised else BookCallback(
            number=number, queue="sales", trunk="telco", agent=agent)
        with suppress(StateError):
            self.office.engine.command(asked, self.office.now)
        self.office._settle(acting=False)
        self.office.restart()

    @rule()
    def killed_when_something_is_due(self) -> None:
        office = self.office
        if (deadline := office.engine.next_deadline()) is not None and deadline < office.now + 100.0:
            office.now = max(office.now, deadline)
            office.engine.expire(office.now)
            office._settle(acting=False)
            office.restart()

    @rule(what=st.sampled_from(["voice", "quiet", "machine"]), pick=PICK)
    def is_heard(self, what: str, pick: int) -> None:
        if (leg := self._leg(pick, "answered")) is not None:
            kind = "machine" if what == "machine" else "speech"
            self._give(Heard(leg=leg, kind=kind, what=what, at=self.office.now))

    @rule(agent=st.sampled_from(AGENTS), what=st.sampled_from(["survey", "hear", "finish"]))
    def sees_to_it(self, agent: str, what: str) -> None:
        messages = list(self.office.engine.state.messages)
        if what == "survey":
            self._ask(Transfer(agent=agent, to="survey:satisfaction"))
        elif messages:
            self._ask(HearMessage(message=messages[0], by=agent) if what == "hear"
                      else FinishMessage(message=messages[0]))

    @invariant()
    def messages_are_as_long_as_their_recordings(self) -> None:
        state = self.office.engine.state
        being_left = {name for name, one in state.messages.items() if not one.ended_at}
        assert being_left == {one.message for one in state.contacts.values() if one.message}
        assert being_left <= self.office.recording.keys()

    def teardown(self) -> None:
        for name in list(self.office.engine.state.callbacks.values()):
            self.office.command(CancelCallback(contact=name))
        self.office.clear()
        super().teardown()

    def _dialled(self) -> list[str]:
        return [call.leg for call in self.office.calls.values() if call.called in NUMBERS
                and not call.inbound and call.state in ("offered", "alerting")]


CallingBack.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCallingBack = CallingBack.TestCase
