"""Nodes that give the caller away: transfer, hours; and figures of a flow out of the log."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import Dial, StartRecording
from appliance.centre.turn import Setup
from appliance.config.entry import CalendarConfig
from appliance.config.queues import Overflow, QueueConfig
from tests.centre.flows import CENTRE, load_text
from tests.centre.office import Office

TRANSFER = """\
start: ask
nodes:
  ask: {kind: menu, prompt: menu, digits: {1: ann, 2: outside, 3: back}, default: bye}
  ann: {kind: transfer, agent: ann, ring_s: 60, next: sorry}
  outside: {kind: transfer, trunk: telco, number: "0{called}", ring_s: 20, record: true, next: sorry}
  back: {kind: transfer, trunk: telco, number: "{caller_name}", next: sorry}
  sorry: {kind: play, prompt: sorry, next: bye}
  bye: {kind: hangup}
"""


def office(folder: Path, text: str, **more: Any) -> Office:
    centre = CENTRE.model_copy(update=more)
    numbers = iter(range(1, 10_000))
    flow = load_text(folder, text, [queue.name for queue in centre.queues])
    return Office(Setup.of(centre, {"hotline": flow}, lambda: f"{next(numbers):032x}"))


@pytest.fixture
def transfer(tmp_path: Path) -> Office:
    return office(tmp_path, TRANSFER)


def test_an_agent_is_rung_and_takes_the_caller(transfer: Office) -> None:
    name = transfer.call("c1")
    transfer.press("c1", "1")
    assert transfer.hears("c1") == ["ringback"]
    leg = transfer.ringing()["8001"]
    transfer.alerting(leg)
    assert transfer.agent("ann").state == "ringing"
    transfer.restart()
    transfer.answer(leg)
    contact = transfer.contact(name)
    assert (contact.record.state, contact.record.agent) == ("talking", "ann")
    assert frozenset(("c1", leg)) in transfer.bridged and not transfer.recording
    transfer.pass_time(3600.0)                    # the times of the flow mean nothing now
    transfer.hang_up("c1")
    assert transfer.records[name].outcome == "answered"


@pytest.mark.parametrize("why", ["busy", "refused", "no answer"])
def test_whom_nobody_takes_goes_on(transfer: Office, why: str) -> None:
    name = transfer.call("c1")
    transfer.press("c1", "1")
    leg = transfer.ringing()["8001"]
    if why == "no answer":
        transfer.pass_time(61.0)
    elif why == "busy":
        transfer.hang_up(leg, 17)
    else:
        transfer.clearing(leg, 21)
    assert transfer.hears("c1") == ["zh/sorry"]
    transfer.played("c1")
    transfer.clear()
    assert transfer.records[name].outcome == "answered" and not transfer.calls
    transfer.pass_time(200.0)


def test_a_number_outside_is_dialled_and_recorded(transfer: Office) -> None:
    name = transfer.call("c1")
    transfer.press("c1", "2")
    dial, = [one for one in transfer.tell() if isinstance(one, Dial)]
    assert (dial.trunk, dial.called, dial.calling) == ("telco", "05000", "13800000000")
    transfer.answer(dial.leg)
    assert [one.agent_leg for one in transfer.tell() if isinstance(one, StartRecording)] == [dial.leg]
    transfer.hang_up(dial.leg)
    transfer.clear()
    assert transfer.records[name].outcome == "answered"
    name = transfer.call("c2")
    transfer.press("c2", "2")
    transfer.pass_time(20.0)
    assert transfer.hears("c2") == ["zh/sorry"]
    transfer.hang_up("c2")
    transfer.clear()
    assert (transfer.records[name].outcome, transfer.calls) == ("abandoned", {})


def test_what_is_no_number_is_not_dialled(transfer: Office) -> None:
    transfer.call("c1")
    transfer.press("c1", "3")
    assert transfer.hears("c1") == ["zh/sorry"]


def test_a_caller_may_hang_up_while_it_rings(transfer: Office) -> None:
    name = transfer.call("c1")
    transfer.press("c1", "1")
    transfer.hang_up("c1")
    transfer.clear()
    assert (transfer.records[name].outcome, transfer.agent("ann").state) == ("abandoned", "ready")


def test_hours_are_those_of_the_calendar(tmp_path: Path) -> None:
    calendar = CalendarConfig(name="office", timezone="Asia/Shanghai", hours={"mon-fri": ["09:00-17:30"]})
    found = office(tmp_path, """\
start: when
nodes:
  when: {kind: hours, calendar: office, open: day, closed: night}
  day: {kind: menu, prompt: day, digits: {1: bye}, default: bye}
  night: {kind: play, prompt: night, next: bye}
  bye: {kind: hangup}
""", calendars=[calendar])
    for moment, heard in [("2025-11-17T08:59:59", "zh/night"), ("2025-11-17T09:00:00", "zh/day"),
                          ("2025-11-17T17:30:00", "zh/night"), ("2025-11-22T12:00:00", "zh/night")]:
        found.pass_time(datetime.fromisoformat(f"{moment}+08:00").timestamp() - found.now)
        found.call(moment)
        assert found.hears(moment) == [heard], moment
        found.hang_up(moment)


def test_queues_that_send_each_other_their_callers_keep_them(tmp_path: Path) -> None:
    full = [Overflow(waiting=1)]
    found = office(tmp_path, """\
start: first
nodes:
  first: {kind: queue, queue: sales, overflow_s: 60, next: second}
  second: {kind: queue, queue: service, overflow_s: 60, next: first}
""", queues=[QueueConfig(name=name, agents=["ann"], overflow=full) for name in ("sales", "service")])
    names = [found.call(f"c{number}") for number in range(4)]
    assert [found.records[name].queue for name in names] == ["sales", "service", "sales", "sales"]
    found.pass_time(59.0)
    assert {found.records[name].state for name in names[1:]} == {"queue"}
