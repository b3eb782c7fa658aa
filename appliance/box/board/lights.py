"""What the lights of the front show. `now` in, brightness out.

| light | on | blinks | off |
|---|---|---|---|
| status (green) | ok | degraded | unfit, or boxd is not there |
| fault (red) | unfit | the box stops by itself | otherwise |
| identify (blue) | | somebody looks for the box | otherwise |
"""

BLINK_S = 0.5


class Panel:
    """Before a word of the box's fitness came, it shows unfit."""

    def __init__(self) -> None:
        self.state, self.powering_off = "unfit", False
        self._identify_until = 0.0

    def identify(self, for_s: float, now: float) -> None:
        self._identify_until = now + for_s

    def identifying(self, now: float) -> bool:
        return now < self._identify_until

    def shows(self, now: float) -> dict[str, bool]:
        blink = int(now / BLINK_S) % 2 == 0
        return {
            "status": self.state == "ok" or (self.state == "degraded" and blink),
            "fault": (blink if self.powering_off else self.state == "unfit"),
            "identify": blink and self.identifying(now),
        }

    def blinks(self, now: float) -> bool:
        return self.state == "degraded" or self.powering_off or self.identifying(now)
