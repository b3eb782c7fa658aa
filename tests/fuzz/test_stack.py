"""The targets that fuzz a live stack see when it does what no procedure has."""

from collections.abc import Callable
from typing import Any

import pytest

from appliance.isdn.call import clearing, errors, table
from appliance.isdn.call.states import State as CallState
from appliance.isdn.q921 import TABLE, On, State
from appliance.isdn.q921.entity import NEVER, Entity
from appliance.isdn.q931 import MessageType
from tests.fuzz import link, signalling


def all_of(corpus: list[bytes], fuzz: Callable[[bytes], None]) -> None:
    for data in corpus:
        fuzz(data)


@pytest.mark.parametrize(("cell", "instead"), [
    ((CallState.ACTIVE, MessageType.ALERTING), errors.pass_by),              # 5.8.4: STATUS
    ((CallState.DELIVERED, MessageType.NOTIFY), clearing.ended),             # it changes no state
    ((CallState.NULL, MessageType.CONNECT), errors.pass_by),                 # 5.8.3.2 a)
    ((CallState.DISCONNECTING, MessageType.RELEASE), clearing.disconnected),
    ((CallState.RELEASING, MessageType.RELEASE_COMPLETE), errors.pass_by),   # 5.3.4: over
], ids=["unexpected", "notify ends it", "unknown", "release twice", "never over"])
def test_a_wrong_cell_of_a_call_is_found(
        cell: tuple[CallState, MessageType], instead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.MESSAGES, cell, instead)
    with pytest.raises(AssertionError):
        all_of(signalling.corpus(), signalling.fuzz)


def no_timer(entity: Entity) -> None:
    entity.go(State.AWAITING_ESTABLISHMENT)
    entity.t200_at = NEVER


@pytest.mark.parametrize(("state", "on"), [(State.MULTIPLE_FRAME, On.FRMR), (State.TIMER_RECOVERY, On.T200)])
def test_a_link_that_waits_for_ever_is_found(state: State, on: On, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE[state], on, no_timer)
    with pytest.raises(AssertionError):
        all_of(link.corpus(), link.fuzz)
