"""RTP legs: which leg has which row of them, and what the real-time thread is ordered to do with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.bus.client import Refused
from appliance.media.rtp.settings import LegSettings
from appliance.span.rtp import ChangeLeg, CloseLeg, OpenLeg, Ports, RtpOrder, SendEvents


@dataclass(slots=True)
class _Open:
    name: str
    local_port: int
    settings: LegSettings


class RtpRows:
    """Rows 0 to `rows` - 1, which are the box's ports from `first` on. `sockets` None: there are none."""

    def __init__(self, first: int, rows: int, sockets: Ports | None) -> None:
        self._first, self._rows, self._sockets = first, rows, sockets
        self._open: dict[int, _Open] = {}         # by row
        self.orders: list[RtpOrder] = []

    def __len__(self) -> int:
        return len(self._open)

    def legs(self) -> Iterator[tuple[int, str]]:
        """Rows and whose they are."""
        return ((row, leg.name) for row, leg in self._open.items())

    def leg(self, row: int) -> str:
        """Whose row it is; empty: nobody's."""
        return self._open[row].name if row in self._open else ""

    def open(self, name: str, local_port: int, settings: LegSettings) -> tuple[int, int]:
        """(port of the box, local UDP port) of a new RTP leg. Refused: none is free."""
        if self._sockets is None or not self._rows:
            raise Refused("this box has no RTP legs: give media.rtp a range of ports")
        row = next((row for row in range(self._rows) if row not in self._open), None)
        if row is None:
            raise Refused(f"all {self._rows} RTP legs are in use")
        self._check(settings)
        try:
            taken = self._sockets.take(local_port)
        except OSError as error:
            wanted = f"port {local_port}" if local_port else "a port for RTP"
            raise Refused(f"{wanted}: {error.strerror or error}") from None
        self._open[row] = _Open(name, taken.port, settings)
        self.orders.append(OpenLeg(row, taken, settings))
        return self._first + row, taken.port

    def change(self, port: int, settings: LegSettings, relatch: bool = False) -> int:
        """Its local UDP port. Refused: that port of the box is no RTP leg."""
        leg = self._at(port)
        if leg is None:
            raise Refused("the leg is bound to a timeslot, it is no RTP leg")
        self._check(settings)
        if leg.settings != settings or relatch:
            leg.settings = settings
            self.orders.append(ChangeLeg(port - self._first, settings, relatch))
        return leg.local_port

    def close(self, port: int) -> None:
        """Nothing when that port is a timeslot."""
        if self._at(port) is not None:
            del self._open[port - self._first]
            self.orders.append(CloseLeg(port - self._first))

    def tells_digits(self, port: int) -> bool:
        """RFC 4733 is agreed there."""
        leg = self._at(port)
        return leg is not None and leg.settings.event_payload is not None

    def send_events(self, port: int, digits: str, on_ms: int, off_ms: int) -> None:
        self.orders.append(SendEvents(port - self._first, digits, on_ms, off_ms))

    def _check(self, settings: LegSettings) -> None:
        for remote in (settings.remote, settings.remote_rtcp):
            if remote is not None and self._sockets is not None and not self._sockets.reach(remote[0]):
                raise Refused(f"remote {remote[0]}: media.rtp has an address of the other IP version")

    def _at(self, port: int) -> _Open | None:
        return self._open.get(port - self._first)
