"""Does a span's line carry frames? spand's socket and spand's word about the line, with patience.

A line that is down is a failure of the data link to the signalling (Q.931 5.8.9): calls that do not talk end
at once, those that talk when T309 has run out, and no call is placed there. Hence these rules:

- LOS, LOF or AIS count when they have lasted ALARM_FOR_S; layer 2 repeats what a shorter gap swallowed.
- A frame that comes in says that the line is up. spand's word may be an old one, when the bus was away.
- spand may be away for SPAND_AWAY_S. One that was started again by then has cost frames, and layer 2
  repeats them (T200, N200 times 1 s): no call is lost, not even one that rings.
- A D-channel that is cut on a good line is no alarm. Layer 2 finds out and sets the link up again.
"""

ALARM_FOR_S = 1.0
SPAND_AWAY_S = 3.0


class LineWatch:
    """Tell it what happens; is_up() at next_deadline() and after each input says what follows."""

    def __init__(self) -> None:
        self._down_at: float | None = float("-inf")              # the socket's absence counts from then on
        self._alarm_at: float | None = None                      # likewise the alarm

    def connected(self, there: bool, now: float) -> None:
        """The socket to spand came or went. A new spand knows nothing of the line yet."""
        self._down_at = None if there else now + SPAND_AWAY_S
        if there:
            self._alarm_at = None

    def alarm(self, stands: bool, now: float) -> None:
        """spand says whether the line has an alarm that takes it down."""
        if not stands:
            self._alarm_at = None
        elif self._alarm_at is None:
            self._alarm_at = now + ALARM_FOR_S

    def frame(self) -> None:
        """A frame came in."""
        self._alarm_at = None

    def is_up(self, now: float) -> bool:
        return all(at is None or now < at for at in (self._down_at, self._alarm_at))

    def next_deadline(self, now: float) -> float | None:
        """When is_up() may turn False with nothing happening."""
        deadlines = (self._down_at, self._alarm_at)
        return min((at for at in deadlines if at is not None and now < at), default=None)
