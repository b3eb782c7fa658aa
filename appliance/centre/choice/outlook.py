"""What an estimate is made from: who could begin what, and who is served before."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from appliance.centre.choice import estimate
from appliance.centre.choice.crew import Agents, Reach
from appliance.centre.choice.estimate import Ahead, Supply
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
    handling = {name: view.history.pace(name).handling(queue.handling_s)
                for name, queue in view.rules.queues.items()}
    supplies = Counter(_supplies(view, handling, waiting, reaches))
    if not supplies:
        return None
    spot = view.shifted(waiting.queue, (place(view.rules, waiting), waiting.line, waiting.contact))
    counts = _ahead(view, view.agents(waiting.queue, reaches[-1]), spot)
    handling_s = handling[waiting.queue][0]
    if total := sum(counts.values()):
        handling_s = sum(count * handling[queue][0] for queue, count in counts.items()) / total
    ahead = [Ahead(count, view.history.pace(queue).impatience()) for queue, count in counts.items()]
    wait_s = estimate.wait_s(supplies, handling_s, ahead)
    return None if wait_s is None else wait_s + ring_s


def _supplies(view: View, handling: Mapping[str, tuple[float, float]], waiting: Waiting,
              reaches: Sequence[Reach]) -> Iterator[Supply]:
    """`handling`: of queues, mean in s and squared variation."""
    known: Agents = 0
    for reach in reaches:
        start_s = max(0.0, waiting.joined_at + reach.after_s - view.now) if reach.after_s else 0.0
        agents = view.agents(waiting.queue, reach) & view.logged_in & ~known
        known |= agents
        for name in view.crew.in_words(agents):
            standing = view.standings[name]
            if standing.free:
                yield Supply(start_s, 0.0)
            elif standing.comes_back and standing.back_at is not None:
                yield Supply(max(start_s, standing.back_at - view.now), 0.0)
            elif standing.comes_back:
                mean_s, variation2 = handling.get(standing.queue) or handling[waiting.queue]
                gone_s = max(0.0, view.now - standing.since)
                yield Supply(start_s, estimate.left_s(mean_s, variation2, gone_s))


def _ahead(view: View, mine: Agents, spot: Spot) -> dict[str, float]:
    """Of each queue so many contacts."""
    mine &= view.logged_in
    counts: dict[str, float] = {}
    for row, count in view.lines.before(spot, view.shifts):
        if share := _share(view, row, mine):
            counts[row.demand.queue] = counts.get(row.demand.queue, 0.0) + share * count
    return counts


def _share(view: View, row: Row, mine: Agents) -> float:
    """Of the row's agents, in the ring where it is largest from now on."""
    share = 0.0
    for reach in view.crew.reaches(row.demand)[row.ring:]:
        theirs = view.agents(row.demand.queue, reach) & view.logged_in
        if theirs:
            share = max(share, (theirs & mine).bit_count() / theirs.bit_count())
    return share
