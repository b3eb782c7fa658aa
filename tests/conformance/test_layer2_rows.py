"""The layer-2 purposes prove every cell of the table, and each of them can fail: a link with one fault is
caught by a row, whatever the fault, and each row catches one, not by its preamble nor only by its last state.
"""
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest

from appliance.errors import DecodeError, StateError
from appliance.isdn.lapd import Frame, FrameError, FrameKind, Side, decode
from appliance.isdn.q921 import TABLE, On, State, connection
from appliance.isdn.q921 import link as link_module
from appliance.isdn.q921.entity import Entity
from tests.conformance import layer2
from tests.conformance.purposes import Failed, Purpose, load

ROWS = load("layer2_*.txt")
CANNOT_HAPPEN = {                                 # nothing waits, or the timer does not run
    (State.TEI_ASSIGNED, On.QUEUED), (State.AWAITING_RELEASE, On.QUEUED),
    (State.TEI_ASSIGNED, On.ACKNOWLEDGE), (State.AWAITING_ESTABLISHMENT, On.ACKNOWLEDGE),
    (State.AWAITING_RELEASE, On.ACKNOWLEDGE), (State.TEI_ASSIGNED, On.T200),
    (State.TEI_ASSIGNED, On.T203), (State.AWAITING_ESTABLISHMENT, On.T203),
    (State.AWAITING_RELEASE, On.T203), (State.TIMER_RECOVERY, On.T203),
}
Cell = Callable[[Entity], None]
Fault = Callable[[], AbstractContextManager[None]]


def caught_by(purpose: Purpose) -> bool:
    try:
        layer2.run(purpose, purpose.sides[0])
    except (Failed, StateError, IndexError):
        return True
    return False


def disturb(link: Entity) -> None:
    link.send(Frame(FrameKind.DM, command=False))


def faulty_cell(state: State, on: On, cell: Cell) -> Fault:
    @contextmanager
    def fault() -> Iterator[None]:
        right = TABLE[state][on]
        TABLE[state][on] = cell
        try:
            yield
        finally:
            TABLE[state][on] = right
    return fault


def faulty_decoder(wrong: Callable[[bytes, Side], Frame]) -> Fault:
    @contextmanager
    def fault() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(link_module, "decode", wrong)
            yield
    return fault


def blind_to_addresses(octets: bytes, sender: Side) -> Frame:
    return replace(decode(octets, sender), sapi=0, tei=0)


def trusting(octets: bytes, sender: Side) -> Frame:
    """Takes what is no frame for a command."""
    try:
        return decode(octets, sender)
    except FrameError:
        raise
    except DecodeError:
        return Frame(FrameKind.DISC, command=True, pf=True)


FAULTS: dict[str, Fault] = {}
for state in State:
    for on in On:
        if (state, on) not in CANNOT_HAPPEN:
            FAULTS[f"{state.name}, {on.value}: a frame too many"] = faulty_cell(state, on, disturb)
            if TABLE[state][on] is not connection.ignore:
                FAULTS[f"{state.name}, {on.value}: not done"] = faulty_cell(state, on, connection.ignore)
FAULTS["addresses"] = faulty_decoder(blind_to_addresses)
FAULTS["invalid frames"] = faulty_decoder(trusting)


def test_there_are_rows_enough_for_each_side() -> None:
    for side in Side:
        assert sum(side in purpose.sides for purpose in ROWS) >= 120


def without_check(purpose: Purpose) -> Purpose:
    """Without its last step when that only finds out the state."""
    steps = purpose.steps[:-1] if purpose.steps[-1].startswith("state ") else purpose.steps
    return replace(purpose, steps=steps)


def test_every_fault_is_caught_and_every_row_catches_one() -> None:
    assert not [purpose.id for purpose in ROWS if caught_by(purpose)]
    preambles = {row.state: replace(row, steps=("wait 0",)) for row in ROWS}
    idle = {row.id for row in ROWS}               # rows that caught nothing yet
    for name, fault in FAULTS.items():
        with fault():
            whole = {state for state, row in preambles.items() if not caught_by(row)}
            able = [row for row in ROWS if row.state in whole]
            assert any(caught_by(row) for row in able), f"no row proves what happens: {name}"
            idle -= {row.id for row in able if row.id in idle and caught_by(without_check(row))}
    assert not idle
