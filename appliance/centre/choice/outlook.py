"""What an estimate is made from: who could begin what, and who is served before."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from appliance.centre.choice import estimate
from appliance.centre.choice.crew import Agents, Reach
from appliance.centre.choice.estimate import Ahead, Handling, Supply
from appliance.centre.choice.facts import Waiting
from appliance.centre.choice.lines import Row, Spot
from appliance.centre.choice.order import place
from appliance.centre.choice.view import View


def wait_s(view: View, waiting: Waiting) -> float | None:
    """estimate.py has the formula; None: nobody is there for it."""
    ring_s = view.history.pace(waiting.queue).ring_s()
    if waiting.ringing:
        return ring_s
    reaches = view.crew.reaches(view.crew.demand(waiting))
    handling = {name: Handling(*view.history.pace(name).handling(queue.handling_s))
                for name, queue in view.rules.queues.items()}
    supplies = Counter(_supplies(view, handling, waiting, reaches))
    if not supplies:
        return None
    spot = view.shifted(waiting.queue, (place(view.rules, waiting), waiting.line, waiting.contact))
    counts = _ahead(view, reaches[-1].agents | _reserve(view, waiting, reaches[-1]), spot)
    ahead = [Ahead(count, view.history.pace(queue).impatience()) for queue, count in counts.items()]
    wait_s = estimate.wait_s(supplies, _mean(handling, counts or {waiting.queue: 1.0}), ahead)
    return None if wait_s is None else wait_s + ring_s


def _mean(handling: Mapping[str, Handling], counts: Mapping[str, float]) -> Handling:
    total = sum(counts.values())
    return Handling(sum(handling[queue].mean_s * count for queue, count in counts.items()) / total,
                    sum(handling[queue].variation2 * count for queue, count in counts.items()) / total)


def _supplies(view: View, handling: Mapping[str, Handling], waiting: Waiting,
              reaches: Sequence[Reach]) -> Iterator[Supply]:
    starts_s: dict[str, float] = {}
    need_s = _need_s(view, waiting)
    for reach in reaches:
        ring_s = max(0.0, waiting.joined_at + reach.after_s - view.now) if reach.after_s else 0.0
        reserve = _reserve(view, waiting, reach)
        for agents, start_s in ((reach.agents, ring_s), (reserve, max(ring_s, need_s))):
            for name in view.crew.in_words(agents & view.logged_in):
                starts_s[name] = min(start_s, starts_s.get(name, start_s))
    for name, start_s in starts_s.items():
        standing = view.standings[name]
        if standing.free:
            yield Supply(start_s, 0.0)
        elif standing.comes_back and standing.back_at is not None:
            yield Supply(max(start_s, standing.back_at - view.now), 0.0)
        elif standing.comes_back:
            work = handling.get(standing.queue) or handling[waiting.queue]
            yield Supply(start_s, work.left_s(max(0.0, view.now - standing.since)))


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


def _ahead(view: View, mine: Agents, spot: Spot) -> dict[str, float]:
    """Of each queue so many contacts."""
    mine &= view.logged_in
    counts: dict[str, float] = {}
    for row, count in view.lines.before(spot, view.shifts):
        if share := _share(view, row, mine):
            counts[row.demand.queue] = counts.get(row.demand.queue, 0.0) + share * count
    return counts


def _share(view: View, row: Row, mine: Agents) -> float:
    """Of the row's agents, in the ring where it is largest from now on, with the reserve or before."""
    share = 0.0
    for reach in view.crew.reaches(row.demand)[row.ring:]:
        for agents in (view.agents(row.demand.queue, reach), reach.agents | reach.reserve):
            if theirs := agents & view.logged_in:
                share = max(share, (theirs & mine).bit_count() / theirs.bit_count())
    return share
