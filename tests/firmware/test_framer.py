"""The drivers of the framers on the models of their chips: on CPython, and all of it again on MicroPython."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.linecard.framer import CHIPS
from tests.firmware import framer_cases

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.executable).with_name("micropython")

STEPS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 63)), max_size=12)


@pytest.mark.parametrize("name", framer_cases.CASES)
def test_case(name: str) -> None:
    getattr(framer_cases, name)()


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(CHIPS), STEPS)
def test_registers_are_what_the_settings_demand(chip: str, steps: list[tuple[int, int]]) -> None:
    framer_cases.play(chip, steps)


def test_the_same_on_micropython() -> None:
    """What the card runs: there a turn's memory is looked at, too."""
    command = [str(MICROPYTHON), "-m", "tests.firmware.framer_cases"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, f"{len(framer_cases.CASES)} cases\n"), run.stdout + run.stderr
