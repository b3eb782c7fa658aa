"""udev itself reads the rules of all boards: it takes each, and devices have their names and rights."""

import grp
import re
import stat
import subprocess
from pathlib import Path

import pytest

import board
from hil_tests.qemu.peripherals.guest.simulated import Lamp


def is_ours(path: Path) -> bool:
    status = path.stat()
    group = grp.getgrgid(status.st_gid).gr_name
    return group == "branchline" and stat.S_IMODE(status.st_mode) in (0o660, 0o664)


def test_udev_complains_of_no_rule() -> None:
    said = Path("/results/udev.txt").read_text()
    assert not re.search(r"\.rules:\d+", said), said


@pytest.mark.parametrize("name", ["gpio", "i2c", "watchdog"])
def test_devices_have_their_names_and_are_for_the_group(name: str) -> None:
    link = Path("/dev/branchline", name)
    assert link.is_symlink() and is_ours(link)


def test_softdog_came_after_the_hardware_and_is_boxds() -> None:
    identities = {path.name: (path / "identity").read_text().strip()
                  for path in Path("/sys/class/watchdog").iterdir()}
    assert identities == {"watchdog0": "i6300ESB timer", "watchdog1": "Software Watchdog"}
    assert Path("/dev/branchline/watchdog").resolve() == Path("/dev/watchdog1")
    assert not is_ours(Path("/dev/watchdog0"))    # systemd's


def test_boxd_may_light_a_lamp_that_is_ours() -> None:
    description = board.of_this_box()
    assert description is not None
    ours, other = Lamp(description.leds.status), Lamp("input0::capslock")
    subprocess.run(["udevadm", "settle"], check=True)
    assert is_ours(Path("/sys/class/leds", description.leds.status, "brightness"))
    assert not is_ours(Path("/sys/class/leds/input0::capslock/brightness"))
    ours.close()
    other.close()
