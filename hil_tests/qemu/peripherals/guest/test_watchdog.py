"""Watchdogs of the kernel: fed, stopped, and the hardware's left alone until it expires, which QEMU sees."""

import time
from pathlib import Path

from appliance.box.board.watchdog import Watchdog

SOFT, HARD = "/dev/branchline/watchdog", "/dev/watchdog0"


def state(device: str) -> str:
    return Path("/sys/class/watchdog", Path(device).resolve().name, "state").read_text().strip()


def test_a_watchdog_that_is_fed_or_stopped_does_nothing() -> None:
    for device in (SOFT, HARD):
        watchdog = Watchdog(device, 4)
        assert (watchdog.timeout_s, state(device)) == (4, "active")
        for _ in range(3):
            time.sleep(2)                         # of the guest's own clock, which runs as it likes
            watchdog.feed()
        watchdog.disarm()
        assert state(device) == "inactive"
    time.sleep(6)


def test_one_whose_process_ended_otherwise_runs_on_and_expires() -> None:
    Watchdog(HARD, 4).leave()
    assert state(HARD) == "active"
    time.sleep(6)
