"""When people are told that the disk is slow, refuses, or does not answer at all."""

from appliance.recording.journal.watch import BEHIND_TICKS, OF_BATCHES, SLOW_BATCHES, SLOW_S, DiskWatch

WELL = {"failing": 0.0, "lag_ticks": 0.0}


def test_a_disk_that_is_slow_often_is_told_of_until_it_has_been_quick_for_long() -> None:
    watch = DiskWatch()
    for _ in range(SLOW_BATCHES - 1):
        assert watch.batch(SLOW_S + 0.1, WELL)["slow-disk"] == ""
    assert "the disk is slow" in watch.batch(SLOW_S + 0.1, WELL)["slow-disk"]
    for _ in range(OF_BATCHES - 1):
        assert watch.batch(0.01, WELL)["slow-disk"] != ""
    assert watch.batch(0.01, WELL)["slow-disk"] == ""


def test_one_that_refuses_is_not_called_slow() -> None:
    said = DiskWatch().batch(0.01, {"failing": 1.0, "lag_ticks": 10.0 * BEHIND_TICKS})
    assert "refuses" in said["disk-refuses"]
    assert said["slow-disk"] == ""


def test_one_that_does_not_answer_is_told_of_while_it_does_not() -> None:
    watch = DiskWatch()
    assert "does not answer" in watch.hanging()["slow-disk"]
    assert watch.batch(9.0, WELL)["slow-disk"] == ""
