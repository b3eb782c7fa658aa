"""What a topic shows of the box at one moment, and the message from one moment to the next. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from webui.access.ranges import Range
from webui.alerts.store import Alert
from webui.api.live.shapes import (
    AlertsTold,
    BoardTold,
    ContactsTold,
    LinesTold,
    NoticesTold,
    NoticeView,
    Told,
)
from webui.api.shapes import AlertInfo, LineView
from webui.mirror import Floor
from webui.notices.store import Notice

Items = Mapping[str, Mapping[Any, Any]]           # section -> key -> shape


@dataclass(frozen=True, slots=True)
class Moment:
    """`floor`: narrowed to the range; `alerts`: those within it."""

    floor: Floor
    within: Range
    notices: tuple[Notice, ...]
    alerts: tuple[Alert, ...]


def _board(now: Moment) -> Items:
    board = now.floor.board
    return {"queues": {one.name: one for one in board.queues} if board else {},
            "agents": {one.name: one for one in board.agents} if board else {}}


def _contacts(now: Moment) -> Items:
    board = now.floor.board
    return {"contacts": {one.contact: one for one in board.contacts if one.state != "ended"} if board else {}}


def _lines(now: Moment) -> Items:
    return {"lines": {one.span: line(one) for one in now.floor.spans.values()}}


def line(one: Any) -> LineView:
    return LineView(name=one.span, up=one.up, alarms=one.alarms, counters=one.counters, clock=one.clock,
                    crc4=one.crc4, level_db=one.level_db, lent=one.lent)


def _notices(now: Moment) -> Items:
    return {"notices": {one.number: NoticeView(
        number=one.number, by=one.by, text=one.text, urgency=one.urgency, colour=one.colour, since=one.since,
        until=one.until) for one in now.notices if one.audience.everybody or not now.within.limited}}


def _alerts(now: Moment) -> Items:
    return {"alerts": {one.number: AlertInfo(
        number=one.number, rule=one.name, severity=one.severity, text=one.text, value=one.value,
        raised_at=one.raised_at, seen_by=one.seen_by, seen_at=one.seen_at or 0.0) for one in now.alerts}}


_READ: dict[str, tuple[Callable[[Moment], Items], type[Told]]] = {
    "board": (_board, BoardTold), "contacts": (_contacts, ContactsTold), "lines": (_lines, LinesTold),
    "notices": (_notices, NoticesTold), "alerts": (_alerts, AlertsTold)}


def read(topic: str, now: Moment) -> Items:
    return _READ[topic][0](now)


def snapshot(topic: str, items: Items, seq: int, at: float) -> bytes:
    return _said(topic, "snapshot", items, {name: [] for name in items}, seq, at)


def change(topic: str, before: Items, after: Items, seq: int, at: float) -> bytes:
    """b"": nothing is other than before."""
    fresh = {name: {key: one for key, one in after[name].items() if before[name].get(key) != one}
             for name in after}
    gone = {name: [key for key in before[name] if key not in after[name]] for name in after}
    if not any(fresh.values()) and not any(gone.values()):
        return b""
    return _said(topic, "change", fresh, gone, seq, at)


def _said(topic: str, kind: str, items: Items, gone: Mapping[str, list[Any]], seq: int, at: float) -> bytes:
    alone = len(items) == 1
    fields: dict[str, Any] = {name: list(found.values()) for name, found in items.items()}
    fields |= {"gone" if alone else f"gone_{name}": names for name, names in gone.items()}
    return msgspec.json.encode(_READ[topic][1](kind=kind, seq=seq, at=at, **fields))  # type: ignore[arg-type]
