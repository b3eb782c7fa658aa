"""What the archive does by time: the oldest recordings to the place, each proved before its row says so."""

import logging
from functools import lru_cache, partial
from pathlib import Path

from sqlalchemy import delete, update

from appliance.config.archive import ArchiveConfig, S3Config
from appliance.errors import ConfigError
from appliance.recording.archive.key import SharedKey
from appliance.recording.archive.outbox import Outbox
from appliance.recording.archive.pace import Pace, Stopped, opens_at
from appliance.recording.archive.place import Place, PlaceError
from appliance.recording.archive.pushing import (
    WARNING,
    Push,
    arrived,
    failed,
    in_flight,
    keep_state,
    next_push,
    unreadable,
)
from appliance.recording.life.rules import EVER
from appliance.recording.life.tables import pushes
from appliance.recording.parts import Parts

EVERY_S = 60.0
SLICE_S = 20.0                                    # then the caller may do other things
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 3600.0

log = logging.getLogger(__name__)


def tend(parts: Parts, now: float) -> float:
    """Push for some seconds; when to come again. Meant for a thread of its own: a part takes its time."""
    config = parts.config.archive
    try:
        place = _place(config, parts.folder)
        shared = SharedKey.read(Path(config.key_file)) if place else None
    except ConfigError as error:
        parts.warn(WARNING, f"nothing is archived: {error}")
        return now + EVERY_S
    if place is None or shared is None:
        parts.warn(WARNING, "")
        return now + EVERY_S
    parts.warn("unreadable", unreadable(parts))
    if isinstance(place, Outbox):
        return _tend_outbox(parts, place, shared, now)
    if (begins := opens_at(config.hours, now)) > now:
        return min(begins, now + 10 * EVERY_S)    # a reload may have changed them by then
    pace = Pace(config.most_kbit_s, parts.stopping)
    while (push := next_push(parts, place.name, shared, now)) is not None:
        try:
            _push(parts, place, push, now, pace)
        except Stopped:
            return now
        except PlaceError as error:
            _s3.cache_clear()                     # the file of its credentials may have changed
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(push.tries, 20))
            failed(parts, push.number, str(error), now + pause_s)
            return now + pause_s
        if parts.now() >= now + SLICE_S:
            return parts.now()
    return now + EVERY_S


def _place(config: ArchiveConfig, folder: Path) -> Place | Outbox | None:
    """Its library is read when the place is used: other boxes need no memory for it."""
    if config.s3 is not None:
        return _s3(config.s3)
    if config.sftp is not None:
        from appliance.recording.archive.sftp import Sftp
        return Sftp(config.sftp)
    return Outbox(folder / "outbox", config.outbox) if config.outbox is not None else None


@lru_cache(maxsize=1)
def _s3(config: S3Config) -> Place:
    """Its client takes a tenth of a second and 12 MB to make: kept until it fails."""
    from appliance.recording.archive.s3 import S3
    return S3(config)


def _push(parts: Parts, place: Place, push: Push, now: float, pace: Pace) -> None:
    try:
        digest = place.push(push.sent, push.state, partial(keep_state, parts, push), pace)
        wanted = push.sent.sha256()
    except FileNotFoundError:
        log.info("%s: was deleted while it was sent", push.recording)
        return
    if digest != wanted:
        keep_state(parts, push, {})
        raise PlaceError(f"{push.sent.name}: {place.name} gives back something else than was sent: it is "
                         "sent anew; look at the server's disk if this comes again")
    arrived(parts, push, place.name, digest, now)


def _tend_outbox(parts: Parts, outbox: Outbox, shared: SharedKey, now: float) -> float:
    """Objects with a receipt are archived and go; new ones come as long as there is room."""
    for push, gone in in_flight(parts, outbox.name, shared):
        if gone:
            outbox.remove(push.sent.name)         # erased since: no copy stays in the box
            with parts.database.write() as connection:
                connection.execute(delete(pushes).where(pushes.c.number == push.number))
        elif (receipt := outbox.receipt(push.sent.name)) is not None:
            if receipt == push.sent.sha256():
                arrived(parts, push, outbox.name, receipt, now)
                outbox.remove(push.sent.name)
            else:
                outbox.refuse(push.sent.name)
                failed(parts, push.number, f"{push.sent.name}: its receipt has another checksum: fetch it "
                       "anew", now + EVERY_S)
    while (new := next_push(parts, outbox.name, shared, now)) and outbox.has_room(new.sent.octets):
        outbox.put(new.sent)
        with parts.database.write() as connection:
            connection.execute(update(pushes).where(pushes.c.number == new.number).values(next_at=EVER))
    return now + EVERY_S
