"""How well ticks keep time: counters that only rise. The real-time thread counts, any thread may read."""

STEP_US = 100                                     # of the histograms
STEPS = 300                                       # up to 30 ms; the last one counts all above
LATE_MS = 10.0                                    # later than its deadline by more: a late tick

# A line's clock may be slower than ours by so much of a tick: the deadlines follow it.
_DRIFT = 1.001


class Histogram:
    """Durations in steps of STEP_US."""

    def __init__(self) -> None:
        self.counts = [0] * STEPS
        self.max_us = 0.0

    def add(self, us: float) -> None:
        self.counts[min(int(us) // STEP_US, STEPS - 1)] += 1
        self.max_us = max(self.max_us, us)

    def quantile_ms(self, share: float) -> float:
        """Upper end of the step that this share of all is within; 0 when there was none."""
        counts = self.counts.copy()
        wanted, so_far = share * sum(counts), 0
        for step, count in enumerate(counts):
            so_far += count
            if count and so_far >= wanted:
                return min((step + 1) * STEP_US, self.max_us) / 1000
        return 0.0


class Punctuality:
    """Lateness and work of ticks. A deadline is a tick after the one before, or earlier when that was early,
    and not before the lines had given what it needs. What is made up for after a stall is late, tick by tick.
    """

    def __init__(self, tick_s: float) -> None:
        self.ticks = self.late = 0
        self.lateness, self.work = Histogram(), Histogram()
        self._tick_s = tick_s
        self._deadline = float("inf")

    def tick(self, began: float, ended: float) -> None:
        """A tick's work began and ended so, monotonic seconds."""
        deadline = min(began, self._deadline)
        late_us = (began - deadline) * 1e6
        self.ticks += 1
        self.late += late_us > LATE_MS * 1000
        self.lateness.add(late_us)
        self.work.add((ended - began) * 1e6)
        self._deadline = deadline + self._tick_s * _DRIFT

    def nothing_due(self, now: float) -> None:
        """The lines have not given yet what a tick needs."""
        self._deadline = max(self._deadline, now)
