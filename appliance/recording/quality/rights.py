"""Who may do what with whose calls: rows of the configuration, decided without anything else."""

from dataclasses import dataclass

from appliance.config.quality import Act, PersonConfig, QualityConfig

ACTS: tuple[Act, ...] = ("score", "see", "coach", "decide", "calibrate", "publish")


@dataclass(frozen=True, slots=True)
class Rights:
    """`agents`: the names of all agents of the box."""

    quality: QualityConfig
    agents: frozenset[str]

    def agent(self, person: str) -> str:
        """Who the person is when he serves callers; "": no agent."""
        row = self._row(person)
        if row is not None and row.agent is not None:
            return row.agent
        taken = {one.agent for one in self.quality.people if one.name != person}
        return person if person in self.agents and person not in taken else ""

    def may(self, person: str, act: Act, agent: str) -> bool:
        """Nobody judges or coaches himself; an agent sees his own results."""
        if agent and self.agent(person) == agent:
            return act == "see"
        if not self.quality.people:
            return not self.agent(person)
        row = self._row(person)
        return (row is not None and act in row.may
                and (not row.groups or agent in self.quality.members(row.groups)))

    def may_ever(self, person: str, act: Act) -> bool:
        """With anybody's calls."""
        if not self.quality.people:
            return not self.agent(person)
        row = self._row(person)
        return row is not None and act in row.may

    def scorers(self, agent: str, among: list[str]) -> list[str]:
        """Of the people named (none: all), who may score the agent."""
        return [one.name for one in self.quality.people
                if (not among or one.name in among) and self.may(one.name, "score", agent)]

    def _row(self, person: str) -> PersonConfig | None:
        return next((one for one in self.quality.people if one.name == person), None)
