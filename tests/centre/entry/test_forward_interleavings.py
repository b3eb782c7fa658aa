"""The same world, with numbers that are forwarded: by a network that deflects and joins, or will not."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from appliance.bus.messages import CallDeflected, CallsJoined, ForceCalendar
from appliance.centre.engine import Engine
from appliance.config.schema import CentreConfig
from tests.centre.office import CENTRE, Office, setup
from tests.centre.test_interleavings import PICK, Branch

MAN = "13900000000"
ENTRY = {
    "calendars": [{"name": "office", "timezone": "UTC", "hours": {"mon-sun": "00:30-23:00"}}],
    "entry": [
        {"name": "deflected", "called": "5000", "forward": MAN},
        {"name": "recorded", "called": "5001", "calendar": "office",
         "forward": {"number": MAN, "record": True, "unanswered": "flow"}},
        {"name": "over", "called": "77x", "forward": {"number": MAN, "trunk": "pbx", "unanswered": "short"}}]}


class Forwarding(Branch):
    @initialize()
    def open(self) -> None:
        super().open()
        self.office = Office(setup(CentreConfig.model_validate(CENTRE.model_dump() | ENTRY)))
        self.shadow = Engine(self.office.setup)

    @rule(pick=PICK, done=st.booleans())
    def network_deflects(self, pick: int, done: bool) -> None:
        if (leg := self._leg(pick, "offered", "proceeding", inbound=True)) is not None:
            self._give(CallDeflected(leg=leg, done=done, why="" if done else "not subscribed"))

    @rule(pick=PICK, done=st.booleans())
    def network_joins(self, pick: int, done: bool) -> None:
        if (leg := self._leg(pick, "answered")) is not None:
            self._give(CallsJoined(leg_a=leg, leg_b="", done=done))

    @rule(state=st.sampled_from([True, False, None]), for_s=st.sampled_from([0.0, 20.0]))
    def supervisor_forces(self, state: bool | None, for_s: float) -> None:
        until = self.office.now + for_s if for_s else 0.0
        self._ask(ForceCalendar(calendar="office", open=state, until=until, by="li"))


Forwarding.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestForwarding = Forwarding.TestCase
