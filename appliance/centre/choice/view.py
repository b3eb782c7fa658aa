"""All that is known at one moment, for those who only look."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from appliance.centre.choice.crew import Agents, Crew, Reach
from appliance.centre.choice.facts import Rules, Standing
from appliance.centre.choice.history import History
from appliance.centre.choice.lines import Lines, Spot


@dataclass(frozen=True, slots=True)
class View:
    rules: Rules
    history: History
    crew: Crew
    lines: Lines
    standings: Mapping[str, Standing]
    free: Agents
    logged_in: Agents
    shifts: Mapping[str, float]                   # of queues, order.py
    in_need: Set[str]                             # queues whose reserve is let in
    now: float

    def agents(self, queue: str, reach: Reach) -> Agents:
        """Who may be chosen."""
        return reach.agents | reach.reserve if queue in self.in_need else reach.agents

    def shifted(self, queue: str, spot: Spot) -> Spot:
        """As it stands among those of all queues."""
        return spot[0] + self.shifts[queue], spot[1], spot[2]
