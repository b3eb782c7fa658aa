"""acdd is killed every few seconds under thirty callers, while agents hold, transfer, pause and come back."""

import copy
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

import pytest

from appliance.bus.client import BusError
from appliance.bus.messages import (
    CancelConsult,
    Consult,
    GetBoard,
    GetContacts,
    Hold,
    LogIn,
    Request,
    Retrieve,
    SetNotReady,
    SetReady,
    Transfer,
)
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call, NotSeen
from tests.e2e.calls import new_number
from tests.e2e.observer import Observer
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S, wait_all_idle

CALLERS = 30
LASTS_S = float(os.environ.get("KILL_LASTS_S", "25"))            # 300 before a release
ALIVE_S = (2.0, 4.0)                              # between two kills
ASK_EVERY_S = 0.1
AGENTS = ("zhang", "li", "wang", "zhao", "qian", "sun")
CLEARED_S = 40.0                                  # T305 of an exchange whose DISCONNECT nobody answered
PAGE = 500                                        # contacts of one question

FLOW = {
    "language": "en", "start": "sales",
    "nodes": {"sales": {"kind": "queue", "queue": "sales", "overflow_s": 600.0, "next": "end"},
              "end": {"kind": "hangup"}}}

pytestmark = pytest.mark.usefixtures("left_idle")


@pytest.fixture(scope="module")
def rig_options() -> Mapping[str, Any]:
    config = copy.deepcopy(CONFIG)
    centre = config["centre"]
    centre["agents"] = [{"name": name, "extension": str(801 + number), "trunk": "pbx"}
                        for number, name in enumerate(AGENTS)]
    centre["queues"] = [{"name": "sales", "agents": list(AGENTS), "position_every_s": 5.0, "ring_s": 4.0,
                         "wrap_up_s": 0.5, "unavailable_s": 1.0}]
    return {"flow": FLOW, "config": config}


class Busy:
    """Threads that do the same again and again until they are stopped."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class Callers(Busy):
    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self._rig = rig
        self.calls: list[Call] = []
        self.threads = [threading.Thread(target=self._live, args=(random.Random(seed),))
                        for seed in range(CALLERS)]

    def _live(self, dice: random.Random) -> None:
        while not self.stopped.is_set():
            call = self._rig.telco.place_call(called="5001", calling=new_number())
            self.calls.append(call)
            try:
                call.answered(dice.uniform(0.2, 8.0))
                call.wait_over(dice.uniform(1.0, 6.0))
            except NotSeen:                       # no more patience
                pass
            call.hang_up()
            call.wait_for("RELEASED", CLEARED_S)


class Desk(Busy):
    """What agents and a supervisor press, whether it fits or not; acdd may be away."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.done = Counter[str]()
        self._bus = Observer(rig.run_dir, "boxd")
        self.threads = [threading.Thread(target=self._work, args=(random.Random(1),))]

    def _work(self, dice: random.Random) -> None:
        with self._bus:
            while not self.stopped.wait(ASK_EVERY_S):
                agent, other = dice.sample(AGENTS, 2)
                asked: Request[Any] = dice.choice([
                    Hold(agent=agent), Retrieve(agent=agent), Consult(agent=agent, to=other),
                    CancelConsult(agent=agent), Transfer(agent=agent), Transfer(agent=agent, to=other),
                    Transfer(agent=agent, to="queue:sales"), SetNotReady(agent=agent),
                    SetReady(agent=agent), SetReady(agent=agent)])
                try:
                    self._bus.ask(asked, 1.0)
                    self.done[type(asked).__name__] += 1
                except BusError:                  # it does not fit now, or nobody is there
                    pass


def test_no_contact_is_lost_and_no_agent_is_stuck(box: Rig) -> None:
    box.pbx.answering(Answering(answer_after_s=0.1, hang_up_after_s=2.0))
    dice, until, kills = random.Random(1), time.monotonic() + LASTS_S, 0
    with Callers(box) as callers, Desk(box) as desk:
        while time.monotonic() < until:
            time.sleep(dice.uniform(*ALIVE_S))    # callers and agents act in threads of their own
            box.kill("acdd")
            revive(box, "acdd")
            kills += 1
    with Observer(box.run_dir, "boxd") as boxd:
        for name in AGENTS:
            boxd.ask(LogIn(agent=name, ready=True))
    wait_all_idle(box)
    placed = Counter(call.calling for call in callers.calls)
    contacts = [one for one in _contacts(box) if one.calling in placed]
    outcomes = Counter(one.outcome for one in contacts)
    print(f"{len(callers.calls)} calls, {kills} kills, done: {dict(desk.done)}, outcomes: {dict(outcomes)}")
    assert Counter(one.calling for one in contacts) == placed    # one each
    assert all(one.state == "ended" and one.ended_at for one in contacts)
    assert outcomes.keys() <= {"answered", "abandoned"}
    assert desk.done.keys() >= {"Hold", "Transfer", "SetNotReady", "SetReady"}
    assert {agent.state for agent in box.bus.ask(GetBoard()).board.agents} == {"ready"}
    assert "must not be" not in box.log("acdd")
    _rebuilt_is_the_same(box)


def _contacts(box: Rig) -> list[Any]:
    found: list[Any] = []
    while len(found) < (page := box.bus.ask(GetContacts(offset=len(found), limit=PAGE), SOON_S)).total:
        found += page.contacts
    return found


def _rebuilt_is_the_same(box: Rig) -> None:
    before = _contacts(box)
    box.kill("acdd")
    rebuild = [sys.executable, "-m", "appliance.launch.cli", "rebuild", "--state-dir", str(box.state_dir)]
    subprocess.run(rebuild, check=True, timeout=120)
    revive(box, "acdd")
    assert _contacts(box) == before
