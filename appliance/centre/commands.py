"""What people ask of the centre: one row for each request. Answered when its entries are on the disk."""

from collections.abc import Callable
from typing import Any

from appliance.bus.messages import Reply, Request, TraceBegun, TraceCaller
from appliance.centre import told
from appliance.centre.turn import Turn


def _trace(turn: Turn, request: TraceCaller) -> TraceBegun:
    return TraceBegun(contact=told.trace(turn, request.name, request.by))


# A command that cannot be raises StateError before it has changed anything: who, why not, what to do.
COMMANDS: dict[type[Request[Any]], Callable[[Turn, Any], Reply]] = {
    TraceCaller: _trace,
}
