"""What a line is sent when it gives one block more than the box has."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from appliance.config.lines import SpanConfig
from appliance.media import g711
from appliance.span.seat import Seat
from e1_driver import BLOCK, IDLE, TIMESLOTS, Block
from e1_driver.backends.virtual import pair
from tests.e1_driver.test_card import Cards


def test_a_block_more_is_faded_though_the_engine_uses_its_memory_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cable = pair()
    monkeypatch.setattr("e1_driver.kept.open_span", lambda url: cable.b)
    seat = Seat(SpanConfig(name="x", url="virtual:x/b", side="user", trunk="x"), tmp_path / "x.sock", print)
    samples = (8000 * np.sin(2 * np.pi * 210 / 8000 * np.arange(6 * BLOCK))).astype(np.int16)
    said, heard = g711.encode(samples).reshape(6, 1, BLOCK).repeat(TIMESLOTS, axis=1), []
    tx: Block = np.empty((TIMESLOTS, BLOCK), np.uint8)
    try:
        seat.read(0.0)
        for _ in range(2):                        # in store, for when the line takes two at once
            seat.span.write(np.full_like(tx, IDLE))
        for number, block in enumerate(said):
            tx[:] = block
            times = 2 if number == 3 else 1
            for _ in range(times):
                cable.a.write(block)
            cable.step(times)
            while seat.read(0.0) is not None:
                pass
            seat.write(tx, times)
        cable.step(3)
        while (block_heard := cable.a.read(0.0)) is not None:
            heard.append(block_heard[1])
    finally:
        seat.close()
    sound = g711.decode(np.concatenate(heard)).astype(int)
    first, last = np.flatnonzero(np.abs(sound) > 100)[[0, -1]]
    assert last - first > 6 * BLOCK
    assert steepest(sound[first:last]) < 1.3 * steepest(samples)


def steepest(samples: npt.NDArray[np.integer]) -> int:
    return int(np.abs(np.diff(samples.astype(int))).max())


def test_what_the_line_interface_of_a_card_finds_is_told(tmp_path: Path) -> None:
    with Cards(tmp_path / "card") as cards:
        url = f"card:{cards.paths[0]}?haul=long"
        seat = Seat(SpanConfig(name="x", url=url, side="user", trunk="x"), tmp_path / "x.sock", print)
        state = seat.state(seat.span.status(), 0)
        seat.close()
    assert (state.level_db, state.liu_faults) == (-3, [])
    assert "framer_repairs" not in state.untold and state.counters["framer_repairs"] == 0
