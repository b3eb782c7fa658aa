"""The matrix, tick by tick."""

from typing import Any

import numpy as np
import pytest

from appliance.media import tones
from appliance.media.engine import Engine, Player, Sound, Tick, plan
from appliance.media.g711 import Octets
from appliance.media.ring import FREE
from e1_driver import BLOCK, IDLE

PORTS = 64
ONE = bytes(range(16))


def octets(*values: int) -> Octets:
    return np.array(values, np.uint8)


class Bench:
    """An engine with every port saying its own number."""

    def __init__(self) -> None:
        self.engine = Engine(PORTS, receivers=8)
        self.rx = self.engine.blank()
        self.rx[:PORTS] = np.arange(PORTS)[:, None]

    def change(self, **connected: Any) -> None:
        nothing: dict[str, Any] = {"bridges": {}, "players": (), "listeners": (), "recordings": ()}
        self.engine.change(plan(PORTS, **nothing | connected))

    def tick(self) -> Tick:
        return self.engine.tick(self.rx)

    def hears(self, port: int, ticks: int) -> bytes:
        return b"".join(self.tick().tx[port].tobytes() for _ in range(ticks))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_unconnected_port_hears_silence(bench: Bench) -> None:
    assert (bench.tick().tx == IDLE).all()


def test_a_bridge_is_octet_for_octet_and_nobody_else_hears_it(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    bench.rx[:PORTS] = rng.integers(0, 256, (PORTS, BLOCK))
    bench.change(bridges={3: 40, 40: 3})
    tx = bench.tick().tx
    assert (tx[3] == bench.rx[40]).all()
    assert (tx[40] == bench.rx[3]).all()
    assert (np.delete(tx, [3, 40], axis=0) == IDLE).all()


def test_a_sound_is_played_once_to_its_last_octet_and_its_end_is_said_once(bench: Bench) -> None:
    sound = np.arange(200, dtype=np.uint8)
    bench.change(players=[Player(7, 5, Sound(sound))], begun=[5])
    ticks = [bench.tick() for _ in range(5)]
    assert b"".join(tick.tx[5].tobytes() for tick in ticks) == sound.tobytes() + bytes([IDLE]) * 200
    assert [tick.ended for tick in ticks] == [[], [], [7], [], []]


def test_a_sound_of_whole_blocks_ends_with_its_last_block(bench: Bench) -> None:
    bench.change(players=[Player(7, 5, Sound(np.zeros(160, np.uint8)))], begun=[5])
    assert [bench.tick().ended for _ in range(3)] == [[], [7], []]


@pytest.mark.parametrize("length", [1, 7, 79, 80, 81, 333])
def test_a_repeated_sound_has_no_seam(bench: Bench, length: int) -> None:
    sound = np.arange(length, dtype=np.uint8)
    bench.change(players=[Player(1, 2, Sound(sound, repeat=True))], begun=[2])
    assert bench.hears(2, 20) == np.resize(sound, 1600).tobytes()


def test_a_sound_goes_on_through_other_changes_and_begins_anew_when_told(bench: Bench) -> None:
    player = Player(1, 2, Sound(np.arange(240, dtype=np.uint8)))
    bench.change(players=[player], begun=[2])
    bench.tick()
    bench.change(players=[player], bridges={9: 10})
    assert bench.hears(2, 1) == bytes(range(80, 160))
    bench.change(players=[player], begun=[2])
    bench.change(players=[player], bridges={9: 10})                  # two changes between two ticks
    assert bench.hears(2, 1) == bytes(range(80))


def test_ports_share_a_sound_at_their_own_places(bench: Bench) -> None:
    sound = Sound(np.arange(160, dtype=np.uint8), repeat=True)
    bench.change(players=[Player(1, 2, sound)], begun=[2])
    bench.tick()
    bench.change(players=[Player(1, 2, sound), Player(2, 3, sound)], begun=[3])
    tx = bench.tick().tx
    assert (tx[2, 0], tx[3, 0]) == (80, 0)


def test_a_player_covers_the_bridge_one_way(bench: Bench) -> None:
    bench.change(bridges={3: 4, 4: 3}, players=[Player(1, 3, Sound(octets(9), repeat=True))], begun=[3])
    tx = bench.tick().tx
    assert (tx[3] == 9).all()
    assert (tx[4] == 3).all()


def test_a_recording_has_its_legs_left_and_right_and_silence_for_none(bench: Bench) -> None:
    bench.change(recordings=[(FREE, None, None), (ONE, 3, 40), (ONE[::-1], 4, None)])
    audio = bench.tick().audio
    assert audio.shape == (3, 2, BLOCK)
    assert audio[:, :, 0].tolist() == [[IDLE, IDLE], [3, 40], [4, IDLE]]
    assert [name.tobytes() for name in bench.engine.plan.recordings] == [FREE, ONE, ONE[::-1]]


def test_digits_carry_the_name_of_their_listener(bench: Bench) -> None:
    bench.change(listeners=[(3, "a"), (None, ""), (40, "b")], fresh=[0, 2])
    line = {3: tones.dtmf("12"), 40: tones.dtmf("9#")}
    heard: list[tuple[str, str]] = []
    for at in range(0, 2240, BLOCK):
        for port, signal in line.items():
            bench.rx[port] = signal[at:at + BLOCK]
        heard += bench.tick().digits
    assert sorted(heard) == [("a", "1"), ("a", "2"), ("b", "#"), ("b", "9")]


def test_a_new_listener_in_an_old_row_hears_a_digit_that_sounds_on(bench: Bench) -> None:
    bench.rx[3] = tones.dtmf("5", on_ms=10, off_ms=0)
    tone = tones.dtmf("5", on_ms=1000, off_ms=0)
    bench.change(listeners=[(3, "old")], fresh=[0])
    heard = []
    for number, at in enumerate(range(0, 1600, BLOCK)):
        if number == 10:
            bench.change(listeners=[(3, "new")], fresh=[0])
        bench.rx[3] = tone[at:at + BLOCK]
        heard += bench.tick().digits
    assert heard == [("old", "5"), ("new", "5")]


def test_a_sound_has_octets() -> None:
    with pytest.raises(ValueError, match="without octets"):
        Sound(octets(), repeat=True)
