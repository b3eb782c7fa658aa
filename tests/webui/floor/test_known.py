"""What the floor asks beside the board: nobody who looks waits for what there is an older answer to."""

import threading
from collections.abc import Callable
from typing import Any

from appliance.bus.client import BusError
from appliance.bus.messages import Heartbeat, LegContacts
from webui.floor.known import AFTER_FAILURE_S, STALE, Kept, Known
from webui.mirror import AWAY_S, Mirror

PATIENCE_S = 10.0
FOR_S = 3.0


class Asked:
    """A question whose answers are numbered; each is given when it may be."""

    def __init__(self) -> None:
        self.now, self.asked = 100.0, 0
        self.fails = False
        self.may_answer, self.began = threading.Event(), threading.Event()
        self.may_answer.set()
        self.meanwhile: Callable[[], None] = lambda: None
        self.kept = Kept(self._ask, 0, FOR_S, lambda: self.now)

    def _ask(self) -> int:
        self.asked += 1
        number = self.asked
        self.began.set()
        assert self.may_answer.wait(PATIENCE_S)
        self.meanwhile()
        if self.fails:
            raise BusError("nobody is there")
        return number

    def hold(self) -> None:
        self.began.clear()
        self.may_answer.clear()

    def settle(self) -> None:
        """Returns when nobody asks."""
        self.may_answer.set()
        for thread in threading.enumerate():
            if thread.name == "known":
                thread.join(PATIENCE_S)
                assert not thread.is_alive()


def test_the_first_waits_and_the_next_ones_have_it() -> None:
    one = Asked()
    assert (one.kept.get(), one.kept.get(), one.asked) == (1, 1, 1)
    one.now += FOR_S - 0.1
    assert (one.kept.get(), one.asked) == (1, 1)


def test_an_old_answer_is_asked_for_again_beside_who_gets_it() -> None:
    one = Asked()
    one.kept.get()
    one.now += FOR_S
    one.hold()
    assert one.kept.get() == 1                    # though nobody answers yet
    assert one.began.wait(PATIENCE_S)
    assert (one.kept.get(), one.asked) == (1, 2)  # once for all
    one.settle()
    assert (one.kept.get(), one.asked) == (2, 2)


def test_who_comes_when_nobody_has_for_long_waits_for_a_new_one() -> None:
    one = Asked()
    one.kept.get()
    one.now += FOR_S + STALE * FOR_S
    assert (one.kept.get(), one.asked) == (2, 2)


def test_what_was_asked_before_it_was_forgotten_is_not_kept() -> None:
    one = Asked()
    one.kept.get()
    one.now += FOR_S
    one.meanwhile = one.kept.forget
    one.kept.get()
    one.settle()
    one.meanwhile = lambda: None
    assert (one.kept.get(), one.asked) == (3, 3)


def test_the_old_one_stays_when_nobody_answers() -> None:
    one = Asked()
    one.kept.get()
    one.now += FOR_S
    one.fails = True
    one.kept.get()
    one.settle()
    one.now += AFTER_FAILURE_S - 0.1
    assert (one.kept.get(), one.asked) == (1, 2)
    one.now, one.fails = one.now + 0.1, False
    one.kept.get()
    one.settle()
    assert (one.kept.get(), one.asked) == (3, 3)


class Hung:
    """acdd takes every question and answers none: who asks waits as long as he is ready to."""

    def __init__(self) -> None:
        self.mirror, self.now, self.waited_s = Mirror(0.0), 0.0, 0.0
        self.answers = False

    def ask(self, request: Any, timeout_s: float = 2.0) -> Any:
        if self.answers:
            return LegContacts(contacts={"leg": "c1"})
        self.waited_s += timeout_s
        raise BusError("no answer")


def test_a_hung_acdd_holds_the_pages_of_a_trunk_for_a_moment_once() -> None:
    """One thread makes all live floors and walls: while it waits nobody is told anything."""
    hung = Hung()
    known = Known(hung, lambda: hung.now)
    known.legs()
    assert 0.0 < hung.waited_s < 0.5
    before, hung.now = hung.waited_s, AWAY_S + AFTER_FAILURE_S
    hung.mirror.check(hung.now)
    for _ in range(10):
        known.legs()
        known.crew((f"agent {hung.now}",))
        hung.now += AFTER_FAILURE_S
    assert hung.waited_s == before                # it is known to be away
    hung.answers = True
    up = Heartbeat(daemon="acdd", pid=1, started_at=0.0, at=0.0, rss_octets=0, cpu_s=0.0)
    hung.mirror.hear(up, hung.now)
    assert known.legs() == {"leg": "c1"}
