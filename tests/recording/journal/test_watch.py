"""When a disk is called slow, before anything is lost by it."""

import pytest

from appliance.recording.journal.watch import BEHIND_TICKS, OF_BATCHES, SLOW_BATCHES, SLOW_S, DiskWatch

WELL = {"lag_ticks": 0.0, "failing": 0.0}


@pytest.mark.need(5)
def test_a_disk_is_slow_when_it_is_so_often_and_until_it_has_long_been_quick() -> None:
    watch = DiskWatch()
    for _ in range(SLOW_BATCHES - 1):
        assert not watch.batch(2 * SLOW_S, WELL)["slow-disk"]
    assert watch.batch(2 * SLOW_S, WELL)["slow-disk"]
    for _ in range(OF_BATCHES - 1):
        assert watch.batch(0.01, WELL)["slow-disk"]
    assert not watch.batch(0.01, WELL)["slow-disk"]


def test_who_is_behind_says_so_at_once_and_how_much_is_left() -> None:
    warned = DiskWatch().batch(1.2, {"lag_ticks": float(BEHIND_TICKS), "failing": 0.0})["slow-disk"]
    assert "1.2 s" in warned
    assert "3 s behind of the 30 s" in warned


def test_a_disk_that_refuses_is_another_warning_that_ends_with_it() -> None:
    watch = DiskWatch()
    assert "free the disk" in watch.batch(0.1, {"lag_ticks": 100.0, "failing": 1.0})["disk-refuses"]
    assert watch.batch(0.1, WELL)["disk-refuses"] == ""
