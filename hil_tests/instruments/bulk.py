"""Many calls and what they cost: offered at a steady rate, never more than so many at once."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hil_tests.instruments.call import Call, CallEvent
from hil_tests.instruments.line import InstrumentError

if TYPE_CHECKING:
    from hil_tests.instruments.exchange import SoftwareExchange

NO_ANSWER = 19                                    # Q.850
PROGRESS_S = 0.2


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one delay, in milliseconds; NaN when there was none."""

    p50_ms: float
    p90_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Percentiles":
        if not seconds:
            return cls(float("nan"), float("nan"), float("nan"))
        return cls(*(float(one) * 1000 for one in np.percentile(seconds, [50, 90, 99])))


@dataclass(frozen=True, slots=True)
class BulkResult:
    calls: int
    answered: int
    failed: dict[int, int]                        # cause -> calls that were never answered
    most_at_once: int
    seconds: float                                # first SETUP to last release
    calls_per_s: float
    setup_to_proceeding: Percentiles              # or whatever came first
    setup_to_connect: Percentiles
    release: Percentiles                          # DISCONNECT to the end

    def table(self) -> str:
        """For people."""
        failed = ", ".join(f"{count} x cause {cause}" for cause, count in sorted(self.failed.items()))
        rows = [
            ("SETUP to first response", self.setup_to_proceeding),
            ("SETUP to CONNECT", self.setup_to_connect),
            ("release", self.release),
        ]
        return "\n".join([
            f"{self.calls} calls in {self.seconds:.1f} s, {self.calls_per_s:.1f}/s, "
            f"at most {self.most_at_once} at once",
            f"answered {self.answered}, failed {failed or 'none'}",
            f"{'':24}{'p50':>10}{'p90':>10}{'p99':>10}  ms",
            *(f"{name:24}{row.p50_ms:10.1f}{row.p90_ms:10.1f}{row.p99_ms:10.1f}" for name, row in rows)])


class Bulk:
    """One run. All but run() happens in the line's thread."""

    def __init__(self, exchange: "SoftwareExchange", calls: int, at_once: int, per_s: float, called: str,
                 calling: str, hold_s: float, answer_within_s: float) -> None:
        self._exchange = exchange
        self._wanted, self._at_once, self._per_s = calls, at_once, per_s
        self._called, self._calling = called, calling
        self._hold_s, self._answer_within_s = hold_s, answer_within_s
        self._calls: list[Call] = []
        self._alive = self._over = self._answered = self._most = 0
        self._failed: Counter[int] = Counter()
        self._waiting = False                     # an offer is due and there is no room
        self._began_at = 0.0
        self._done = threading.Event()
        self._error: Exception | None = None

    def run(self, progress: Callable[[int, int], None] | None) -> BulkResult:
        self._began_at = time.monotonic()
        self._exchange.line.tell(self._offer)
        while not self._done.wait(PROGRESS_S):
            if self._exchange.broken:
                raise InstrumentError(f"the line is gone: {self._exchange.broken}")
            if progress:
                progress(self._over, self._answered)
        if self._error:
            raise self._error
        if progress:
            progress(self._over, self._answered)
        return self._result()

    def _offer(self) -> None:
        if self._alive >= self._at_once:
            self._waiting = True
            return
        try:
            call = self._exchange.place_call(self._called, self._calling)
        except InstrumentError as error:
            self._error = error
            self._done.set()
            return
        self._calls.append(call)
        self._alive += 1
        self._most = max(self._most, self._alive)
        call.listen(self._on_event)
        self._exchange.line.after(self._answer_within_s, lambda: self._give_up(call))
        if len(self._calls) < self._wanted:
            due_at = self._began_at + len(self._calls) / self._per_s
            self._exchange.line.after(max(0.0, due_at - time.monotonic()), self._offer)

    def _on_event(self, call: Call, event: CallEvent) -> None:
        if event.name == "CONNECT":
            self._answered += 1
            if self._hold_s:
                self._exchange.line.after(self._hold_s, call.hang_up)
            else:
                call.hang_up()
        elif event.name == "RELEASED":
            if not call.event("CONNECT"):
                self._failed[call.cause or 0] += 1
            self._alive -= 1
            self._over += 1
            if self._over == self._wanted:
                self._done.set()
            elif self._waiting:
                self._waiting = False
                self._offer()

    def _give_up(self, call: Call) -> None:
        if call.state != "released" and not call.event("CONNECT"):
            call.hang_up(NO_ANSWER)

    def _result(self) -> BulkResult:
        first_at = min(call.setup_at for call in self._calls)
        last_at = max(call.events[-1].at for call in self._calls)
        firsts, connects, releases = [], [], []
        for call in self._calls:
            responses = [event for event in call.events if event.name != "RELEASED"]
            firsts += [responses[0].at - call.setup_at] if responses else []
            if connect := call.event("CONNECT"):
                connects.append(connect.at - call.setup_at)
                if call.hung_up_at and call.cleared_by == "near":
                    releases.append(call.events[-1].at - call.hung_up_at)
        return BulkResult(
            self._wanted, self._answered, dict(self._failed), self._most, last_at - first_at,
            self._wanted / max(last_at - first_at, 1e-9), Percentiles.of(firsts), Percentiles.of(connects),
            Percentiles.of(releases))
