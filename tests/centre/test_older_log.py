"""What a box of before the routing has on its disk is read, and its calls go on.

older/ holds a log and trunkd's table of that moment, written by that box: callers in the flow, in line,
ringing and talking, calls out, two checkpoints.
"""

import contextlib
import sqlite3
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import pytest

from appliance.bus.messages import CallInfo
from appliance.centre.board import contact_info
from appliance.centre.facts import facts
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.legs import legs
from appliance.centre.projector import ContactProjector
from appliance.store.events import FILE, Entry, EventLog
from tests.centre.office import CENTRE, Office, setup

OLDER = Path(__file__).parent / "older"


def entries() -> list[Entry]:
    lines = (OLDER / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line, type=Entry) for line in lines]


def checkpoints(log: list[Entry]) -> list[int]:
    return [place for place, entry in enumerate(log) if entry.kind == "Checkpoint"]


class Updated(Office):
    """Opens what is on the disk. A queue's contacts may wait for ten minutes now."""

    def __init__(self, log: list[Entry], begin: int) -> None:
        queues = [queue.model_copy(update={"max_wait_s": 600.0}) for queue in CENTRE.queues]
        super().__init__(setup(CENTRE.model_copy(update={"queues": queues})))
        self.ongoing.clear()
        self.take_in(log)
        self.log, self.now = log[begin:], log[-1].at + 1.0
        calls = msgspec.json.decode((OLDER / "calls.json").read_bytes(), type=list[CallInfo])
        self.calls = {call.leg: call for call in calls}
        numbers = count(1000)                     # not those of before
        self.restart(replace(self.setup, new_id=lambda: f"{next(numbers):032x}"))


@pytest.mark.parametrize("begin", [0, *checkpoints(entries())])
def test_calls_go_on(begin: int) -> None:
    office = Updated(entries(), begin)
    contacts = office.engine.state.contacts.values()
    assert [one.record.state for one in contacts] == [
        "talking", "talking", "dialling", "flow", "ringing", "ringing", "queue", "queue", "flow"]
    assert office.states() == {"ann": "ringing", "bo": "ringing", "cy": "talking", "dee": "ready",
                               "eve": "ready"}
    assert all(one.waits_since == one.joined_at for one in contacts if one.waiting)
    assert all(agent.logged_in_at for agent in office.engine.state.agents.values())
    office.answer(office.ringing()["8001"])
    assert office.agent("ann").state == "talking"
    office.pass_time(300.0)
    for leg in list(office.calls):
        if leg in office.calls:
            office.hang_up(leg)
    office.clear()
    office.pass_time(60.0)
    assert set(office.states().values()) == {"ready"}
    assert not office.engine.state.contacts and office.engine.next_deadline() is None
    before = office.engine.state
    office.engine.checkpoint(office.now)
    office.restart()
    assert office.engine.state == before


def test_its_contacts_are_shown_and_counted(tmp_path: Path) -> None:
    before = EventLog(tmp_path / FILE, ContactProjector())
    before.append(entries())
    before.close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as file:       # it had no figures
        for table in ("counts", "intervals", "ongoing"):
            file.execute(f"DROP TABLE {table}")
        file.commit()
    log = EventLog(tmp_path / FILE, ContactProjector(), FigureCounting())
    records, total = log.contacts(0, 100)
    assert total == len(records) == 12
    assert contact_info(records[-1]).outcome == "answered"
    for record in records:
        assert legs(log.legs(record.contact))
        assert facts([*log.legs(record.contact), *log.told(record.contact)]) is not None
    counted = log.counts()
    assert counted["counts"] and counted["intervals"]
    log.rebuild()
    assert (log.contacts(0, 100)[0], log.counts()) == (records, counted)
    log.close()
