"""Which notifications leave, and which do not because it did not last."""

import pytest

from appliance.box.snmp.notices import Notice, Notices
from appliance.box.snmp.tree import Oid
from appliance.bus.messages import LineFailure
from tests.box.snmp.boxes import ENTERPRISE, Shown, channels, fitness, health, state

HOLD_S = 5.0
LINK_DOWN, LINK_UP = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3), (1, 3, 6, 1, 6, 3, 1, 1, 5, 4)
DSX1 = (1, 3, 6, 1, 2, 1, 10, 18, 15, 0, 1)
OWN = (1, 3, 6, 1, 4, 1, ENTERPRISE, 1, 0)


class Told:
    """Looked at whenever something is heard, and when something is due, as the area does."""

    def __init__(self) -> None:
        self.box = Shown()
        self.notices = Notices(HOLD_S, self.box.view.own, self.box.view.spans)
        self.look()

    def look(self) -> list[Notice]:
        return self.notices.look(self.box.seen, self.box.view.lines(), self.box.now)

    def after(self, seconds: float) -> list[Oid]:
        """What is told in that time."""
        until, told = self.box.now + seconds, self.look()
        while (due := self.notices.next_deadline()) is not None and due <= until:
            self.box.now = due
            told += self.look()
        self.box.now = until
        for notice in told:
            assert all(self.box.at(*name) is not None for name in notice.objects), notice
        return [notice.kind for notice in told]


def failure(alarm: str, declared: bool) -> LineFailure:
    return LineFailure(span="telco1", alarm=alarm, declared=declared, since=0.0, at=0.0)


def test_nothing_is_told_of_a_box_in_order() -> None:
    assert Told().after(3600.0) == []


@pytest.mark.need(11)
def test_a_line_that_fails_and_comes_back() -> None:
    told = Told()
    told.box.seen.hear(failure("los", True))
    assert told.after(4.9) == [] and told.after(0.2) == [LINK_DOWN, DSX1]
    assert told.after(3600.0) == []
    told.box.seen.hear(failure("los", False))
    assert told.after(10.0) == [LINK_UP, DSX1]


def test_a_line_that_flaps_is_told_once_it_stays() -> None:
    told = Told()
    for _ in range(50):
        told.box.seen.hear(failure("los", True))
        assert told.after(3.0) == []
        told.box.seen.hear(failure("los", False))
        assert told.after(3.0) == []
    told.box.seen.hear(failure("los", True))
    assert told.after(10.0) == [LINK_DOWN, DSX1]


def test_what_takes_no_line_down_changes_its_status_alone() -> None:
    told = Told()
    told.box.seen.hear(failure("rai", True))
    assert told.after(10.0) == [DSX1]


def test_a_span_under_test_or_not_heard_of_is_no_news() -> None:
    told = Told()
    told.box.seen.hear(state("telco1", lent=True, loop="local"))
    assert told.after(60.0) == []
    told.box.seen.hear(state("telco1"))
    health(told.box.seen, spand="down")
    assert told.after(60.0) == [(*OWN, 2)]


def test_daemons_fitness_and_data_links() -> None:
    told = Told()
    health(told.box.seen, acdd="late")
    assert told.after(60.0) == [], "late is not down"
    health(told.box.seen, acdd="down")
    assert told.after(60.0) == [(*OWN, 2)]
    health(told.box.seen)
    assert told.after(60.0) == [(*OWN, 3)]
    told.box.seen.hear(fitness("degraded"))
    assert told.after(60.0) == [(*OWN, 1)]
    told.box.seen.hear(channels("pbx1", up=False))
    assert told.after(60.0) == [(*OWN, 4)]
    health(told.box.seen, trunkd="down")          # nothing is known of its links then
    told.box.seen.hear(channels("pbx1", up=True))
    assert told.after(60.0) == [(*OWN, 2)]


def test_a_failure_after_which_nothing_is_heard_has_not_lasted() -> None:
    told = Told()
    told.box.seen.hear(failure("los", True))
    told.box.seen.hear(channels("pbx1", up=False))
    assert told.after(HOLD_S - 1) == []
    health(told.box.seen, spand="down", trunkd="down")
    assert sorted(told.after(60.0)) == [(*OWN, 2), (*OWN, 2)]
    health(told.box.seen)                         # and it is still so
    assert sorted(told.after(60.0)) == sorted([LINK_DOWN, DSX1, (*OWN, 3), (*OWN, 3), (*OWN, 4)])
