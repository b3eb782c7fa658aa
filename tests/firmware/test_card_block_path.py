"""The block path on MicroPython itself: what it carries, and that it allocates nothing."""

import subprocess

from hil_tests.instruments.card import HEAP, INTERPRETER, ROOT

BLOCKS, SEED = 3000, 1


def test_blocks_cross_unchanged_both_ways_and_take_no_memory() -> None:
    ran = subprocess.run(
        [INTERPRETER, "-X", f"heapsize={HEAP}", "-m", "tests.firmware.block_path", str(BLOCKS), str(SEED)],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    _, grown_octets = ran.stdout.split()
    assert int(grown_octets) == 0
