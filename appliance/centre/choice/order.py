"""The one order in which contacts are served, over all queues.

Each contact has a place, in seconds; the smallest is served first, by whoever of its agents is free.

    place = when it began to wait - priority x ageing_s                        (first-come)
    place = the same + within_s x min(1, kept share / wanted share)            (service-level)

Waiting a second is worth a second for everybody, which is the ageing: nothing overtakes merely because time
passes. Equal places are served by their line, which no two contacts have in common: the order is total.

With order service-level the place is the moment at which the contact is due. Of a queue that misses its goal
contacts are due sooner, at most by the whole of within_s.

So nobody waits for ever: only who began to wait less than `longest_lead_s` after a contact can go before it.
"""

from collections.abc import Mapping

from appliance.centre.choice.facts import MOST_PRIORITY, Rules, Waiting, priority
from appliance.centre.choice.history import History


def place(rules: Rules, waiting: Waiting) -> float:
    """Among those of its queue; the same for as long as it waits."""
    return waiting.since - priority(rules, waiting) * rules.queues[waiting.queue].ageing_s


def shift_s(rules: Rules, history: History, queue: str) -> float:
    """What comes on top for contacts of this queue."""
    if rules.order == "first-come":
        return 0.0
    goal = rules.queues[queue].service_level
    kept = history.pace(queue).kept(goal.within_s)
    return goal.within_s * min(1.0, kept * 100 / goal.percent)


class Shifts:
    """Of all queues, reckoned anew for those only that have a new wait."""

    def __init__(self, rules: Rules, history: History) -> None:
        self._rules, self._history = rules, history
        self._waits: dict[str, list[float]] = {}
        self._known = dict.fromkeys(rules.queues, 0.0)

    def now(self) -> Mapping[str, float]:
        if self._rules.order != "first-come":
            for queue in self._known:
                waits = self._history.pace(queue).waits       # a new list whenever it changes
                if self._waits.get(queue) is not waits:
                    self._waits[queue] = waits
                    self._known[queue] = shift_s(self._rules, self._history, queue)
        return self._known


def longest_lead_s(rules: Rules) -> float:
    """No contact goes before one that began to wait so much earlier and that its agent may serve, too."""
    queues = rules.queues.values()
    lead_s = max((MOST_PRIORITY * queue.ageing_s for queue in queues), default=0.0)
    if rules.order == "service-level":
        lead_s += max((queue.service_level.within_s for queue in queues), default=0.0)
    return lead_s
