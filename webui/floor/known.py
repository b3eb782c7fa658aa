"""What the floor's pages ask beside the board, kept for a short while for everybody who looks.

Nobody says these as events: figures grow with every call, and who serves which queue changes with the
configuration. One thread asks, the others take what there is.
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from appliance.bus.client import BusError
from appliance.bus.messages import ExplainAgent, FigureValue, GetFigures, GetLegContacts, Reply, Request
from webui.exchange import Exchange

T = TypeVar("T")
R = TypeVar("R", bound=Reply)

FIGURES_S = 3.0                                   # how old they may be
CREW_S = 30.0
LEGS_S = 1.0
LEGS_PATIENCE_S = 0.3                             # all live floors and walls wait meanwhile
AFTER_FAILURE_S = 5.0                             # nobody is asked again sooner
HALF_HOUR_S = 1800.0
STALE = 3.0                                       # times for_s
NEVER = float("-inf")                             # asked yet
MOST_MADE = 64                                    # ranges and filters that are looked at

FIGURES = ("offered", "answered", "abandoned", "service_level", "answered_share", "abandonment", "asa_s",
           "aht_s")

Values = Mapping[str, Mapping[str, FigureValue]]  # queue, "" all together -> figure -> value


class Kept(Generic[T]):
    """The last answer to a question, the old one when nobody answers.

    When it is older than `for_s` it is asked again in a thread; who wants it meanwhile gets the old one.
    Who comes when nobody has for `stale` times as long waits for a new one.
    """

    def __init__(self, ask: Callable[[], T], none: T, for_s: float, clock: Callable[[], float],
                 stale: float = STALE) -> None:
        self._ask, self._for_s, self._clock, self._stale = ask, for_s, clock, stale
        self._value, self._until = none, NEVER
        self._forgotten = False
        self._asking, self._setting = threading.Lock(), threading.Lock()

    def get(self) -> T:
        until, now = self._until, self._clock()
        if now >= until and self._asking.acquire(blocking=until == NEVER):
            if self._until <= now < self._until + self._stale * self._for_s:
                self._beside()
            else:
                self._here()
        return self._value

    def forget(self) -> None:
        """The next one asks, and waits for the answer."""
        with self._setting:
            self._forgotten, self._until = True, NEVER

    def _here(self) -> None:
        """Who calls has the lock, which is given back."""
        try:
            if self._clock() >= self._until:
                self._refresh()
        finally:
            self._asking.release()

    def _beside(self) -> None:
        try:
            threading.Thread(target=self._here, name="known", daemon=True).start()
        except RuntimeError:                      # no thread is left: he waits
            self._here()

    def _refresh(self) -> None:
        self._forgotten = False
        try:
            self._value, for_s = self._ask(), self._for_s
        except BusError:
            for_s = AFTER_FAILURE_S
        with self._setting:
            if not self._forgotten:               # what was asked before is not what is wanted now
                self._until = self._clock() + for_s


class Known:
    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._agents: tuple[str, ...] = ()
        self._making = threading.RLock()
        self._made: dict[Hashable, tuple[tuple[object, ...], object]] = {}
        self._crew = Kept[Mapping[str, tuple[str, ...]]](self._ask_crew, {}, CREW_S, clock)
        self._today = Kept[Values](self._ask_today, {}, FIGURES_S, clock)
        self._half_hour = Kept[Values](self._ask_half_hour, {}, FIGURES_S, clock)
        self._legs = Kept[Mapping[str, str]](self._ask_legs, {}, LEGS_S, clock, stale=0.0)

    def once(self, key: Hashable, of: tuple[object, ...], make: Callable[[], T]) -> T:
        """What was made for this key as long as it is made of the same objects; else made now."""
        with self._making:                        # of many who wait for it one makes it
            kept = self._made.get(key)
            if kept is not None and all(one is other for one, other in zip(kept[0], of, strict=True)):
                return cast(T, kept[1])
            made = make()
            if len(self._made) >= MOST_MADE:
                self._made.clear()
            self._made[key] = of, made
            return made

    def crew(self, agents: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        """Agent -> the queues that it serves."""
        if agents != self._agents:
            self._agents = agents
            self._crew.forget()
        return self._crew.get()

    def today(self) -> Values:
        """Figures of queues since midnight where the box stands."""
        return self._today.get()

    def half_hour(self) -> Values:
        """Likewise of the last 30 minutes."""
        return self._half_hour.get()

    def contacts_on(self, legs: frozenset[str]) -> frozenset[str]:
        """Contacts that have one of these legs."""
        of = self.legs()
        return frozenset(of[leg] for leg in legs if leg in of)

    def legs(self) -> Mapping[str, str]:
        """Leg -> contact. New at once: of a call that came just now the older answer knows nothing."""
        return self._legs.get()

    def _ask_crew(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(self._ask(ExplainAgent(agent=name)).queues) for name in self._agents}

    def _ask_today(self) -> Values:
        midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return self._figures(midnight.timestamp(), (midnight + timedelta(days=1)).timestamp())

    def _ask_half_hour(self) -> Values:
        now = time.time()
        return self._figures(now - HALF_HOUR_S, now)

    def _figures(self, since: float, until: float) -> Values:
        found = self._ask(GetFigures(of="queue", since=since, until=until, figures=list(FIGURES)))
        names = [one.name for one in found.definitions]
        return {row.name: dict(zip(names, row.values, strict=True)) for row in found.rows}

    def _ask_legs(self) -> Mapping[str, str]:
        return self._ask(GetLegContacts(), timeout_s=LEGS_PATIENCE_S).contacts

    def _ask(self, request: Request[R], **patience: Any) -> R:
        """BusError at once when who would answer has not been heard for a while."""
        if request.owner in self._exchange.mirror.floor.away:
            raise BusError(f"{request.owner} is away")
        return self._exchange.ask(request, **patience)
