"""acdd is killed again and again while many callers come and go: none of them is lost."""

import copy
import random
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from appliance.bus.messages import Board, Event, GetContacts
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call, NotSeen
from tests.e2e.calls import new_number
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import SOON_S, wait_all_idle

AT_ONCE, KILLS = 10, 6
STRAIGHT_TO_QUEUE = {
    "language": "en", "start": "sales",
    "nodes": {"sales": {"kind": "queue", "queue": "sales", "overflow_s": 60.0, "next": "end"},
              "end": {"kind": "hangup"}},
}


@pytest.fixture(scope="module")
def rig_options() -> Mapping[str, Any]:
    """Agents rest no longer than they must."""
    config = copy.deepcopy(CONFIG)
    config["centre"]["queues"][0] |= {
        "agents": ["zhang", "li", "wang"], "wrap_up_s": 0.0, "unavailable_s": 1.0}
    return {"flow": STRAIGHT_TO_QUEUE, "config": config}


class Callers:
    """They ring again and again, each with a patience of its own, until told to stop."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._stop = rig, threading.Event()
        self.calls: list[Call] = []
        self._threads = [threading.Thread(target=self._live, args=(random.Random(seed),))
                         for seed in range(AT_ONCE)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """When all have hung up."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _live(self, dice: random.Random) -> None:
        while not self._stop.is_set():
            call = self._rig.telco.place_call(called="5001", calling=new_number())
            self.calls.append(call)
            try:
                call.answered(dice.uniform(0.1, 3.0))
                call.wait_over(dice.uniform(0.0, 1.0))
            except NotSeen:                       # nobody answers: no more patience
                pass
            call.hang_up()
            call.wait_for("RELEASED", SOON_S)


def test_acdd_killed_at_any_moment_under_load_loses_no_call(rig: Rig) -> None:
    """Ten at once, some of which come and go while nobody is there."""
    rig.pbx.answering(Answering(answer_after_s=0.1, hang_up_after_s=0.4))
    dice = random.Random(1)
    with Callers(rig) as callers:
        for _ in range(KILLS):
            mark = rig.bus.mark()
            rig.bus.wait_event(Board, lambda board: any(
                one.state == "talking" for one in board.contacts), SOON_S, mark)
            rig.bus.wait_event(Event, lambda _: dice.random() < 0.05, SOON_S, rig.bus.mark())
            rig.kill("acdd")
            rig.start("acdd")
    wait_all_idle(rig)
    listed = rig.bus.ask(GetContacts(limit=500))
    calls = {call.calling for call in callers.calls}
    outcomes = Counter(contact.outcome for contact in listed.contacts)
    print(f"{len(callers.calls)} calls: {outcomes}")
    assert len(calls) == len(callers.calls) == rig.telco.statistics.placed
    assert Counter(contact.calling for contact in listed.contacts) == Counter(calls)     # one each
    assert all(contact.state == "ended" and contact.ended_at for contact in listed.contacts)
    assert outcomes.keys() == {"answered", "abandoned"}
