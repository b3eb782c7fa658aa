"""The dry contact for the site's alarm panel: made while all is well, so that a card without power alarms."""

from firmware.linecard.hal import since_ms

try:
    from firmware.linecard.hal import Pin
except ImportError:                               # MicroPython: annotations are not looked at
    pass

LEAST_MS = 3_000                                  # an alarm lasts so long: panels look seldom


class Contact:
    """`alarm`: it is open. So it is after a start until all is well."""

    def __init__(self, pin: "Pin", now_ms: int) -> None:
        self._pin, self._at_ms = pin, now_ms
        self.alarm = True
        pin(False)

    def poll(self, alarm: bool, now_ms: int) -> None:
        if alarm:
            self._at_ms = now_ms
        if alarm or since_ms(now_ms, self._at_ms) >= LEAST_MS:
            if alarm != self.alarm:
                self.alarm = alarm
                self._pin(not alarm)
