"""The layer-3 purposes are worth something: a call whose table has one faulty cell is caught by a row, and
each row can fail by what happens after its preamble.
"""
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.isdn.call import errors, table
from appliance.isdn.call.call import Call
from appliance.isdn.call.snapshot import KEPT
from appliance.isdn.call.states import REQUESTS, On, State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import CallState, Cause
from appliance.isdn.q931 import Message, MessageType
from tests.conformance import layer3
from tests.conformance.purposes import Failed, Purpose, load
from tests.conformance.report import known

Cell = tuple[State, MessageType | On]
M = MessageType
ALL_ROWS = load("layer3_*.txt")
ROWS = [row for row in ALL_ROWS if row.id not in known()]
IGNORING = (errors.pass_by, errors.ignore)
STRANGE = 111                                     # a cause that no row expects
OTHER_PROTOCOL = {M.SERVICE, M.SERVICE_ACKNOWLEDGE, M.NI_SERVICE, M.NI_SERVICE_ACKNOWLEDGE}
# the Recommendation lets us act or not; SEGMENT is put together before it comes to a call
OPTIONAL = {M.SEGMENT, M.FACILITY, M.USER_INFORMATION, M.CONGESTION_CONTROL, M.NOTIFY, On.LINK_RESET}
OPTIONAL_CELLS: set[Cell] = {(State.ACTIVE, M.PROGRESS), (State.DISCONNECTED, M.INFORMATION),
                             (State.RELEASING, On.LINK_BACK), (State.DISCONNECTED, On.T306),
                             (State.PRESENT, On.T322)}
NEVER: set[Cell] = {                              # another timer runs out first
    (State.CONNECT_REQUEST, On.T322), (State.INITIATED, On.T322),
    # calls of the process before this one: tests/isdn/test_recovery.py
    *((state, on) for state in KEPT if state is not State.ACTIVE for on in (On.LINK_BACK, On.T309))}
DEAF = {On.LINK_LOST, On.T309}                    # what is said then cannot be heard


class Noting(dict[Any, Any]):
    """A table that notes which cells are used."""

    def __init__(self, cells: dict[Any, Any], used: set[Cell]) -> None:
        super().__init__(cells)
        self._used = used

    def __getitem__(self, cell: Cell) -> Any:
        self._used.add(cell)
        return super().__getitem__(cell)


def fails(row: Purpose, spoil: Callable[[Signalling], None] = lambda iut: None) -> bool:
    for side in row.sides:
        try:
            layer3.run(row, side, spoil)
        except Failed:
            return True
    return False


@pytest.fixture(scope="module", autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)             # a hundred thousand lines of faulty calls
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def users() -> dict[Cell, list[Purpose]]:
    """Each cell: the rows that use it."""
    found: dict[Cell, list[Purpose]] = defaultdict(list)
    for row in ALL_ROWS:
        used: set[Cell] = set()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(table, "MESSAGES", Noting(table.MESSAGES, used))
            patch.setattr(table, "EVENTS", Noting(table.EVENTS, used))
            fails(row)
        for cell in used:
            found[cell].append(row)
    return found


def test_every_cell_is_used(users: dict[Cell, list[Purpose]]) -> None:
    # timers of other states, and requests that cannot be or say nothing, do nothing that can be heard
    cells: set[Cell] = {cell for cell, handler in table.EVENTS.items()
                        if handler not in IGNORING and cell[1] not in REQUESTS}
    cells |= {cell for cell in table.MESSAGES if cell[1] not in OTHER_PROTOCOL}
    assert not cells - users.keys() - NEVER


def test_every_faulty_cell_is_caught(users: dict[Cell, list[Purpose]]) -> None:
    def louder(right: Callable[..., None]) -> Callable[..., None]:
        def handler(call: Call, *more: Any) -> None:
            right(call, *more)
            call.say(M.STATUS, more[-1], call.cause(STRANGE), call.status)
        return handler

    missed, known_ids = [], known()
    for cell, all_rows in users.items():
        rows = [row for row in all_rows if row.id not in known_ids]
        cells: dict[Any, Any] = table.MESSAGES if cell in table.MESSAGES else table.EVENTS
        right = cells[cell]
        faults = {"not done": errors.pass_by if cells is table.MESSAGES else errors.ignore,
                  "a message too many": louder(right)}
        if right in IGNORING or cell[1] in OPTIONAL or cell in OPTIONAL_CELLS:
            del faults["not done"]
        if cell[1] in DEAF:
            del faults["a message too many"]
        for name, faulty in faults.items():
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(cells, cell, faulty)
                if rows and not any(map(fails, rows)):
                    missed.append((*cell, name))
    assert not missed


def strange(iut: Signalling, now: float) -> None:
    iut.send(Message(M.STATUS, 0x7FFF, True, (Cause(STRANGE), CallState(0))), now)


def deaf(iut: Signalling) -> None:
    iut.receive = lambda info, now: None          # type: ignore[method-assign]


def dead(iut: Signalling) -> None:
    iut.receive_frame = lambda octets, now: None  # type: ignore[method-assign]
    iut.take_frames = list                        # type: ignore[method-assign]


def loud(iut: Signalling) -> None:
    """Says something with each message that it hears."""
    receive = iut.receive

    def receive_and_speak(info: bytes, now: float) -> None:
        receive(info, now)
        strange(iut, now)

    iut.receive = receive_and_speak               # type: ignore[method-assign]


def unasked(turns: int) -> Callable[[Signalling], None]:
    """Says something once, so many turns later."""
    def fault(iut: Signalling) -> None:
        take_frames, left = iut.take_frames, iter(range(turns))

        def take_frames_and_speak() -> list[bytes]:
            if next(left, None) == turns - 1:
                strange(iut, 0.0)
            return take_frames()

        iut.take_frames = take_frames_and_speak   # type: ignore[method-assign]
    return fault


def without_checks(row: Purpose) -> Purpose:
    """Without the closing steps that only find out the state."""
    steps = list(row.steps)
    while steps[-1].startswith(("state ", "free ", "taken ")) and len(steps) > 1:
        steps.pop()
    return replace(row, steps=tuple(steps))


def test_every_row_can_fail_after_its_preamble() -> None:
    faults = (deaf, dead, loud, unasked(1), unasked(2), unasked(3))
    assert not [row.id for row in ROWS if not any(fails(without_checks(row), fault) for fault in faults)]
