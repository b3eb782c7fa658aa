"""What rules need and no event says: figures and who serves which queue. Asked when the floor has changed,
and again a little later, as what is of the last minutes changes with time alone."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import Board, FigureValue, GetFigures
from webui.alerts.rules import Rule
from webui.exchange import Exchange
from webui.floor.known import Known

GAP_S = 3.0                                       # figures are asked for at most so often
SLIDE_S = 20.0                                    # and at least, while a rule is about them
PATIENCE_S = 5.0

Values = Mapping[str, FigureValue]
_Key = tuple[str, str, int]                       # of what, the figure, the last minutes; 0: since midnight


@dataclass(slots=True)
class _Answer:
    at: float
    board: Board | None
    values: Values | None                         # None: acdd did not answer


class Sources:
    """One thread's. `clock` as Unix time is taken."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._known = exchange, Known(exchange, time.monotonic)
        self._answers: dict[_Key, _Answer] = {}
        self._used: set[_Key] = set()
        self._silent = False                      # nobody answered in this look: the others are not asked

    def crew(self) -> Mapping[str, tuple[str, ...]]:
        board = self._exchange.mirror.floor.board
        return self._known.crew(tuple(one.name for one in board.agents)) if board else {}

    def figures(self, now: float) -> Callable[[Rule], Values | None]:
        """Of one look at all rules, at `now`."""
        self._used.clear()
        self._silent = False

        def of(rule: Rule) -> Values | None:
            measure = rule.measure
            key = (measure.of, measure.figure, rule.window_min if measure.window else 0)
            self._used.add(key)
            if now >= self._due(key) or now < self._answers[key].at:
                self._answers[key] = self._ask(key, now)
            return self._answers[key].values
        return of

    def next_at(self) -> float | None:
        """When figures that were looked at are looked at again."""
        for key in set(self._answers) - self._used:
            del self._answers[key]
        return min(map(self._due, self._used), default=None)

    def _due(self, key: _Key) -> float:
        answer = self._answers.get(key)
        if answer is None:
            return float("-inf")
        changed = self._exchange.mirror.floor.board is not answer.board
        return answer.at + (GAP_S if changed and answer.values is not None else SLIDE_S)

    def _ask(self, key: _Key, now: float) -> _Answer:
        of, figure, minutes = key
        board = self._exchange.mirror.floor.board
        if self._silent:
            return _Answer(now - GAP_S, board, None)             # next time before what nobody answered
        midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        try:
            found = self._exchange.ask(GetFigures(
                of=of, since=now - minutes * 60.0 if minutes else midnight, until=now, figures=[figure]),
                                       PATIENCE_S)
        except BusError as error:
            self._silent = not isinstance(error, Refused)        # who says no answers the next one at once
            return _Answer(now, board, None)
        return _Answer(now, board, {row.name: row.values[0] for row in found.rows if row.name and row.values})
