"""Which clock the card's buses go by, in virtual time."""

import pytest

from firmware.linecard.clock import RETURN_MS, Clock
from firmware.linecard.hal import HOLD, OWN

TURN_MS = 10
WRAP_MS = 1 << 30


class Line:
    """The one thing of a framer that the clock asks."""

    def __init__(self) -> None:
        self.good = False

    def clock_ok(self) -> bool:
        return self.good


class Rig:
    def __init__(self, spans: int, now_ms: int = 0) -> None:
        self.lines = [Line() for _ in range(spans)]
        self.now_ms = now_ms
        self.chosen: list[int] = []
        self.clock = Clock(self.lines, self.chosen.append)        # type: ignore[arg-type]

    def pass_ms(self, for_ms: int) -> None:
        for _ in range(for_ms // TURN_MS):
            self.now_ms = (self.now_ms + TURN_MS) % WRAP_MS
            self.clock.poll(self.now_ms)


@pytest.mark.parametrize("now_ms", [0, WRAP_MS - RETURN_MS // 2, WRAP_MS // 2 - 100])
def test_a_line_is_followed_held_while_it_is_lost_and_followed_again_when_it_lasts(now_ms: int) -> None:
    rig = Rig(1, now_ms)
    rig.clock.follow(0, True)
    rig.pass_ms(1000)
    assert rig.chosen == [OWN]                    # there never was a line to hold
    rig.lines[0].good = True
    rig.pass_ms(TURN_MS)
    assert rig.chosen == [OWN, 0]
    rig.lines[0].good = False
    rig.pass_ms(60_000)
    assert rig.chosen == [OWN, 0, HOLD]
    for _ in range(3):                            # a line that comes and goes is no clock
        rig.lines[0].good = True
        rig.pass_ms(RETURN_MS - TURN_MS)
        rig.lines[0].good = False
        rig.pass_ms(TURN_MS)
    assert rig.chosen == [OWN, 0, HOLD]
    rig.lines[0].good = True
    rig.pass_ms(RETURN_MS)
    assert rig.chosen == [OWN, 0, HOLD]
    rig.pass_ms(2 * TURN_MS)
    assert rig.chosen == [OWN, 0, HOLD, 0]


def test_a_span_that_leads_is_not_followed() -> None:
    rig = Rig(1)
    rig.clock.follow(0, True)
    rig.lines[0].good = True
    rig.pass_ms(TURN_MS)
    rig.clock.follow(0, False)
    rig.pass_ms(TURN_MS)
    assert rig.chosen == [OWN, 0, OWN]


def test_another_good_line_takes_over_and_keeps_the_place() -> None:
    rig = Rig(3)
    for span in (0, 1, 2):
        rig.clock.follow(span, span != 1)
        rig.lines[span].good = True
    rig.pass_ms(TURN_MS)
    rig.lines[0].good = False
    rig.pass_ms(TURN_MS)
    assert rig.chosen == [OWN, 0, 2]              # 1 follows us
    rig.lines[0].good = True
    rig.pass_ms(2 * RETURN_MS)
    assert rig.chosen == [OWN, 0, 2]              # as good is no reason to change
    rig.lines[2].good = False
    rig.pass_ms(TURN_MS)
    assert rig.chosen == [OWN, 0, 2, 0]


def test_a_line_that_is_always_good_stays_so_for_longer_than_time_goes_round() -> None:
    rig = Rig(1)
    rig.clock.follow(0, True)
    rig.lines[0].good = True
    for _ in range(300):
        rig.now_ms = (rig.now_ms + WRAP_MS // 100) % WRAP_MS
        rig.clock.poll(rig.now_ms)
    assert rig.chosen == [OWN, 0]
