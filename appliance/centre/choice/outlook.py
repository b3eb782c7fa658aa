"""What an estimate is made from: who could begin what, and who is served before."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from appliance.centre.choice import estimate
from appliance.centre.choice.crew import Agents, Reach
from appliance.centre.choice.estimate import Ahead, Handling, Supply
from appliance.centre.choice.facts import Waiting
from appliance.centre.choice.lines import Row, Spot
from appliance.centre.choice.order import place
from appliance.centre.choice.view import View

MOST_APART = 600                                  # contacts before, times the agents: looked at one by one


def wait_s(view: View, waiting: Waiting) -> float | None:
    """estimate.py has the formula; None: nobody is there for it."""
    ring_s = view.history.pace(waiting.queue).ring_s()
    if waiting.ringing:
        return ring_s
    starts_s = _starts_s(view, waiting)
    if not starts_s:
        return None
    mine = view.crew.of(starts_s)
    spot = view.shifted(waiting.queue, (place(view.rules, waiting), waiting.line, waiting.contact))
    rows = [(row, count, share) for row, count in view.lines.before(spot, view.shifts)
            if (share := _share(view, row, mine))]
    one_by_one = (sum(count for _, count, _ in rows) * mine.bit_count() <= MOST_APART
                  and all(_is_plain(view, queue) for queue in {waiting.queue, *(
                      row.demand.queue for row, _, _ in rows)}))
    counts: dict[str, float] = {}
    for row, count, share in rows:
        counts[row.demand.queue] = counts.get(row.demand.queue, 0.0) + count * (1.0 if one_by_one else share)
    handling = {name: Handling(*view.history.pace(name).handling(queue.handling_s))
                for name, queue in view.rules.queues.items()}
    before = list(_one_by_one(view, spot, rows)) if one_by_one else []
    groups = _alike([mine, *(agents for _, agents in before)])
    ahead = [Ahead(1.0, view.history.pace(queue).impatience(), _of(groups, agents))
             for queue, agents in before]
    wait_s = estimate.wait_s(
        [Counter(_supplies(view, handling, waiting.queue, group, starts_s)) for group in groups],
        _mean(handling, counts or {waiting.queue: 1.0}),
        ahead if one_by_one else [_together(view, counts)],
        _of(groups, mine), view.history.pace(waiting.queue).impatience())
    return None if wait_s is None else wait_s + ring_s


def _mean(handling: Mapping[str, Handling], counts: Mapping[str, float]) -> Handling:
    total = sum(counts.values())
    return Handling(sum(handling[queue].mean_s * count for queue, count in counts.items()) / total,
                    sum(handling[queue].variation2 * count for queue, count in counts.items()) / total)


def _is_plain(view: View, queue: str) -> bool:
    """The same agents serve it at all times."""
    config = view.rules.queues[queue]
    return not config.rings and config.reserve is None


def _starts_s(view: View, waiting: Waiting) -> dict[str, float]:
    """Of each agent who is logged in: when the contact, or the need of its queue, has come to it."""
    starts_s: dict[str, float] = {}
    need_s = _need_s(view, waiting)
    for reach in view.crew.reaches(view.crew.demand(waiting)):
        ring_s = max(0.0, waiting.joined_at + reach.after_s - view.now) if reach.after_s else 0.0
        reserve = _reserve(view, waiting, reach)
        for agents, start_s in ((reach.agents, ring_s), (reserve, max(ring_s, need_s))):
            for name in view.crew.in_words(agents & view.logged_in):
                starts_s[name] = min(start_s, starts_s.get(name, start_s))
    return starts_s


def _need_s(view: View, waiting: Waiting) -> float:
    """So long until its queue lets the reserve in by the time that somebody has waited; 0: it does."""
    config, joined = view.rules.queues[waiting.queue], view.lines.joined[waiting.queue]
    if waiting.queue in view.in_need or config.reserve is None or config.reserve.wait_s is None:
        return 0.0
    first = min(joined[0][0], waiting.joined_at) if joined else waiting.joined_at
    return max(0.0, first + config.reserve.wait_s - view.now)


def _reserve(view: View, waiting: Waiting, reach: Reach) -> Agents:
    """Of the queue, if it is in need or will be merely by time."""
    reserve = view.rules.queues[waiting.queue].reserve
    by_time = reserve is not None and reserve.wait_s is not None
    return reach.reserve if by_time or waiting.queue in view.in_need else 0


def _one_by_one(view: View, spot: Spot,
                rows: Iterable[tuple[Row, int, float]]) -> Iterator[tuple[str, Agents]]:
    """Queue and agents of each contact before, in their order."""
    before: list[tuple[Spot, Row]] = []
    for row, count, _ in rows:
        before += [(view.shifted(row.demand.queue, one), row) for one in row.spots[:count]]
    for _, row in sorted(before, key=lambda found: found[0]):
        yield row.demand.queue, row.reach.agents & view.logged_in


def _together(view: View, counts: Mapping[str, float]) -> Ahead:
    """Of one group: `counts` are by the part of their agents that contacts share with it."""
    total = sum(counts.values())
    impatience = sum(view.history.pace(queue).impatience() * count for queue, count in counts.items())
    return Ahead(total, impatience / total if total else 0.0, (0,))


def _alike(sets: Iterable[Agents]) -> Sequence[Agents]:
    """Those whom the same contacts may have."""
    different = set(sets)
    groups = [0]
    for agents in different:
        groups[0] |= agents
    for agents in different:
        groups = [part for group in groups for part in (group & agents, group & ~agents) if part]
    return groups


def _of(groups: Sequence[Agents], agents: Agents) -> tuple[int, ...]:
    return tuple(number for number, group in enumerate(groups) if group & agents)


def _supplies(view: View, handling: Mapping[str, Handling], queue: str, agents: Agents,
              starts_s: Mapping[str, float]) -> Iterator[Supply]:
    """`queue`: whose work an agent does of whom that is not known."""
    for name in view.crew.in_words(agents):
        standing, start_s = view.standings[name], starts_s.get(name, 0.0)
        if standing.free:
            yield Supply(start_s, 0.0)
        elif standing.comes_back and standing.back_at is not None:
            yield Supply(max(start_s, standing.back_at - view.now), 0.0)
        elif standing.comes_back:
            known = standing.queue if standing.queue in handling else queue
            left_s = handling[known].left_s(max(0.0, view.now - standing.since))
            least_s = view.rules.queues[standing.queue].wrap_up_s if standing.queue in handling else 0.0
            yield Supply(start_s, max(left_s, least_s), least_s)


def _share(view: View, row: Row, mine: Agents) -> float:
    """Of the row's agents, in the ring where it is largest from now on, with the reserve or before."""
    share = 0.0
    for reach in view.crew.reaches(row.demand)[row.ring:]:
        for agents in (view.agents(row.demand.queue, reach), reach.agents | reach.reserve):
            if theirs := agents & view.logged_in:
                share = max(share, (theirs & mine).bit_count() / theirs.bit_count())
    return share
