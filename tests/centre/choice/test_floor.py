"""The floor chooses as the reference does, after whatever has happened, and its order is total and fair."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.centre.choice import Floor, Rules, Standing, Waiting
from appliance.centre.choice.order import longest_lead_s
from tests.centre.choice import made_up, reference


class AnyFloor(RuleBasedStateMachine):
    """Contacts and agents come, change and go; after every step both say the same."""

    @initialize(data=st.data())
    def open(self, data: st.DataObject) -> None:
        self.now, self.line = 1000.0, 0
        self.given: Rules = data.draw(made_up.rules())
        self.history = data.draw(made_up.histories(self.given))
        self.floor = Floor(self.given, self.history)
        self.contacts: dict[str, Waiting] = {}
        self.agents: dict[str, Standing] = {}
        for name in data.draw(st.lists(st.sampled_from(made_up.AGENTS), unique=True)):
            self._agent(data.draw(made_up.standings(name, self.now)))

    @rule(data=st.data(), many=st.integers(1, 3))
    def join(self, data: st.DataObject, many: int) -> None:
        for _ in range(many):
            self.line += 1
            self._contact(data.draw(made_up.waitings(self.given, self.line, self.now)))

    @precondition(lambda self: self.contacts)
    @rule(data=st.data(), priority=st.sampled_from([None, 0, 7]), ringing=st.booleans())
    def change(self, data: st.DataObject, priority: int | None, ringing: bool) -> None:
        one = self.contacts[data.draw(st.sampled_from(sorted(self.contacts)))]
        self._contact(one._replace(priority=priority, ringing=ringing))

    @precondition(lambda self: self.contacts)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self._gone(data.draw(st.sampled_from(sorted(self.contacts))))

    @rule(data=st.data(), name=st.sampled_from(made_up.AGENTS))
    def agent_changes(self, data: st.DataObject, name: str) -> None:
        self._agent(data.draw(made_up.standings(name, self.now)))

    @rule(name=st.sampled_from(made_up.AGENTS))
    def agent_goes(self, name: str) -> None:
        self.floor.agent_gone(name)
        if name in self.agents:                   # its skills stay known
            self.agents[name] = self.agents[name]._replace(free=False, logged_in=False)

    @rule()
    def is_done(self) -> None:
        """What was decided happens."""
        for match in self.floor.decide(self.now):
            self._contact(self.contacts[match.contact]._replace(ringing=True))
            for name in match.agents:
                self._agent(self.agents[name]._replace(free=False))
        assert self.floor.decide(self.now) == []

    @rule(seconds=st.sampled_from([1.0, 5.0, 17.0]))
    def time(self, seconds: float) -> None:
        """In leaps from one change that was announced to the next: in between nothing changes."""
        end = self.now + seconds
        while self.now < end:
            said = self._said()
            change = self.floor.next_change(self.now)
            assert change is None or change > self.now
            until = end if change is None else min(change, end)
            if until == end and change != end:
                self.now = end
                assert self._said() == said
            self.now = until

    @invariant()
    def same_as_the_reference(self) -> None:
        found = self.floor.decide(self.now)
        expected = reference.decisions(self.given, self.history, list(self.contacts.values()),
                                       list(self.agents.values()), self.now)
        assert [(match.contact, match.agents) for match in found] == expected
        assert self.floor.decide(self.now) == found

    @invariant()
    def nobody_is_overtaken_by_more_than_the_lead(self) -> None:
        """Whoever began to wait so much later than somebody whom its agent may serve is not chosen before."""
        found = self.floor.decide(self.now)
        lead_s = longest_lead_s(self.given)
        for place, match in enumerate(found):
            mine = self.contacts[match.contact]
            later = {other.contact for other in found[:place + 1]}
            for agent in match.agents:
                for name in self.floor.explain_agent(agent, self.now).contacts:
                    assert name in later or self.contacts[name].since + lead_s >= mine.since

    @invariant()
    def who_is_passed_over_is_told(self) -> None:
        found = self.floor.decide(self.now)
        served = {match.contact for match in found}
        for match in found:
            mine = self.contacts[match.contact]
            earlier = [one for one in self.contacts.values() if not one.ringing and one.contact not in served
                       and (one.since, one.line) < (mine.since, mine.line)]
            assert match.why.behind + match.why.unfit == len(earlier)
            assert match.why.unfit == sum(
                (reference.place(self.given, self.history, one), one.line)
                < (reference.place(self.given, self.history, mine), mine.line) for one in earlier)

    @invariant()
    def every_answer_can_be_explained(self) -> None:
        served = {match.contact: match for match in self.floor.decide(self.now)}
        for name in self.contacts:
            told = self.floor.explain(name, self.now)
            able = {one.agent for one in told.agents if one.now}
            assert told.words and {one.agent for one in told.agents} == set(made_up.AGENTS)
            if name in served:
                assert set(served[name].agents) <= able
            if not able and not self.contacts[name].ringing:
                assert name not in served

    @invariant()
    def positions_are_those_of_the_queue(self) -> None:
        for queue in self.given.queues:
            here = sorted((one for one in self.contacts.values() if one.queue == queue),
                          key=lambda one: (reference.place(self.given, self.history, one), one.line))
            for place, one in enumerate(here, 1):
                assert self.floor.position(one.contact) == place

    def _said(self) -> object:
        return ({match.contact for match in self.floor.decide(self.now)}, self.floor.leaving(self.now))

    def _contact(self, waiting: Waiting) -> None:
        self.contacts[waiting.contact] = waiting
        self.floor.contact(waiting)

    def _gone(self, name: str) -> None:
        del self.contacts[name]
        self.floor.contact_gone(name)

    def _agent(self, standing: Standing) -> None:
        self.agents[standing.agent] = standing
        self.floor.agent(standing)


AnyFloor.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None,
                                      suppress_health_check=list(HealthCheck))
TestAnyFloor = AnyFloor.TestCase
