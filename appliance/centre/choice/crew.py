"""Who may serve whom: what contacts ask for, as sets of agents, ring by ring.

A set of agents is an integer with a bit for each of them: to join or meet two sets costs next to nothing, so
that a thousand contacts of different demands are looked through in a fraction of a millisecond.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from appliance.centre.choice.facts import Rules, Standing, Waiting
from appliance.config.queues import ABOUT_CONTACT, relaxed

Agents = int
MOST_DEMANDS = 4096                               # remembered; a customer table may know any number of grades


class Ask(NamedTuple):
    """`name` is what rings call it: the skill itself, or language, region, grade."""

    name: str
    skill: str
    level: int


class Demand(NamedTuple):
    """What contacts have in common that the same agents may serve at the same time of waiting."""

    queue: str
    required: tuple[Ask, ...]                     # by the contact itself
    preferred: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """From `after_s` on. Each ring has all agents of the one before it."""

    after_s: float
    agents: Agents
    reserve: Agents                               # as well, when the queue is in need
    preferred: tuple[Agents, ...]                 # who has the first preferred skill, the second one, ...
    skills: tuple[str, ...]                       # that are asked for, in whatever way


class Crew:
    def __init__(self, rules: Rules) -> None:
        self.names = tuple(rules.agents)
        self.skills: dict[str, Mapping[str, int]] = {
            name: agent.skills for name, agent in rules.agents.items()}
        self._rules = rules
        self._bits = {name: 1 << place for place, name in enumerate(self.names)}
        self._all = (1 << len(self.names)) - 1
        self._by_hand: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}   # also, without
        self._also: dict[str, Agents] = {}        # queue -> who serves it by hand
        self._without: dict[str, Agents] = {}
        self._having: dict[tuple[str, int], Agents] = {}
        self._reaches: dict[Demand, tuple[Reach, ...]] = {}

    def of(self, names: Iterable[str]) -> Agents:
        """Those of them that are known."""
        agents = 0
        for name in names:
            agents |= self._bits.get(name, 0)
        return agents

    def in_words(self, agents: Agents) -> Iterator[str]:
        while agents:
            lowest = agents & -agents
            yield self.names[lowest.bit_length() - 1]
            agents ^= lowest

    def assign(self, standing: Standing) -> bool:
        """Its skills, and the queues that it serves by hand. True: they are others than before."""
        agent, bit = standing.agent, self._bits[standing.agent]
        skills = self._rules.agents[agent].skills if standing.skills is None else standing.skills
        hand = standing.also, standing.without
        if skills == self.skills[agent] and hand == self._by_hand.get(agent, ((), ())):
            return False
        self.skills[agent], self._by_hand[agent] = dict(skills), hand
        for queues, named in zip((self._also, self._without), hand, strict=True):
            for queue in self._rules.queues:
                was = queues.get(queue, 0)
                queues[queue] = was | bit if queue in named else was & ~bit
        self._having.clear()
        self._reaches.clear()
        return True

    def having(self, skill: str, level: int) -> Agents:
        """Who has the skill at this level or a higher one."""
        known = self._having.get((skill, level))
        if known is None:
            known = self.of(name for name, skills in self.skills.items() if skills.get(skill, 0) >= level)
            self._having[skill, level] = known
        return known

    def demand(self, waiting: Waiting) -> Demand:
        queue = self._rules.queues[waiting.queue]
        about = {"language": waiting.language, "region": waiting.region, "grade": waiting.grade.lower()}

        def asks(skills: Mapping[str, int]) -> list[Ask]:
            return [Ask(name, about[name], level) for name, level in skills.items() if about.get(name)]

        own = [Ask(skill, skill, level) for skill, level in waiting.skills]
        return Demand(waiting.queue, tuple(sorted([*asks(queue.skills), *own])),
                      tuple(sorted(asks(queue.preferred))))

    def reaches(self, demand: Demand) -> tuple[Reach, ...]:
        """The first one from the beginning, then one for each ring of the queue."""
        known = self._reaches.get(demand)
        if known is None:
            if len(self._reaches) >= MOST_DEMANDS:
                self._reaches.clear()
            known = self._reaches[demand] = tuple(self._rings(demand))
        return known

    def group(self, queue: str) -> Agents:
        """Who may serve it from the beginning, whatever contacts ask for themselves."""
        config = self._rules.queues[queue]
        listed = self.of(config.agents) if config.agents else self._all
        by_hand = self._also.get(queue, 0)
        return (listed & self._skilled(_of_queue(config.skills)) | by_hand) & ~self._without.get(queue, 0)

    def _rings(self, demand: Demand) -> Iterator[Reach]:
        config = self._rules.queues[demand.queue]
        listed = self.of(config.agents) if config.agents else self._all
        reserve = self.of(config.reserve.agents) if config.reserve else 0
        skills, preferred = _of_queue(config.skills), _of_queue(config.preferred)
        own, own_preferred = demand.required, demand.preferred
        named, not_these = self._also.get(demand.queue, 0), self._without.get(demand.queue, 0)
        asked = tuple(dict.fromkeys([*skills, *preferred, *(ask.skill for ask in (*own, *own_preferred))]))
        for after_s, ring in [(0.0, None), *((ring.after_s, ring) for ring in config.rings)]:
            if ring is not None:
                skills, preferred = relaxed(skills, ring), relaxed(preferred, ring)
                own, own_preferred = _relaxed(own, ring.lower, ring.drop), _relaxed(
                    own_preferred, ring.lower, ring.drop)
                named |= self.of(ring.agents)
                for other in ring.queues:
                    named |= self.group(other)
            fit = self._meeting(own)
            skilled = self._skilled(skills)
            wished = [self.having(skill, level) for skill, level in preferred.items()]
            wished += [self.having(ask.skill, ask.level) for ask in own_preferred]
            may = ((listed & skilled) | named) & ~not_these
            yield Reach(after_s, may & fit, reserve & skilled & fit & ~not_these, tuple(wished), asked)

    def _skilled(self, skills: Mapping[str, int]) -> Agents:
        agents = self._all
        for skill, level in skills.items():
            agents &= self.having(skill, level)
        return agents

    def _meeting(self, asks: Iterable[Ask]) -> Agents:
        """A skill that nobody has is not asked for: nobody is better than another then."""
        agents = self._all
        for ask in asks:
            if self.having(ask.skill, 1):
                agents &= self.having(ask.skill, ask.level)
        return agents


def _of_queue(skills: Mapping[str, int]) -> dict[str, int]:
    """Without what stands for something known of the contact."""
    return {name: level for name, level in skills.items() if name not in ABOUT_CONTACT}


def _relaxed(asks: tuple[Ask, ...], lower: Mapping[str, int], drop: Iterable[str]) -> tuple[Ask, ...]:
    return tuple(ask._replace(level=min(ask.level, lower.get(ask.name, ask.level)))
                 for ask in asks if ask.name not in drop)
