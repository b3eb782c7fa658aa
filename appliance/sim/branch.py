"""A branch on a day: the box's configuration with its flows, and the scenario. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from appliance.centre.entry.load import bare
from appliance.centre.entry.rules import Entrance
from appliance.centre.flow import Flow, QueueNode
from appliance.centre.turn import Setup
from appliance.config.emergency import emergency
from appliance.config.schema import Config, InboundRoute
from appliance.config.timeslots import timeslots
from appliance.sim.callers import KnownCall, Source
from appliance.sim.scenario import Scenario, trunk, zone

STRAIGHT = "999{:04}"                             # numbers of ours, for calls straight into a queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    scenario: Scenario
    config: Config
    flows: Mapping[str, Flow]                     # by the path in the configuration
    entrance: Entrance | None = None              # calendars and tables; None: there are no tables
    known: Mapping[int, tuple[KnownCall, ...]]    # calls of a real day, by the place of their row of arrivals
    calls_times: float = 1.0
    handling_times: float = 1.0
    patience_times: float = 1.0

    def midnight(self) -> float:
        """Unix seconds."""
        scenario = self.scenario
        return datetime.combine(scenario.day, time(), zone(scenario, self.config)).timestamp()

    def sources(self) -> list[Source]:
        return [Source(row, trunk(self.config.centre, row), row.called or STRAIGHT.format(place),
                       self.known.get(place, ()))
                for place, row in enumerate(self.scenario.arrivals)]

    def setup(self, new_id: Callable[[], str]) -> Setup:
        """What acdd would have, and a route of its own for calls straight into a queue."""
        straight = {source.called: source for source in self.sources() if source.row.queue is not None}
        routes = [InboundRoute(trunk=source.trunk, called=called, flow=called)
                  for called, source in straight.items()]
        flows = {called: _straight(source.row.queue or "") for called, source in straight.items()}
        centre = self.config.centre.model_copy(update={"inbound": [*self.config.centre.inbound, *routes]})
        return Setup.of(centre, {**self.flows, **flows}, new_id, emergency(self.config),
                        entrance=self.entrance or bare(centre, zone(self.scenario, self.config)))

    def channels(self) -> dict[str, int]:
        """Of each trunk."""
        found: dict[str, int] = {}
        for span in self.config.spans:
            found[span.trunk] = found.get(span.trunk, 0) + len(timeslots(span.timeslots))
        return found


def _straight(queue: str) -> Flow:
    return Flow(start="queue", nodes={"queue": QueueNode(kind="queue", queue=queue)})
