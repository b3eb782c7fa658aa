"""When a line is taken for down, in jumped time."""
import pytest

from appliance.trunk.line_watch import LineWatch


@pytest.fixture
def watch() -> LineWatch:
    watch = LineWatch()
    assert not watch.is_up(0.0)
    assert watch.next_deadline(0.0) is None
    watch.connected(True, 0.0)
    assert watch.is_up(0.0)
    assert watch.next_deadline(0.0) is None
    return watch


def test_a_blip_is_nothing_and_an_alarm_that_stands_is(watch: LineWatch) -> None:
    watch.alarm(True, 10.0)
    watch.alarm(False, 10.3)
    assert watch.next_deadline(10.3) is None
    watch.alarm(True, 20.0)
    watch.alarm(True, 20.9)                       # said again: it has stood since 20
    assert (watch.is_up(20.9), watch.next_deadline(20.9)) == (True, 21.0)
    assert not watch.is_up(21.0)
    assert watch.next_deadline(21.0) is None
    watch.alarm(False, 30.0)
    assert watch.is_up(30.0)


def test_a_frame_proves_that_the_line_is_up_whatever_was_said_of_it(watch: LineWatch) -> None:
    watch.alarm(True, 10.0)
    assert not watch.is_up(12.0)
    watch.frame()
    assert watch.is_up(12.0)


def test_spand_may_be_away_for_3_s_and_comes_back_without_memory(watch: LineWatch) -> None:
    watch.alarm(True, 9.5)
    watch.connected(False, 10.0)
    watch.connected(True, 10.4)
    watch.alarm(True, 10.5)                       # its first look: the line is just being opened
    watch.alarm(False, 10.6)
    assert watch.is_up(100.0)
    watch.connected(False, 100.0)
    assert (watch.is_up(102.9), watch.next_deadline(102.9)) == (True, 103.0)
    assert not watch.is_up(103.0)
    watch.connected(True, 104.0)
    assert watch.is_up(104.0)
