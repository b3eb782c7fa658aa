"""The box's disk: what takes how much, how worn it is, when it is full, what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    GetPurgeForecast,
    GetSpace,
    GetStorage,
    Request,
    SpaceInfo,
    StorageState,
)
from appliance.bus.messages.storage import USES
from webui.access.doors import need, needs
from webui.parts import parts

bp = Blueprint("box_storage", __name__, url_prefix="/box/storage")

ASK_S, LOOK_S = 15.0, 60.0
WIDTH, HEIGHT, GAP = 1000.0, 34.0, 2.0
SOON_S = 30 * 86_400.0
LITTLE = 0.1                                      # of the disk


@dataclass(frozen=True, slots=True)
class Piece:
    """Of the bar: a use, or free."""

    name: str
    octets: int
    share: float
    x: float
    width: float


@bp.get("/")
@needs("box")
def index() -> Any:
    by, disk, space = need("box"), _ask(GetStorage()), _ask(GetSpace())
    wanted = "forecast" in request.args           # all recordings are looked at for it
    return render_template(
        "system/storage.html", disk=disk, space=space, wanted=wanted,
        forecast=_ask(GetPurgeForecast(by=by), LOOK_S) if wanted else None,
        pieces=bar(disk, space) if disk else [], advice=list(advice(disk, space)) if disk else [],
        box={"WIDTH": WIDTH, "HEIGHT": HEIGHT})


def bar(disk: StorageState, space: SpaceInfo | None) -> list[Piece]:
    """What each use takes, then what is free; recordd knows best what is its own."""
    uses = dict(disk.uses)
    if space is not None and space.recordings + space.journal + space.outbox > uses.get("recordings", 0):
        more = min(space.recordings + space.journal + space.outbox - uses.get("recordings", 0),
                   uses.get("others", 0))
        uses["recordings"] = uses.get("recordings", 0) + more
        uses["others"] = uses.get("others", 0) - more
    found, x = [], 0.0
    total = max(1, disk.total)
    reserved = max(0, disk.total - disk.free - sum(uses.values()))   # the file system keeps it for root
    named = [*((use, uses.get(use, 0)) for use in USES), ("reserved", reserved), ("free", disk.free)]
    for name, octets in named:
        if octets <= 0 and name != "free":
            continue
        width = octets / total * WIDTH
        found.append(Piece(name, octets, octets / total, round(x, 2), round(max(width - GAP, 0.5), 2)))
        x += width
    return found


def advice(disk: StorageState, space: SpaceInfo | None) -> Iterator[tuple[str, LazyString]]:
    """Tone and what to do, the worst first."""
    if disk.read_only:
        yield "bad", _l("The disk can only be read: the kernel found its file system damaged, or the disk is "
                        "worn out. Make a backup now, restart the box once; if it comes back, replace the "
                        "disk.")
    if disk.trouble:
        yield "bad", _l("Nothing can be written: look at the reason above; calls go on, nothing new is kept.")
    if any(one.wear == "urgent" or one.trouble for one in disk.devices):
        yield "bad", _l("The storage is at the end of its life: make a backup now and replace it.")
    elif any(one.wear == "worn" for one in disk.devices):
        yield "warn", _l("The storage has most of its life behind it: plan its replacement.")
    if disk.errors:
        yield "warn", _l("The file system has counted errors: have it checked at the next start.")
    if disk.total and disk.free < LITTLE * disk.total:
        yield "bad", _l("Little room is left: shorten how long recordings are kept, or archive them "
                        "elsewhere.")
    elif disk.full_at and disk.full_at < disk.at + SOON_S:
        yield "warn", _l("The disk is full within a month if it goes on so: shorten how long recordings are "
                         "kept, or archive them elsewhere.")
    if space is not None and space.archive_error:
        yield "warn", _l("Recordings are not archived at this moment, so none of those can be removed.")


def _ask(asked: Request[Any], timeout_s: float = ASK_S) -> Any:
    """None: who knows it is away, or does not say."""
    try:
        return parts().exchange.ask(asked, timeout_s)
    except (BusError, Refused):
        return None
