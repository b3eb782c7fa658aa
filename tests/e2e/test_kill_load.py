"""A daemon is killed again and again while many callers come and go: none of them is lost."""

import copy
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from appliance.bus.messages import Board, Event, GetContacts
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call, NotSeen
from tests.e2e.calls import new_number
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.spoken import go_on, speak
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S, wait_all_idle

AT_ONCE, KILLS = 10, 4
REBUILT_S = 0.5                                   # the matrix, of a spand that is up
T305_S = 30.0                                     # libpri's: its DISCONNECT may be lost with its link
STRAIGHT_TO_QUEUE = {
    "language": "en", "start": "sales",
    "nodes": {"sales": {"kind": "queue", "queue": "sales", "overflow_s": 60.0, "next": "end"},
              "end": {"kind": "hangup"}},
}

pytestmark = pytest.mark.usefixtures("left_idle")


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
            call.wait_for("RELEASED", T305_S + SOON_S)


@pytest.mark.parametrize("victim", ["acdd", "spand", "bus"])
def test_a_daemon_that_is_killed_at_any_moment_under_load_loses_no_call_and_no_talk(
        box: Rig, victim: str) -> None:
    """Ten at once, some of which come and go while nobody is there; one caller talks all the time."""
    spoken = speak(box, 1)
    box.pbx.answering(Answering(answer_after_s=0.1, hang_up_after_s=0.4))
    dice, away_s = random.Random(1), []
    with Callers(box) as callers:
        for _ in range(KILLS):
            box.bus.wait_event(Board, two_talk, SOON_S, box.bus.mark())
            box.bus.wait_event(Event, lambda _: dice.random() < 0.05, SOON_S, box.bus.mark())
            began_at = box.kill(victim)
            revive(box, victim)
            away_s.append(time.monotonic() - began_at)
            go_on(spoken)
    heard = spoken.holes()
    spoken.caller.hang_up()
    wait_all_idle(box)
    for side in heard:
        assert len(side) == (KILLS if victim == "spand" else 0)
        for hole, start_s in zip(side, away_s, strict=False):
            assert hole.lasted_s < start_s + REBUILT_S
    contacts = [contact for contact in box.bus.ask(GetContacts(limit=500)).contacts
                if contact.calling in {call.calling for call in callers.calls}]
    outcomes = Counter(contact.outcome for contact in contacts)
    print(f"{len(callers.calls)} calls: {outcomes}; talk: {heard}")
    assert Counter(contact.calling for contact in contacts) == Counter(
        call.calling for call in callers.calls)   # one each
    assert all(contact.state == "ended" and contact.ended_at for contact in contacts)
    assert outcomes.keys() == {"answered", "abandoned"}


def two_talk(board: Board) -> bool:
    return sum(contact.state == "talking" for contact in board.contacts) > 1
