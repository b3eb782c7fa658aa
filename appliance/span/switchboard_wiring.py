"""Who is connected with whom, and what each leg therefore hears: bridges, conferences, supervision -> graph.

A leg is connected in one way at most. What changed is worked out once, by apply(), for the legs whose hearing
it can have changed.
"""

from collections.abc import Iterator

from appliance.bus.client import Refused
from appliance.media import levels
from appliance.media.graph import Graph
from appliance.span.switchboard_legs import (
    Bridged,
    Conference,
    Leg,
    Legs,
    Mode,
    Seated,
    Supervising,
    check_name,
)


class Wiring:
    def __init__(self, graph: Graph, legs: Legs) -> None:
        self._graph, self._legs = graph, legs
        self.conferences: dict[str, Conference] = {}
        self._stale: dict[Leg, None] = {}         # what they hear is to be worked out anew

    def bridge(self, name_a: str, name_b: str) -> list[Leg]:
        """The two, newly connected; none when they already were. Refused: a leg with itself."""
        if name_a == name_b:
            raise Refused(f"leg {name_a!r} cannot be bridged with itself")
        pair = self._legs.wish_two(name_a, name_b)
        if pair[0].link == Bridged(pair[1]):
            return []
        for leg, peer in (pair, pair[::-1]):
            self._unlink(leg, keep=pair)
            leg.link = Bridged(peer)
        self.changed(pair[0])
        return [*pair]

    def unbridge(self, leg: Leg) -> None:
        if isinstance(leg.link, Bridged):
            self._unlink(leg)

    def join(self, name: str, leg_name: str, gain_db: float, speaks: bool, hears: bool) -> list[Leg]:
        """The leg when it was not in this conference before. Refused: no such name or gain; too many."""
        check_name("conference", name)
        check_name("leg", leg_name)
        check_gain(gain_db)
        if name not in self.conferences and len(self.conferences) == self._graph.rows.ports:
            raise Refused(f"conference {name!r}: {len(self.conferences)} run already, end one first")
        leg = self._legs.wish(leg_name)
        conference = self.conferences.get(name)
        if conference is None:
            conference = self.conferences[name] = Conference(name, self._graph.open_conference())
        before, link = leg.link, Seated(conference, gain_db, speaks, hears)
        if before == link:
            return []
        new = leg.name not in conference.seats
        if new:
            conference.seats[leg.name] = leg      # first: the last one out of it closes it
            self._unlink(leg, keep=(leg,))
        leg.link = link
        self.changed(leg)
        return [leg] if new else []

    def leave(self, leg: Leg) -> None:
        if isinstance(leg.link, Seated):
            self._unlink(leg)

    def supervise(self, name: str, agent_name: str, mode: Mode) -> list[Leg]:
        """The supervisor when it did not supervise this agent before. Refused: chains of supervision."""
        known, known_agent = self._legs.get(name), self._legs.get(agent_name)
        if name == agent_name:
            raise Refused(f"leg {name!r} cannot supervise itself")
        if known is not None and known.supervisors:
            raise Refused(f"leg {name!r} is supervised by {next(iter(known.supervisors))!r}: end that first")
        if known_agent is not None and isinstance(known_agent.link, Supervising):
            raise Refused(f"leg {agent_name!r} supervises {known_agent.link.agent.name!r}: end that first")
        agent, leg = self._legs.wish_two(agent_name, name)
        if leg.link == Supervising(agent, mode):
            return []
        new = name not in agent.supervisors
        if new:
            agent.supervisors[name] = leg         # first: the agent must not be found empty
            self._unlink(leg, keep=(leg, agent))
        self.changed(leg)
        leg.link = Supervising(agent, mode)
        self.changed(leg)
        return [leg] if new else []

    def stop_supervising(self, leg: Leg) -> None:
        if isinstance(leg.link, Supervising):
            self._unlink(leg)

    def forget(self, leg: Leg) -> None:
        """End all that the leg is connected with, either way."""
        self._unlink(leg, keep=(leg,))
        for supervisor in list(leg.supervisors.values()):
            self._unlink(supervisor)
        self.moves(leg)

    def moves(self, leg: Leg) -> None:
        """It leaves its port: to be called before."""
        self.changed(leg)
        self._end_mix(leg)

    def changed(self, leg: Leg) -> None:
        """What this leg hears, and what others hear of it, is to be worked out anew."""
        near = [leg]
        if isinstance(leg.link, Supervising):
            near.append(leg.link.agent)
        near += [one.link.peer for one in near if isinstance(one.link, Bridged)]
        for one in near:
            self._stale |= dict.fromkeys([one, *one.supervisors.values()])

    def apply(self) -> None:
        """Tell the graph what has changed."""
        stale, self._stale = self._stale, {}
        for leg in stale:
            if leg.port is not None:
                self._seat(leg, leg.port)
                self._hear(leg, leg.port)

    def _unlink(self, leg: Leg, keep: tuple[Leg, ...] = ()) -> None:
        """End what the leg is connected with. Legs with nothing left are forgotten, but those to be kept."""
        self.changed(leg)
        link, leg.link = leg.link, None
        near = [leg]
        match link:
            case Bridged(peer):
                peer.link = None
                near.append(peer)
            case Seated(conference):
                del conference.seats[leg.name]
                if not conference.seats:
                    self._graph.close_conference(conference.number)
                    del self.conferences[conference.name]
            case Supervising(agent):
                del agent.supervisors[leg.name]
                near.append(agent)
        for one in near:
            if one not in keep:
                self._legs.drop_empty(one)

    def _seat(self, leg: Leg, port: int) -> None:
        """Into the conference that is to hear it, if any."""
        match leg.link:
            case Seated(conference, gain_db, speaks=True):
                self._graph.join(conference.number, port, gain_db)
            case Supervising(Leg(port=int(), link=Seated(conference)), "barge"):
                self._graph.join(conference.number, port)
            case _:
                self._graph.leave(port)

    def _hear(self, leg: Leg, port: int) -> None:
        conference, rows = self._heard(leg)
        rows = list(dict.fromkeys(row for row in rows if row != port))
        if conference is None and len(rows) < 2:
            self._end_mix(leg)
            self._graph.hear(port, rows[0] if rows else None)
            return
        number = None if conference is None else conference.number
        terms = [(row, 0.0) for row in rows]
        if leg.mix is None:
            leg.mix = self._graph.mix(number, port, terms)
        else:
            self._graph.change_mix(leg.mix, number, port, terms)
        self._graph.hear(port, leg.mix)

    def _heard(self, leg: Leg) -> tuple[Conference | None, list[int]]:
        """The conference that the leg hears, and rows beside it."""
        if leg.covered_by is not None:
            return None, [leg.covered_by]
        if not isinstance(leg.link, Supervising):
            return self._company(leg)
        agent = leg.link.agent
        if agent.port is None:
            return None, []
        conference, rows = self._heard(agent)
        speaks_there = conference is not None and isinstance(agent.link, Seated) and agent.link.speaks
        return conference, rows if speaks_there else [agent.port, *rows]

    def _company(self, leg: Leg) -> tuple[Conference | None, list[int]]:
        """Those whom the leg hears by what it is connected with, and its supervisors."""
        conference, others = None, []
        match leg.link:
            case Bridged(peer):
                others = [peer, *_supervisors(peer, "barge")]
            case Seated(conference=there, hears=True):
                conference = there
        others += _supervisors(leg, "whisper")
        if conference is None:                    # otherwise they are in it
            others += _supervisors(leg, "barge")
        return conference, list(_ports(others))

    def _end_mix(self, leg: Leg) -> None:
        if leg.mix is not None:
            self._graph.end_mix(leg.mix)
            leg.mix = None


def _ports(legs: list[Leg]) -> Iterator[int]:
    return (leg.port for leg in legs if leg.port is not None)


def _supervisors(leg: Leg, mode: Mode) -> list[Leg]:
    return [one for one in leg.supervisors.values()
            if leg.port is not None and isinstance(one.link, Supervising) and one.link.mode == mode]


def check_gain(gain_db: float) -> None:
    """Refused: beyond what the levels can."""
    try:
        levels.steps(gain_db)
    except ValueError as error:
        raise Refused(str(error)) from None
