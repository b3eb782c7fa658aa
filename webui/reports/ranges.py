"""Whose figures somebody may see: of queues, agents and trunks within his range."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import abort
from flask_login import current_user

from webui.access.doors import Subject, floor, need, range_of
from webui.reports.choice import ALL

LIMITS = {"queue": "queues", "agent": "agents", "trunk": "trunks"}


def only(kind: str) -> Sequence[str] | None:
    """The names whose figures may be seen; None: all, and all together.

    A node is of no queue, agent or trunk: who has any limit sees none.
    """
    within = range_of(current_user)
    if kind not in LIMITS:
        return [] if within.limited else None
    limit = getattr(within, LIMITS[kind])
    return None if limit is None else sorted(limit)


def check(kind: str, names: Iterable[str]) -> None:
    """Ends in 404 for a name outside of the range, and for all together of who has one."""
    limited = only(kind) is not None
    for name in names:
        if limited and (name == ALL or kind not in LIMITS):
            abort(404)
        if kind in LIMITS and name != ALL:
            subject: dict[str, Any] = {kind: name}
            need("report", of=Subject(**subject))


def known(kind: str) -> list[str]:
    """The names there are at this moment; nodes of flows are known by their figures only."""
    there = floor()
    if kind == "trunk":
        return sorted({channel.trunk for channel in there.channels.values()})
    if there.board is None:
        return []
    if kind == "queue":
        return sorted(one.name for one in there.board.queues)
    return sorted(one.name for one in there.board.agents) if kind == "agent" else []
