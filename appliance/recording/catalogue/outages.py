"""When spand, which writes the record ring, was away: calls of then are not recorded, and it is known."""

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import SQLAlchemyError

from appliance.bus.messages import DaemonUp, Event, Heartbeat
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.checking import Outage
from appliance.recording.catalogue.schema import outages
from appliance.recording.parts import Parts

KEEP_EVERY_S = 60.0                               # a power cut of the box is noted as exactly as this

_KEY = "spand"                                    # when it began, and when it was heard last


def after(began_at: float, heard_at: float, now_began_at: float) -> Outage | None:
    """Between the spand that was heard last and this one; None: it is the same. Pure."""
    if not began_at or now_began_at == began_at:
        return None
    return Outage(heard_at, max(heard_at, now_began_at), "spand, which writes it, was started anew")


class SpandWatch:
    """`hear` is for one thread at a time."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        try:
            with self._database.read() as connection:
                began_at, _, heard_at = rows.remembered(connection, _KEY).partition(" ")
        except SQLAlchemyError:                   # damaged, of which others tell
            began_at, heard_at = "", ""
        self._began_at, self._heard_at = float(began_at or 0), float(heard_at or 0)
        self._kept_at = 0.0

    def hear(self, event: Event, now: float) -> None:
        """Of spand's."""
        if not isinstance(event, DaemonUp | Heartbeat):
            return
        outage = after(self._began_at, self._heard_at, event.started_at)
        if outage is not None or now - self._kept_at >= KEEP_EVERY_S:
            try:
                with self._database.write() as connection:
                    rows.remember(connection, _KEY, f"{event.started_at!r} {now!r}")
                    if outage is not None:
                        note(connection, outage)
            except SQLAlchemyError:               # a full disk, of which others tell: at the next heartbeat
                return
            self._kept_at = now
        self._began_at, self._heard_at = event.started_at, now


def note(connection: Connection, outage: Outage) -> None:
    connection.execute(delete(outages).where(outages.c.began_at == outage.began_at))
    connection.execute(insert(outages).values(
        began_at=outage.began_at, ended_at=outage.ended_at, why=outage.why))
