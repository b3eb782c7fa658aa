"""Callers who press nothing, everything, or hang up anywhere; sources that say anything; acdd killed often.

Whatever happens: a complete record, no digit of a secret in the log, nothing left over, and an end.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.bus.messages import Digit, MaskDigits, Play, StartRecording
from appliance.centre import events
from appliance.centre.effects import Lookup
from appliance.centre.engine import Engine
from appliance.centre.events import decode
from appliance.centre.flow import AuthenticateNode, CollectNode
from appliance.centre.state import HIDDEN
from tests.centre.flows import HOTLINE, load_text, office

with TemporaryDirectory() as folder:
    FLOW = load_text(Path(folder), HOTLINE)

PICK = st.integers(min_value=0, max_value=63)
KEYS = st.text("0123456789*#ABCD", min_size=1, max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=600) | st.sampled_from(
    ["12.50", "2026-12-01", "A", "en", "1e9", "٣", "\ud800", 10**400])
JUNK = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["customer", "name", "grade", "language", "balance", "due", "0"]), inner), max_leaves=8)
ANSWERS = st.none() | st.dictionaries(st.sampled_from(["customer", "balance", "due"]), JUNK) | st.just(
    {"customer": {"name": "Li", "grade": "A"}, "balance": 12.5, "due": "2026-12-01"})


class Callers(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.office = office(FLOW)
        self.shadow = Engine(self.office.setup)
        self.replayed = self.legs = 0
        self.keyed: dict[str, int] = {}           # contact -> keys that it pressed
        self.secret_keys = 0                      # pressed where a secret is keyed in

    @rule()
    def caller(self) -> None:
        self.legs += 1
        self.office.call(f"c{self.legs}")

    @rule(pick=PICK, keys=KEYS)
    def presses(self, pick: int, keys: str) -> None:
        if leg := self._leg(pick):
            for key in keys:
                self._count(leg)
                self.office.give(Digit(leg=leg, digit=key, at=self.office.now))

    @rule(pick=PICK, choice=st.sampled_from(["1", "2", "4", "5", "0", "1001#", "2468#", "4111111111111111#"]))
    def knows_the_way(self, pick: int, choice: str) -> None:
        self.presses(pick, choice)

    @rule(pick=PICK, fails=st.booleans())
    def prompt_is_over(self, pick: int, fails: bool) -> None:
        if playing := [play for play in self.office.playing.values() if not play.repeat]:
            self.office.played(playing[pick % len(playing)].leg, "gone" if fails else "")

    @rule(pick=PICK, answer=ANSWERS, error=st.sampled_from(["", "", "no answer"]))
    def source_answers(self, pick: int, answer: Any, error: str) -> None:
        if self.office.effects:
            contact = list(self.office.effects)[pick % len(self.office.effects)]
            says = not isinstance(self.office.effects[contact], Lookup) and not error
            self.office.effect_done(contact, answer, error, "said:0" if says else "")

    @rule(seconds=st.sampled_from([0.5, 3.0, 5.0, 31.0, 61.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        self.office.pass_time(seconds)

    @rule(pick=PICK)
    def hangs_up(self, pick: int) -> None:
        if leg := self._leg(pick):
            self.office.hang_up(leg)

    @rule()
    def agent_answers(self) -> None:
        for leg in self.office.ringing().values():
            self.office.answer(leg)

    @rule()
    def restart(self) -> None:
        self.office.restart()

    @precondition(lambda self: self.legs)
    @rule(pick=PICK, key=st.sampled_from("0123456789*#"))
    def killed_before_acting(self, pick: int, key: str) -> None:
        if leg := self._leg(pick):
            self._count(leg)
            self.office.crash(Digit(leg=leg, digit=key, at=self.office.now))

    @rule()
    def clears(self) -> None:
        self.office.clear()

    @invariant()
    def replay_gives_the_same(self) -> None:
        self.shadow.replay(self.office.log[self.replayed:])
        self.replayed = len(self.office.log)
        assert self.shadow.state == self.office.engine.state

    @invariant()
    def a_secret_is_in_no_log_and_no_state(self) -> None:
        hidden = sum(isinstance(decode(entry), events.HiddenDigit) for entry in self.office.log)
        assert hidden <= self.secret_keys
        for contact in self.office.engine.state.contacts.values():
            node = FLOW.nodes[contact.node]
            if contact.masked:
                assert set(contact.entered) <= {HIDDEN}
            if isinstance(node, AuthenticateNode) and contact.entry == "pin" and not contact.order:
                assert contact.masked
            if isinstance(node, CollectNode) and node.secret:
                assert contact.masked and contact.variables.get(node.to) in (None, HIDDEN)

    @invariant()
    def spand_does_what_it_would_be_told(self) -> None:
        wishes, held = self.office.engine.media_wishes(), self.office.engine.state.legs
        assert {one.leg: one for one in wishes if isinstance(one, Play)} == {
            leg: play for leg, play in self.office.playing.items() if leg in held}
        assert {one.leg for one in wishes if isinstance(one, MaskDigits) and one.on} == (
            self.office.masked & held.keys())
        assert {one.recording for one in wishes if isinstance(one, StartRecording)} == (
            self.office.recording.keys())

    @invariant()
    def whoever_is_in_the_flow_has_something_to_wait_for(self) -> None:
        for contact in self.office.engine.state.contacts.values():
            if contact.record.state == "flow":
                assert contact.play or contact.digit_until or contact.order, contact
                assert contact.limit_at

    @invariant()
    def the_log_is_bounded(self) -> None:
        count: dict[str, int] = {}
        for entry in self.office.log:
            count[entry.contact] = count.get(entry.contact, 0) + 1
        for contact in self.office.records:
            assert count[contact] <= 400 + 8 * self.keyed.get(contact, 0)

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        for leg in list(self.office.calls):
            if leg in self.office.calls:
                self.office.hang_up(leg)
        self.office.clear()
        self.office.pass_time(700.0)
        assert not self.office.engine.state.contacts and not self.office.recording and not self.office.masked
        assert not self.office.engine._memory.secrets and not self.office.engine._memory.orders
        for record in self.office.records.values():
            assert record.outcome in ("answered", "abandoned", "failed") and record.ended_at
            assert all(one.ended_at >= one.began_at > 0 for one in record.segments)
        for entry in self.office.log:
            assert msgspec.json.decode(entry.data) is not None

    def _count(self, leg: str) -> None:
        contact = self.office.engine.state.contact_of(leg)
        if contact is not None:
            name = contact.record.contact
            self.keyed[name] = self.keyed.get(name, 0) + 1
            self.secret_keys += isinstance(FLOW.nodes[contact.node], AuthenticateNode | CollectNode)

    def _leg(self, pick: int) -> str:
        legs = [call.leg for call in self.office.calls.values() if call.inbound and call.state == "answered"]
        return legs[pick % len(legs)] if legs else ""


Callers.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestCallers = Callers.TestCase
