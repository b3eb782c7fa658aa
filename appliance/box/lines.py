"""What boxd keeps of every line: its history on disk, and the failures that stand."""

import asyncio
import logging
import time

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import GetSpanSeconds, LineFailure, LineHistory, SpanSecond, SpanState
from e1_driver import Alarm
from e1_driver.watch.bins import DAY_S, QUARTER_S, Bin
from e1_driver.watch.defects import Failures
from e1_driver.watch.history import Store

KEPT_S = 30 * 86_400                              # of a span that is no more
AGAIN_S = 900                                     # older than any that spand keeps: the clock was set back

log = logging.getLogger(__name__)


class Lines:
    """Fed with what spand says; knows no clock but `now`, steady seconds, and the times in the events.

    `spans`: those of the configuration; the history of any other goes.
    """

    def __init__(self, store: Store, spans: list[str]) -> None:
        self.spans = spans
        for gone in set(store.spans()).difference(spans):
            if store.history(gone).newest < time.time() - KEPT_S:    # a name mistyped today loses nothing
                log.warning("span %s: not in the configuration for 30 days, its history goes", gone)
                store.forget(gone)
        self._store = store
        self._failures = {span: Failures() for span in spans}
        self._trouble = ""

    async def catch_up(self, bus: Bus) -> None:
        """Ask spand for the seconds that were missed. Without an answer it stays at those said."""
        for span in self.spans:
            if not await self._ask(bus, span):
                return

    async def _ask(self, bus: Bus, span: str) -> bool:
        try:
            kept = await bus.ask(GetSpanSeconds(span=span, since=self._store.history(span).newest + 1))
        except BusError as error:
            log.info("span %s: the seconds before are not to be had: %s", span, error)
            return False
        for second in kept.seconds:
            self.second(second)
        return True

    async def heard(self, bus: Bus, heard: SpanSecond) -> None:
        """Count a second in that spand said; when some before it are missing, ask for those first."""
        if heard.span in self.spans:
            newest = self._store.history(heard.span).newest
            if newest + 1 < heard.second.at < newest + AGAIN_S:
                await self._ask(bus, heard.span)
        self.second(heard)

    def second(self, heard: SpanSecond) -> None:
        """Count a second in, once: it may be said and be in the answer to catch_up()."""
        if heard.span not in self.spans:
            return
        newest = self._store.history(heard.span).newest
        if not newest - AGAIN_S < heard.second.at <= newest:
            self._store.observe(heard.span, heard.second, heard.source or None)

    def state(self, now: float, heard: SpanState) -> list[LineFailure]:
        """The failures that begin or end with this state, which is said at least once a second."""
        failures = self._failures.get(heard.span)
        if failures is None or heard.lent:
            return []
        changes = failures.update(now, {Alarm(alarm) for alarm in heard.alarms})
        return [LineFailure(span=heard.span, alarm=change.alarm, declared=change.declared,
                            since=heard.at - (now - change.since), at=heard.at) for change in changes]

    def history(self, span: str) -> LineHistory:
        """Of one of `spans`."""
        history, now = self._store.history(span), time.time()
        return LineHistory(quarters=history.quarters(now), days=history.days(now),
                           failures=sorted(self._failures[span].standing))

    def bins(self, span: str, at: float) -> tuple[Bin | None, Bin | None]:
        """Of one of `spans` at a Unix time: the 15 minutes that ended last, and the running day of UTC."""
        history, second = self._store.history(span), int(at)
        return (history.bin(QUARTER_S, (second // QUARTER_S - 1) * QUARTER_S),
                history.bin(DAY_S, second // DAY_S * DAY_S))

    def quarter(self, span: str, at: int) -> Bin | None:
        """One that began at `at` of one of `spans`; no copy: read it at once."""
        return self._store.history(span).bin(QUARTER_S, at)

    async def save(self, now: float) -> None:
        """To the disk when it is time to."""
        if not self._store.due(now):
            return
        saved = await asyncio.to_thread(self._store.save)
        trouble = "" if saved else self._store.trouble or "not saved"
        if trouble != self._trouble:
            log.warning("history of the lines: %s", trouble or "saved again")
            self._trouble = trouble
