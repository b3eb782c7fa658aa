"""The document changes while calls go on: agents, queues, boxes and surveys leave it and come back."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from appliance.centre.turn import Setup
from appliance.config.schema import CentreConfig
from tests.centre.callbacks.test_interleavings import CallingBack
from tests.centre.office import AGENTS, CENTRE, CLOSED

PARTS = [*AGENTS, "sales", "service", "boxes", "surveys", "flows"]


class Reloading(CallingBack):
    """A new document is taken when no caller loses his place by it, as by the daemon; else it is refused."""

    @initialize(mode=st.sampled_from(["agent-first", "customer-first"]),
                strategy=st.sampled_from(["longest-idle", "ring-all"]))
    def open(self, mode: str = "agent-first", strategy: str = "longest-idle") -> None:
        super().open(mode, strategy)
        self.whole = self.office.setup

    @rule(without=st.sets(st.sampled_from(PARTS), max_size=3), acdd_dies=st.booleans())
    def reload(self, without: set[str], acdd_dies: bool) -> None:
        office, new = self.office, self._setup(without)
        lost = office.engine.lost_with(new)
        if acdd_dies:                             # nobody is asked: who has no place left is hung up
            office.restart(new)
            assert office.engine.lost_with(new) == []
        elif not lost:
            live = office.engine.state.contacts.keys()
            office.engine.setup = office.setup = self.shadow.setup = new
            office.engine.start(office.now)
            office._settle()
            assert office.engine.state.contacts.keys() == live

    def teardown(self) -> None:
        if hasattr(self, "whole"):
            self.office.restart(self.whole)
        super().teardown()

    def _setup(self, without: set[str]) -> Setup:
        queues = [queue.model_copy(update={"agents": [one for one in queue.agents if one not in without]})
                  for queue in self.whole.queues.values() if queue.name not in without]
        queues = [queue for queue in queues if queue.agents]
        centre = CentreConfig.model_construct(**{
            **dict(CENTRE), "queues": queues, "callbacks": self.whole.callbacks,
            "agents": [one for one in CENTRE.agents if one.name not in without],
            "voicemail": [] if "boxes" in without else list(self.whole.boxes.values()),
            "surveys": [] if "surveys" in without else list(self.whole.surveys.values())})
        there = {queue.name for queue in queues}
        flows = {path: CLOSED if "flows" in without or not there >= {"sales", "service"} else flow
                 for path, flow in self.whole.flows.items()}
        used = self.office.engine.versions_in_use()
        older = {name: flow for name, flow in self.office.setup.versions.items() if name in used}
        return replace(Setup.of(centre, flows, self.whole.new_id, older=older),
                       entrance=self.whole.entrance)


Reloading.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestReloading = Reloading.TestCase
