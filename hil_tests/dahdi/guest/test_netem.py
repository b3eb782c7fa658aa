"""satop: and cesop: over a network that delays, loses, doubles and reorders (tc netem)."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.e1_driver.two_ends import counted

TC = "/usr/sbin/tc"                               # iproute2's: busybox has one that knows no netem
NETEM = ("netem", "delay", "8ms", "4ms", "loss", "1%", "duplicate", "1%", "reorder", "10%")


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    subprocess.run([TC, "qdisc", "add", "dev", "lo", "root", *NETEM], check=True)
    yield
    subprocess.run([TC, "qdisc", "del", "dev", "lo", "root"], check=True)


@pytest.mark.parametrize("scheme", ["cesop", "satop"])
def test_an_emulated_circuit_lives_and_counts_what_the_network_did(scheme: str) -> None:
    for end in counted(scheme):
        assert end.slips == 0
        assert 0 < end.packets_lost < end.packets_in / 20
        assert 0 < end.packets_late < end.packets_in / 20
        assert end.frames_in > 0
